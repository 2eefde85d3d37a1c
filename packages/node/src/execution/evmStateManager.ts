import type { AccountFields, StateManagerInterface } from '@ethereumjs/common';
import {
  Account,
  bytesToHex,
  type Address as EVMAddress,
  hexToBytes,
  KECCAK256_NULL,
  KECCAK256_RLP,
} from '@ethereumjs/util';
import { type Address, bigintToBytes, bytesToBigint, equalBytes, type Hash, type Suite } from '@hanse/protocol';
import { assertExecution, InternalExecutionError } from './internalExecutionError.ts';
import type { JournaledState } from './journaledState.ts';

const noBytes = new Uint8Array(0);
/** Any root but that of the empty trie: it tells the EVM that there is storage (EIP-7610). */
const someStorageRoot = new Uint8Array(32).fill(1);
const maxCachedCodeHashes = 4_096;

/** Shows our synchronous world state to `@ethereumjs/evm` as its state manager. Its only state is the stack of checkpoints. */
export class EVMStateManager implements StateManagerInterface {
  readonly #suite: Suite;
  #state: JournaledState | undefined;
  #checkpoints: number[] = [];
  /** Keccak hashes of code by the suite's hash of it; used only where the two differ. */
  readonly #keccakCodeHashes = new Map<Hash, Uint8Array>();

  readonly originalStorageCache = {
    get: async (address: EVMAddress, key: Uint8Array): Promise<Uint8Array> =>
      wordToBytes(this.#world.getOriginalStorage(hexOf(address), bytesToBigint(key))),
    clear: (): void => {},
  };

  constructor(suite: Suite) {
    this.#suite = suite;
  }

  /** Turns to the state of the next transaction. */
  attach(state: JournaledState): void {
    this.#state = state;
    this.#checkpoints = [];
  }

  /** Lets go of the state; every checkpoint must have been closed. */
  detach(): void {
    assertExecution(this.#checkpoints.length === 0, 'the EVM left a checkpoint open');
    this.#state = undefined;
  }

  async getAccount(address: EVMAddress): Promise<Account | undefined> {
    const state = this.#world;
    const hex = hexOf(address);
    const nonce = state.getNonce(hex);
    const balance = state.getBalance(hex);
    const codeHash = this.#keccakCodeHash(hex);
    if (nonce === 0n && equalBytes(codeHash, KECCAK256_NULL)) {
      // Only a creation looks at the storage root, and only for whether there is any storage (EIP-7610); an account with
      // code or a nonce collides anyway.
      if (state.hasStorage(hex)) return new Account(nonce, balance, someStorageRoot, codeHash);
      if (balance === 0n) return undefined;
    }
    return new Account(nonce, balance, KECCAK256_RLP, codeHash);
  }

  async putAccount(address: EVMAddress, account?: Account): Promise<void> {
    if (account === undefined) throw unused('putAccount without an account');
    await this.modifyAccountFields(address, { nonce: account.nonce, balance: account.balance });
  }

  /** Accounts are removed by `JournaledState.destroy` when their transaction ends. */
  async deleteAccount(): Promise<void> {
    throw unused('deleteAccount');
  }

  /** The EVM sets code by `putCode` and never sets a storage root, so nonce and balance are all there is. */
  async modifyAccountFields(address: EVMAddress, fields: AccountFields): Promise<void> {
    const state = this.#world;
    const hex = hexOf(address);
    if (fields.nonce !== undefined && fields.nonce !== state.getNonce(hex)) state.setNonce(hex, fields.nonce);
    // Written even if equal: it touches the account, and a touched account that is empty goes (EIP-161).
    if (fields.balance !== undefined) state.setBalance(hex, fields.balance);
  }

  async putCode(address: EVMAddress, code: Uint8Array): Promise<void> {
    this.#world.setCode(hexOf(address), code);
  }

  async getCode(address: EVMAddress): Promise<Uint8Array> {
    return this.#world.getCode(hexOf(address));
  }

  async getCodeSize(address: EVMAddress): Promise<number> {
    return this.#world.getCode(hexOf(address)).length;
  }

  /** A word without leading zeros; empty for zero, as the EVM expects it. */
  async getStorage(address: EVMAddress, key: Uint8Array): Promise<Uint8Array> {
    return wordToBytes(this.#world.getStorage(hexOf(address), bytesToBigint(key)));
  }

  async putStorage(address: EVMAddress, key: Uint8Array, value: Uint8Array): Promise<void> {
    this.#world.setStorage(hexOf(address), bytesToBigint(key), bytesToBigint(value));
  }

  /** The EVM calls this for the account that it is about to create, which has no storage: one that has collides (EIP-7610). */
  async clearStorage(address: EVMAddress): Promise<void> {
    this.#world.markCreated(hexOf(address));
  }

  async checkpoint(): Promise<void> {
    this.#checkpoints.push(this.#world.snapshot());
  }

  async commit(): Promise<void> {
    assertExecution(this.#checkpoints.pop() !== undefined, 'the EVM committed a checkpoint that it never set');
  }

  async revert(): Promise<void> {
    const snapshot = this.#checkpoints.pop();
    assertExecution(snapshot !== undefined, 'the EVM reverted to a checkpoint that it never set');
    this.#world.revertTo(snapshot);
  }

  // The EVM asks for none of the following; roots are computed once per block by `commitState`.

  async getStateRoot(): Promise<Uint8Array> {
    throw unused('getStateRoot');
  }

  async setStateRoot(): Promise<void> {
    throw unused('setStateRoot');
  }

  async hasStateRoot(): Promise<boolean> {
    throw unused('hasStateRoot');
  }

  clearCaches(): void {}

  shallowCopy(): StateManagerInterface {
    throw unused('shallowCopy');
  }

  get #world(): JournaledState {
    assertExecution(this.#state !== undefined, 'the EVM ran without a state');
    return this.#state;
  }

  /** EXTCODEHASH is Keccak in both suites, so that compiled contracts keep working. */
  #keccakCodeHash(address: Address): Uint8Array {
    const state = this.#world;
    const codeHash = state.getCodeHash(address);
    if (this.#suite.id === 'international') return hexToBytes(codeHash);
    let keccak = this.#keccakCodeHashes.get(codeHash);
    if (keccak === undefined) {
      const code = state.getCode(address);
      keccak = code.length === 0 ? KECCAK256_NULL : this.#suite.keccak256(code);
      if (this.#keccakCodeHashes.size >= maxCachedCodeHashes) this.#keccakCodeHashes.clear();
      this.#keccakCodeHashes.set(codeHash, keccak);
    }
    return keccak;
  }
}

function hexOf(address: EVMAddress): Address {
  return bytesToHex(address.bytes) as Address;
}

function wordToBytes(word: bigint): Uint8Array {
  return word === 0n ? noBytes : bigintToBytes(word);
}

function unused(method: string): InternalExecutionError {
  return new InternalExecutionError(`the EVM asked for ${method}, which it is not known to need`);
}
