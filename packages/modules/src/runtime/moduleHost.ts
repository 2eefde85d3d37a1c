import {
  type Address,
  type CallMessage,
  type CallResult,
  type FrameRunner,
  type Genesis,
  type Host,
  type RecoveredSet,
  type RuleVersions,
  type WorldState,
  ZERO_ADDRESS,
} from '@hanse/protocol';
import { isReservedAddress, membersAddress, moduleAddress } from '../abi/addresses.ts';
import type { NativeModule } from '../defineModule.ts';
import { BEGIN_BLOCK_GAS } from '../gasSchedule.ts';
import { decodeMarker, type Marker } from '../marker.ts';
import { applyRecovery } from '../members/applyRecovery.ts';
import { membersStorage } from '../members/membersStorage.ts';
import { nativeModules } from '../nativeModules.ts';
import { bindStorage } from '../storage/accessors.ts';
import { SlotHasher } from '../storage/slotHasher.ts';
import { WorldSlots } from '../storage/stateSlots.ts';
import { CompiledModule, type ModuleSuite } from './compiledModule.ts';
import { genesisContext } from './genesisContext.ts';
import { ModuleFrame } from './moduleFrame.ts';

/** A begin-block hook that failed; what it did was undone and the chain goes on. */
export interface HookFailure {
  readonly module: string;
  readonly error: string;
}

/**
 * Runs native modules. Which module an account runs is what its code says (the marker), so instances need no table here; in which version
 * it runs is what governance scheduled for the block's height. One host serves one thread: frames nest on its stack.
 */
export class ModuleHost implements FrameRunner {
  readonly #modules: readonly CompiledModule[];
  /** By name, then by version. */
  readonly #versions = new Map<string, Map<number, CompiledModule>>();
  /** Code arrays seen before; a state hands out the same array for the same code as long as it keeps it. */
  readonly #byCode = new WeakMap<Uint8Array, Marker>();
  readonly #slotHasher: SlotHasher;
  /** The accounts whose module is running now, with the number of its frames on the stack. */
  readonly #entered = new Map<Address, number>();

  /** `suite` is the network's. `definitions` is for tests with modules of their own. */
  constructor(suite: ModuleSuite, definitions: readonly NativeModule[] = nativeModules) {
    this.#slotHasher = new SlotHasher(suite);
    this.#modules = definitions.map((definition) => new CompiledModule(definition, suite, this.#slotHasher));
    for (const module of this.#modules) {
      const { name, version } = module.definition;
      const versions = this.#versions.get(name) ?? new Map<number, CompiledModule>();
      if (versions.has(version)) throw new Error(`two modules have the marker of ${name}`);
      this.#versions.set(name, versions.set(version, module));
    }
  }

  /** Whether code is the marker of a module, known to this version of the program or not. */
  isModuleCode(code: Uint8Array): boolean {
    return code[0] === 0xef && decodeMarker(code) !== undefined;
  }

  /**
   * The module that a marker names, in the version that the block's rules say (or the marker, if that is newer); undefined for other code.
   * Throws if this version of the program lacks it: the chain has moved on to rules that this member cannot follow.
   */
  moduleAt(code: Uint8Array, rules: RuleVersions): CompiledModule | undefined {
    if (code[0] !== 0xef) return undefined;
    const marker = this.#byCode.get(code) ?? decodeMarker(code);
    if (marker === undefined) return undefined;
    this.#byCode.set(code, marker);
    const { name } = marker;
    const version = Math.max(marker.version, rules.of(`module:${name}`));
    const module = this.#versions.get(name)?.get(version);
    if (module === undefined)
      throw new Error(`this version of Hanse lacks version ${version} of the module ${name}: upgrade it`);
    return module;
  }

  /** Runs a frame of a module's account. Whatever it changed is undone unless it succeeds. Throws only for a bug. */
  run(host: Host, message: CallMessage): CallResult {
    const account = message.to;
    if (account === undefined) throw new Error('a module frame needs an account');
    const module = this.moduleAt(host.state.getCode(message.codeAddress ?? account), host.block.rules);
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
      // Another version is in force: its own hook runs, if it has one.
      if (this.moduleAt(host.state.getCode(address), host.block.rules) !== module) continue;
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

  /** Begins the epoch of a recovery after the block of this height (see `applyRecovery`). */
  applyRecovery(state: WorldState, recovered: RecoveredSet, height: number): void {
    const slots = new WorldSlots(state, membersAddress, this.#slotHasher);
    applyRecovery(bindStorage(slots, membersStorage), recovered, height);
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
      // A network begins with the first versions; what is newer comes into force at a height.
      if (definition.kind !== 'single' || definition.version !== 1) continue;
      const context = genesisContext(state, genesis, definition, this.#slotHasher);
      definition.initialize?.(context as never);
    }
  }
}
