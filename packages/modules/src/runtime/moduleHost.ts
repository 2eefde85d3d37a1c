import {
  type Address,
  bytesToHex,
  type CallMessage,
  type CallResult,
  type FrameRunner,
  type Genesis,
  type Host,
  type WorldState,
  ZERO_ADDRESS,
} from '@hanse/protocol';
import { isReservedAddress, moduleAddress } from '../abi/addresses.ts';
import type { NativeModule } from '../defineModule.ts';
import { BEGIN_BLOCK_GAS } from '../gasSchedule.ts';
import { decodeMarker } from '../marker.ts';
import { nativeModules } from '../nativeModules.ts';
import { SlotHasher } from '../storage/slotHasher.ts';
import { CompiledModule, type ModuleSuite } from './compiledModule.ts';
import { genesisContext } from './genesisContext.ts';
import { ModuleFrame } from './moduleFrame.ts';

/** A begin-block hook that failed; what it did was undone and the chain goes on. */
export interface HookFailure {
  readonly module: string;
  readonly error: string;
}

/**
 * Runs native modules. Which module an account runs, and in which version, is what its code says (the marker), so
 * instances and upgrades need no table here. One host serves one thread: frames nest on its stack.
 */
export class ModuleHost implements FrameRunner {
  readonly #modules: readonly CompiledModule[];
  readonly #byMarker = new Map<string, CompiledModule>();
  /** Code arrays seen before; a state hands out the same array for the same code as long as it keeps it. */
  readonly #byCode = new WeakMap<Uint8Array, CompiledModule>();
  readonly #slotHasher: SlotHasher;
  /** The accounts whose module is running now, with the number of its frames on the stack. */
  readonly #entered = new Map<Address, number>();

  /** `suite` is the network's. `definitions` is for tests with modules of their own. */
  constructor(suite: ModuleSuite, definitions: readonly NativeModule[] = nativeModules) {
    this.#slotHasher = new SlotHasher(suite);
    this.#modules = definitions.map((definition) => new CompiledModule(definition, suite, this.#slotHasher));
    for (const module of this.#modules) {
      const key = bytesToHex(module.marker);
      if (this.#byMarker.has(key)) throw new Error(`two modules have the marker of ${module.definition.name}`);
      this.#byMarker.set(key, module);
    }
  }

  /** Whether code is the marker of a module, known to this version of the program or not. */
  isModuleCode(code: Uint8Array): boolean {
    return code[0] === 0xef && decodeMarker(code) !== undefined;
  }

  /**
   * The module that a marker names, undefined for other code. Throws if this version of the program lacks it: the chain
   * has moved on to rules that this member cannot follow.
   */
  moduleAt(code: Uint8Array): CompiledModule | undefined {
    if (code[0] !== 0xef) return undefined;
    const seen = this.#byCode.get(code);
    if (seen !== undefined) return seen;
    const marker = decodeMarker(code);
    if (marker === undefined) return undefined;
    const module = this.#byMarker.get(bytesToHex(code));
    if (module === undefined) {
      throw new Error(`this version of Hanse lacks version ${marker.version} of the module ${marker.name}: upgrade it`);
    }
    this.#byCode.set(code, module);
    return module;
  }

  /** Runs a frame of a module's account. Whatever it changed is undone unless it succeeds. Throws only for a bug. */
  run(host: Host, message: CallMessage): CallResult {
    const account = message.to;
    if (account === undefined) throw new Error('a module frame needs an account');
    const module = this.moduleAt(host.state.getCode(message.codeAddress ?? account));
    if (module === undefined) throw new Error(`${message.codeAddress ?? account} is not the account of a module`);
    const entries = this.#entered.get(account) ?? 0;
    this.#entered.set(account, entries + 1);
    const snapshot = host.state.snapshot();
    try {
      const result = module.run(host, message, entries > 0);
      if (result.status !== 'success') host.state.revertTo(snapshot);
      return result;
    } finally {
      if (entries === 0) this.#entered.delete(account);
      else this.#entered.set(account, entries);
    }
  }

  /**
   * Runs the hooks of the modules that the state has, by number, with one allowance of gas for all of them. A hook that
   * fails is undone and reported; the block is made all the same, and equally by every member.
   */
  beginBlock(host: Host): readonly HookFailure[] {
    const failures: HookFailure[] = [];
    let gas = BigInt(BEGIN_BLOCK_GAS);
    for (const module of this.#modules) {
      const { beginBlock, kind, number, name } = module.definition;
      if (beginBlock === undefined || kind !== 'single') continue;
      const address = moduleAddress(number);
      // Another version's marker means that another version's hook runs.
      if (this.moduleAt(host.state.getCode(address)) !== module) continue;
      const snapshot = host.state.snapshot();
      const message: CallMessage = {
        kind: 'call',
        caller: ZERO_ADDRESS,
        to: address,
        codeAddress: address,
        value: 0n,
        input: new Uint8Array(0),
        gas,
        isStatic: false,
        depth: 0,
      };
      const hook = beginBlock as unknown as (context: ModuleFrame) => void;
      const result = new ModuleFrame(module, host, message).runHook(hook);
      gas = result.gasLeft;
      if (result.status === 'success') continue;
      host.state.revertTo(snapshot);
      failures.push({ module: name, error: result.error ?? result.status });
    }
    return failures;
  }

  /**
   * Writes the markers and first state of all modules. Throws a RangeError if `alloc` uses a reserved address, or an account
   * is registered twice.
   */
  initializeGenesis(state: WorldState, genesis: Genesis): void {
    for (const address of Object.keys(genesis.alloc)) {
      if (isReservedAddress(address as Address))
        throw new RangeError(`genesis: alloc ${address} is a reserved address`);
    }
    for (const { definition } of this.#modules) {
      if (definition.kind !== 'single') continue;
      const context = genesisContext(state, genesis, definition, this.#slotHasher);
      definition.initialize?.(context as never);
    }
  }
}
