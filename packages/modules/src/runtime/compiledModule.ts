import {
  type CallMessage,
  type CallResult,
  CompiledAbi,
  type FunctionCodec,
  type Host,
  readSelector,
  type Suite,
} from '@hanse/protocol';
import type { NativeModule } from '../defineModule.ts';
import { GAS } from '../gasSchedule.ts';
import { encodeMarker } from '../marker.ts';
import type { SlotHasher } from '../storage/slotHasher.ts';
import { ModuleFrame } from './moduleFrame.ts';

/** What modules use of the network's suite. */
export type ModuleSuite = Pick<Suite, 'hash' | 'keccak256' | 'addressOf' | 'verify'>;

/** A function of a module, ready to run. */
export interface CompiledFunction {
  readonly codec: FunctionCodec;
  readonly handler: (context: ModuleFrame, ...values: readonly unknown[]) => unknown;
  readonly baseGas: number;
  /** Whether it may change anything. */
  readonly isView: boolean;
}

/** A module with the codecs of its ABI made, shared by all frames. */
export class CompiledModule {
  readonly definition: NativeModule;
  readonly abi: CompiledAbi;
  readonly marker: Uint8Array;
  readonly suite: ModuleSuite;
  readonly slotHasher: SlotHasher;
  readonly #functions = new Map<number, CompiledFunction>();

  constructor(definition: NativeModule, suite: ModuleSuite, slotHasher: SlotHasher) {
    this.definition = definition;
    this.suite = suite;
    this.slotHasher = slotHasher;
    this.abi = new CompiledAbi(definition.abi, suite);
    this.marker = encodeMarker(definition);
    for (const item of definition.abi) {
      if (item.type !== 'function') continue;
      if (item.stateMutability === 'payable') throw new Error(`${definition.name}.${item.name} must not be payable`);
      const handler = Object.hasOwn(definition.handlers, item.name) ? definition.handlers[item.name] : undefined;
      if (handler === undefined) throw new Error(`${definition.name}.${item.name} has no handler`);
      const codec = this.abi.function(item.name);
      this.#functions.set(codec.selectorNumber, {
        codec,
        handler: handler as unknown as CompiledFunction['handler'],
        baseGas: definition.baseGas[item.name] ?? GAS.base,
        isView: item.stateMutability !== 'nonpayable',
      });
    }
  }

  /** The function that call data asks for. */
  functionOf(input: Uint8Array): CompiledFunction | undefined {
    const selector = readSelector(input);
    return selector === undefined ? undefined : this.#functions.get(selector);
  }

  /**
   * Runs one frame. What it changed before a revert or failure stays for the caller to undo. `isEntered` says whether
   * a frame of the same account is running below. Throws only for a mistake of this program.
   */
  run(host: Host, message: CallMessage, isEntered: boolean): CallResult {
    return new ModuleFrame(this, host, message).run(isEntered);
  }
}
