import {
  AbiCodecError,
  type Address,
  type BlockEnvironment,
  bytesToHex,
  type CallMessage,
  type CallResult,
  type CustomErrorCodec,
  encodeErrorReason,
  type Host,
  type NamedValues,
  type ParameterValues,
} from '@hanse/protocol';
import type { Abi, AbiParameter } from 'abitype';
import { instanceAddress } from '../abi/addresses.ts';
import type { InstanceModule, ModuleContext } from '../defineModule.ts';
import { GAS } from '../gasSchedule.ts';
import { encodeMarker } from '../marker.ts';
import {
  bindStorage,
  type FieldAccessors,
  type FieldReaders,
  readStorage,
  type SlotAccess,
  type SlotReader,
} from '../storage/accessors.ts';
import type { SlotHasher } from '../storage/slotHasher.ts';
import type { StorageFields } from '../storage/storageType.ts';
import type { CompiledFunction, CompiledModule } from './compiledModule.ts';
import { FailureSignal, RevertSignal } from './signals.ts';

/** The deepest frame (Yellow Paper, section 8). */
const MAX_CALL_DEPTH = 1024;
/** A public key of either suite in its compressed form. */
const COMPRESSED_KEY_BYTES = 33;
const NO_BYTES = new Uint8Array(0);

/** One running call of a module: meters what the handler does and turns its end into a `CallResult`. */
export class ModuleFrame implements SlotAccess, ModuleContext<Abi, StorageFields> {
  readonly hasher: SlotHasher;
  readonly self: Address;
  readonly caller: Address;
  readonly block: BlockEnvironment;
  readonly #module: CompiledModule;
  readonly #host: Host;
  readonly #message: CallMessage;
  /** Gas in safe integers, which no block reaches; a call from outside with more counts as this much. */
  readonly #gasLimit: number;
  #gasUsed = 0;
  #mayWrite = false;
  #storage: FieldAccessors<StorageFields> | undefined;

  constructor(module: CompiledModule, host: Host, message: CallMessage) {
    if (message.to === undefined) throw new Error('a module frame needs an account');
    this.#module = module;
    this.#host = host;
    this.#message = message;
    this.hasher = module.slotHasher;
    this.self = message.to;
    this.caller = message.caller;
    this.block = host.block;
    this.#gasLimit = Number(message.gas < MAX_SAFE ? message.gas : MAX_SAFE);
  }

  /** Runs the function that the message asks for. */
  run(isEntered: boolean): CallResult {
    return this.#finish(() => {
      const called = this.#admit(isEntered);
      this.charge(called.baseGas + this.#message.input.length * GAS.inputByte);
      this.#mayWrite = !called.isView && !this.#message.isStatic;
      const result = called.handler(this, ...this.#decode(called));
      return called.codec.encodeResult(result as never);
    });
  }

