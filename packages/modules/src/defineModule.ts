import type {
  Address,
  BlockEnvironment,
  CallResult,
  Genesis,
  NamedValues,
  ParameterValues,
  ResultValue,
} from '@hanse/protocol';
import type {
  Abi,
  AbiFunction,
  ExtractAbiError,
  ExtractAbiErrorNames,
  ExtractAbiEvent,
  ExtractAbiEventNames,
  ExtractAbiFunction,
  ExtractAbiFunctionNames,
} from 'abitype';
import type { RevertSignal } from './runtime/signals.ts';
import type { FieldAccessors, FieldReaders } from './storage/accessors.ts';
import type { StorageFields } from './storage/storageType.ts';

/** What a handler that only reads has of the chain and of its account. Every use is metered. */
export interface ViewContext<Items extends Abi, Fields extends StorageFields> {
  /** The account that the module acts for: its own address, or that of one of its instances. */
  readonly self: Address;
  /** Who called: an account, a contract or a module. */
  readonly caller: Address;
  readonly block: BlockEnvironment;
  readonly storage: FieldReaders<Fields>;
  /** The variables of another module's account, to read. */
  peek<Other extends StorageFields>(address: Address, fields: Other): FieldReaders<Other>;
  /** Pays for passes through a loop whose length the caller decides; before the loop. */
  chargeItems(count: number): void;
  /** The suite's hash. */
  hash(data: Uint8Array): Uint8Array;
  /** Whether this is a public key of the suite: 33 bytes, compressed, a point of its curve. */
  isPublicKey(key: Uint8Array): boolean;
  /** Whether a compressed public key made this 64-byte signature of a message, which the suite hashes. Bad input is false. */
  verifySignature(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
  /** A custom error of the ABI, to throw: the frame reverts with it. */
  error<Name extends ExtractAbiErrorNames<Items>>(
    name: Name,
    values: NamedValues<ExtractAbiError<Items, Name>['inputs']>,
  ): RevertSignal;
  /** A reason in words, to throw: the frame reverts with `Error(string)`. */
  reason(text: string): RevertSignal;
}

/** What a handler that changes the chain has besides. */
export interface ModuleContext<Items extends Abi, Fields extends StorageFields>
  extends Omit<ViewContext<Items, Fields>, 'storage'> {
  readonly storage: FieldAccessors<Fields>;
  emit<Name extends ExtractAbiEventNames<Items>>(
    name: Name,
    values: NamedValues<ExtractAbiEvent<Items, Name>['inputs']>,
  ): void;
  /** Puts a new instance of a module of the same number at its address and gives its variables to fill. */
  createInstance<Other extends StorageFields>(
    module: InstanceModule<Other>,
    instance: bigint,
  ): { readonly address: Address; readonly storage: FieldAccessors<Other> };
  /**
   * Calls another account, without value. It gets at most 63/64 of the gas that is left (EIP-150); the caller looks at the status itself.
   * While it runs, every call into this account that may change it reverts.
   */
  call(to: Address, input: Uint8Array, options?: { readonly gas?: bigint; readonly isStatic?: boolean }): CallResult;
}

/** What a begin-block hook has: no caller, and no events, for a block has no receipt outside its transactions. */
export type BeginBlockContext<Items extends Abi, Fields extends StorageFields> = Omit<
  ModuleContext<Items, Fields>,
  'caller' | 'emit' | 'call' | 'createInstance'
>;

// biome-ignore lint/suspicious/noConfusingVoidType: a handler that returns nothing is a statement body.
type Result<Item extends AbiFunction> = Item['outputs'] extends readonly [] ? void : ResultValue<Item['outputs']>;

type Handler<Item extends AbiFunction, Items extends Abi, Fields extends StorageFields> = (
  context: Item['stateMutability'] extends 'view' | 'pure' ? ViewContext<Items, Fields> : ModuleContext<Items, Fields>,
  ...values: ParameterValues<Item['inputs']> extends infer Values extends readonly unknown[] ? Values : never
) => Result<Item>;

/** One handler for every function of the ABI. */
export type Handlers<Items extends Abi, Fields extends StorageFields> = {
  readonly [Name in ExtractAbiFunctionNames<Items>]: Handler<ExtractAbiFunction<Items, Name>, Items, Fields>;
};

/** What the genesis needs of a module with instances: enough to place one. */
export interface InstanceModule<Fields extends StorageFields> {
  readonly name: string;
  readonly version: number;
  readonly number: number;
  readonly storage: Fields;
}

/** How a module writes its first state. */
export interface GenesisContext<Fields extends StorageFields> {
  readonly self: Address;
  readonly storage: FieldAccessors<Fields>;
  readonly genesis: Genesis;
  /** The variables of another module that was initialised before this one (they go by number). */
  peek<Other extends StorageFields>(address: Address, fields: Other): FieldReaders<Other>;
  createInstance<Other extends StorageFields>(
    module: InstanceModule<Other>,
    instance: bigint,
  ): { readonly address: Address; readonly storage: FieldAccessors<Other> };
}

export interface ModuleOptions<Items extends Abi, Fields extends StorageFields> extends InstanceModule<Fields> {
  readonly abi: Items;
  /** `single`: at the module's own address. `instances`: at the addresses that `createInstance` gives. */
  readonly kind: 'single' | 'instances';
  readonly handlers: Handlers<Items, Fields>;
  /** The base cost of functions that are dearer or cheaper than `GAS.base`. */
  readonly baseGas?: Partial<Readonly<Record<ExtractAbiFunctionNames<Items>, number>>>;
  /** Runs before the first transaction of every block, with a bounded amount of gas; what it did is undone if it fails. */
  readonly beginBlock?: (context: BeginBlockContext<Items, Fields>) => void;
  /** Writes the first state. Bad documents are refused before, so it throws only for what the document's parser cannot know. */
  readonly initialize?: (context: GenesisContext<Fields>) => void;
}

/** A module as the host takes it, whatever its ABI and storage. */
export interface NativeModule {
  readonly name: string;
  readonly version: number;
  readonly number: number;
  readonly kind: 'single' | 'instances';
  readonly abi: Abi;
  readonly storage: StorageFields;
  readonly handlers: Readonly<Record<string, (context: never, ...values: never[]) => unknown>>;
  readonly baseGas: Readonly<Record<string, number>>;
  readonly beginBlock: ((context: never) => void) | undefined;
  readonly initialize: ((context: never) => void) | undefined;
}

/**
 * Describes a native module: a contract whose code is TypeScript. Handlers are synchronous and deterministic; they see
 * the chain through their context only.
 */
export function defineModule<const Items extends Abi, const Fields extends StorageFields>(
  options: ModuleOptions<Items, Fields>,
): NativeModule & InstanceModule<Fields> & { readonly abi: Items } {
  return {
    name: options.name,
    version: options.version,
    number: options.number,
    kind: options.kind,
    abi: options.abi,
    storage: options.storage,
    handlers: options.handlers as unknown as NativeModule['handlers'],
    baseGas: (options.baseGas ?? {}) as Readonly<Record<string, number>>,
    beginBlock: options.beginBlock as NativeModule['beginBlock'],
    initialize: options.initialize as NativeModule['initialize'],
  };
}
