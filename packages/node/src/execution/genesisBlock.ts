import {
  type Address,
  bytesToBigint,
  bytesToHex,
  constantHeaderFields,
  emptyHashes,
  type Genesis,
  genesisDocumentHash,
  type Hash,
  type Header,
  Height,
  headerHash,
  hexToBytes,
  logsBloom,
  type Suite,
  type WorldState,
  ZERO_ADDRESS,
  ZERO_HASH,
} from '@hanse/protocol';
import { emptyState } from '../storage/emptyState.ts';
import type { StateKeys } from '../storage/stateKeys.ts';
import type { StateChanges } from '../storage/stateOverlay.ts';
import { assertExecution } from './internalExecutionError.ts';
import { JournaledState } from './journaledState.ts';
import { commitState } from './stateCommit.ts';

/** Who puts the modules' code and first state into the genesis. */
export interface GenesisInitializer {
  initializeGenesis(state: WorldState, genesis: Genesis): void;
}

export interface GenesisBlock {
  readonly header: Header;
  readonly hash: Hash;
  readonly stateChanges: StateChanges;
}

/**
 * Makes block 0 of a network from its document: the accounts of `alloc`, then the modules. `extraData` is the hash of the
 * document, so that the block's hash stands for every field of it. Throws if `alloc` contradicts a rule of the chain.
 */
export function buildGenesisBlock(
  genesis: Genesis,
  suite: Suite,
  { modules, keys }: { readonly modules: GenesisInitializer; readonly keys: StateKeys },
): GenesisBlock {
  const base = emptyState(suite);
  const state = new JournaledState(base, suite);
  state.beginTransaction();
  for (const [address, allocation] of Object.entries(genesis.alloc)) {
    allocate(state, address.toLowerCase() as Address, allocation);
  }
  modules.initializeGenesis(state, genesis);
  assertExecution(state.finishTransaction().length === 0, 'the genesis emitted a log, which no receipt can hold');
  const stateChanges = commitState(base, state.changes(), suite, keys);
  const header: Header = {
    ...constantHeaderFields(suite),
    parentHash: ZERO_HASH,
    beneficiary: ZERO_ADDRESS,
    stateRoot: stateChanges.stateRoot,
    transactionsRoot: emptyHashes(suite).trieRoot,
    receiptsRoot: emptyHashes(suite).trieRoot,
    logsBloom: bytesToHex(logsBloom(suite, [])),
    number: Height(0),
    gasLimit: BigInt(genesis.parameters.blockGasLimit),
    gasUsed: 0n,
    timestamp: Math.floor(genesis.timeMs / 1000),
    extraData: genesisDocumentHash(suite, genesis),
    mixHash: ZERO_HASH,
    baseFeePerGas: BigInt(genesis.parameters.minGasPrice),
  };
  return { header, hash: headerHash(suite, header), stateChanges };
}

function allocate(state: WorldState, address: Address, allocation: Genesis['alloc'][Address]): void {
  const code = allocation.code === undefined ? undefined : hexToBytes(allocation.code);
  // EIP-3541 keeps every later contract from beginning so; the prefix is for the modules' marker code.
  if (code?.[0] === 0xef) throw new RangeError(`alloc ${address}: code must not begin with 0xef (EIP-3541)`);
  const slots = Object.entries(allocation.storage ?? {});
  if (slots.length > 0 && (code === undefined || code.length === 0)) {
    throw new RangeError(`alloc ${address}: an account without code must not have storage (EIP-7610)`);
  }
  if (allocation.balance !== undefined) state.setBalance(address, BigInt(allocation.balance));
  if (allocation.nonce !== undefined) state.setNonce(address, BigInt(allocation.nonce));
  if (code !== undefined && code.length > 0) state.setCode(address, code);
  for (const [slot, word] of slots) {
    state.setStorage(address, bytesToBigint(hexToBytes(slot)), bytesToBigint(hexToBytes(word)));
  }
}