  /** Runs a begin-block hook, which has neither input nor caller. */
  runHook(hook: (context: ModuleFrame) => void): CallResult {
    return this.#finish(() => {
      this.#mayWrite = true;
      hook(this);
      return NO_BYTES;
    });
  }

  #finish(body: () => Uint8Array): CallResult {
    const { gas } = this.#message;
    try {
      const output = body();
      this.charge(output.length * GAS.outputByte);
      return { status: 'success', gasLeft: gas - BigInt(this.#gasUsed), output };
    } catch (signal) {
      if (signal instanceof RevertSignal) {
        const cost = this.#gasUsed + signal.data.length * GAS.outputByte;
        if (cost <= this.#gasLimit) {
          return { status: 'revert', gasLeft: gas - BigInt(cost), output: signal.data, error: 'execution reverted' };
        }
        return { status: 'failure', gasLeft: 0n, output: NO_BYTES, error: 'out of gas' };
      }
      if (signal instanceof FailureSignal) {
        return { status: 'failure', gasLeft: 0n, output: NO_BYTES, error: signal.reason };
      }
      throw signal;
    }
  }

  /** The checks before any handler: a module acts on its own account, takes no value, and is not entered twice to change it. */
  #admit(isEntered: boolean): CompiledFunction {
    const { kind, to, codeAddress, value, input } = this.#message;
    if ((kind !== 'call' && kind !== 'staticcall') || (codeAddress ?? to) !== to) {
      throw this.reason('a module acts on its own account only: use call or staticcall');
    }
    if (value !== 0n) throw this.reason('a module takes no value');
    const called = this.#module.functionOf(input);
    if (called === undefined) throw this.reason(`${this.#module.definition.name} has no such function`);
    if (isEntered && !called.isView) throw this.reason('re-entrant call');
    return called;
  }

  #decode(called: CompiledFunction): readonly unknown[] {
    try {
      return called.codec.decodeCall(this.#message.input) as readonly unknown[];
    } catch (error) {
      // The words of the codec may change between versions and a contract can see revert data, so the code alone goes into it.
      if (error instanceof AbiCodecError) throw this.reason(`invalid call data: ${error.problem}`);
      throw error;
    }
  }

  charge(gas: number): void {
    this.#gasUsed += gas;
    if (this.#gasUsed > this.#gasLimit) throw new FailureSignal('out of gas');
  }

  chargeItems(count: number): void {
    this.charge(count * GAS.loopItem);
  }

  get storage(): FieldAccessors<StorageFields> {
    this.#storage ??= bindStorage(this, this.#module.definition.storage);
    return this.#storage;
  }

  read(slot: bigint): bigint {
    this.charge(GAS.read);
    return this.#host.state.getStorage(this.self, slot);
  }

  write(slot: bigint, word: bigint): void {
    this.writeTo(this.self, slot, word);
  }

  writeTo(address: Address, slot: bigint, word: bigint): void {
    this.#requireWritable();
    const { state } = this.#host;
    const current = state.getStorage(address, slot);
    if (current === word) {
      this.charge(GAS.writeAgain);
      return;
    }
    const original = state.getOriginalStorage(address, slot);
    this.charge(original !== current ? GAS.writeAgain : original === 0n ? GAS.writeNew : GAS.writeChange);
    state.setStorage(address, slot, word);
  }

  #requireWritable(): void {
    if (this.#mayWrite) return;
    // A view that writes is a mistake in the module; a static call of a function that writes is its caller's.
    if (!this.#message.isStatic) throw new Error(`a view of ${this.#module.definition.name} writes`);
    throw new FailureSignal('write protection');
  }

  peek<Other extends StorageFields>(address: Address, fields: Other): FieldReaders<Other> {
    return readStorage(new OtherSlots(this, this.#host, address), fields);
  }

  hash(data: Uint8Array): Uint8Array {
    this.charge(GAS.hash + GAS.hashWord * Math.ceil(data.length / 32));
    return this.#module.suite.hash(data);
  }

  isPublicKey(key: Uint8Array): boolean {
    this.charge(GAS.publicKey);
    return key.length === COMPRESSED_KEY_BYTES && this.#module.suite.addressOf(key) !== undefined;
  }

  verifySignature(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    this.charge(GAS.signature + GAS.hash + GAS.hashWord * Math.ceil(message.length / 32));
    return this.#module.suite.verify(bytesToHex(publicKey), message, signature);
  }

  emit(name: string, values: NamedValues<readonly AbiParameter[]>): void {
    this.#requireWritable();
    const { topics, data } = this.#module.abi.event(name as never).encode(values as never);
    this.charge(GAS.log + topics.length * GAS.logTopic + data.length * GAS.logByte);
    this.#host.state.addLog({ address: this.self, topics, data });
  }

  error(name: string, values: NamedValues<readonly AbiParameter[]>): RevertSignal {
    const codec = this.#module.abi.error(name as never) as unknown as CustomErrorCodec;
    const byName = values as Readonly<Record<string, unknown>>;
    const list = codec.item.inputs.map((input) => byName[input.name ?? '']);
    return new RevertSignal(codec.encode(list as ParameterValues<readonly AbiParameter[]>));
  }

  reason(text: string): RevertSignal {
    return new RevertSignal(encodeErrorReason(text));
  }

  createInstance<Other extends StorageFields>(module: InstanceModule<Other>, instance: bigint) {
    this.#requireWritable();
    const { number, name } = this.#module.definition;
    if (module.number !== number) throw new Error(`${name} may not create an instance of ${module.name}`);
    const address = instanceAddress(number, instance);
    const { state } = this.#host;
    if (state.getCode(address).length !== 0) throw new Error(`${address} is in use`);
    const marker = encodeMarker(module);
    this.charge(GAS.create + GAS.createByte * marker.length);
    state.setCode(address, marker);
    return { address, storage: bindStorage(new OtherSlots(this, this.#host, address), module.storage) };
  }

  call(
    to: Address,
    input: Uint8Array,
    options: { readonly gas?: bigint; readonly isStatic?: boolean } = {},
  ): CallResult {
    const isStatic = options.isStatic === true || this.#message.isStatic || !this.#mayWrite;
    this.charge(GAS.call);
    if (this.#message.depth >= MAX_CALL_DEPTH) {
      return { status: 'revert', gasLeft: 0n, output: NO_BYTES, error: 'max call depth exceeded' };
    }
    const left = BigInt(this.#gasLimit - this.#gasUsed);
    const most = left - left / 64n;
    const gas = options.gas !== undefined && options.gas < most ? options.gas : most;
    const result = this.#host.call({
      kind: isStatic ? 'staticcall' : 'call',
      caller: this.self,
      to,
      codeAddress: to,
      value: 0n,
      input,
      gas,
      isStatic,
      depth: this.#message.depth + 1,
    });
    this.charge(Number(gas - result.gasLeft));
    return result;
  }
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** Another account's slots, metered by the frame that uses them. */
class OtherSlots implements SlotReader, SlotAccess {
  readonly hasher: SlotHasher;
  readonly #frame: ModuleFrame;
  readonly #host: Host;
  readonly #address: Address;

  constructor(frame: ModuleFrame, host: Host, address: Address) {
    this.hasher = frame.hasher;
    this.#frame = frame;
    this.#host = host;
    this.#address = address;
  }

  read(slot: bigint): bigint {
    this.#frame.charge(GAS.read);
    return this.#host.state.getStorage(this.#address, slot);
  }

  write(slot: bigint, word: bigint): void {
    this.#frame.writeTo(this.#address, slot, word);
  }
}
