import { type Address, bytesToHex, type Hash, type Keccak256, type Log, type WorldState } from '@hanse/protocol';

/** A small world state for the modules' tests: everything in maps, every write with its undo. */
export class MemoryState implements WorldState {
  readonly logs: Log[] = [];
  readonly #hasher: Keccak256;
  readonly #codes = new Map<Address, Uint8Array>();
  readonly #slots = new Map<string, bigint>();
  readonly #originals = new Map<string, bigint>();
  #undo: (() => void)[] = [];

  constructor(hasher: Keccak256) {
    this.#hasher = hasher;
  }

  /** From here on the words of now are the original ones. */
  beginTransaction(): void {
    this.#undo = [];
    this.#originals.clear();
    this.logs.length = 0;
  }

  /** All that is not zero, in a fixed order, to compare states. */
  dump(): readonly (readonly [string, string])[] {
    const slots = [...this.#slots].filter(([, word]) => word !== 0n).map(([key, word]) => [key, word.toString(16)]);
    const codes = [...this.#codes].map(([address, code]) => [address, bytesToHex(code)]);
    return [...slots, ...codes].sort() as [string, string][];
  }

  /** As a `StateReader` has it. */
  storage(address: Address, slot: bigint): bigint {
    return this.getStorage(address, slot);
  }

  exists(address: Address): boolean {
    return this.#codes.has(address);
  }
  getNonce(): bigint {
    return 0n;
  }
  setNonce(): void {
    throw new Error('modules set no nonces');
  }
  getBalance(): bigint {
    return 0n;
  }
  setBalance(): void {
    throw new Error('modules move no native coin');
  }
  getCode(address: Address): Uint8Array {
    return this.#codes.get(address) ?? new Uint8Array(0);
  }
  getCodeHash(address: Address): Hash {
    return bytesToHex(this.#hasher.keccak256(this.getCode(address)));
  }
  setCode(address: Address, code: Uint8Array): void {
    const previous = this.#codes.get(address);
    this.#codes.set(address, code);
    this.#undo.push(() => {
      if (previous === undefined) this.#codes.delete(address);
      else this.#codes.set(address, previous);
    });
  }
  getStorage(address: Address, slot: bigint): bigint {
    return this.#slots.get(`${address} ${slot.toString(16)}`) ?? 0n;
  }
  getOriginalStorage(address: Address, slot: bigint): bigint {
    return this.#originals.get(`${address} ${slot.toString(16)}`) ?? this.getStorage(address, slot);
  }
  setStorage(address: Address, slot: bigint, value: bigint): void {
    const key = `${address} ${slot.toString(16)}`;
    const previous = this.getStorage(address, slot);
    if (!this.#originals.has(key)) this.#originals.set(key, previous);
    this.#slots.set(key, value);
    this.#undo.push(() => this.#slots.set(key, previous));
  }
  getTransientStorage(): bigint {
    return 0n;
  }
  setTransientStorage(): void {
    throw new Error('modules use no transient storage');
  }
  addLog(log: Log): void {
    this.logs.push(log);
    this.#undo.push(() => {
      this.logs.pop();
    });
  }
  snapshot(): number {
    return this.#undo.length;
  }
  revertTo(snapshot: number): void {
    while (this.#undo.length > snapshot) this.#undo.pop()!();
  }
}
