import { emptyTrieRoot, type Suite } from '@hanse/protocol';
import type { StateBase } from './stateOverlay.ts';

/** The state without accounts, which a genesis block is made on. */
export function emptyState(suite: Suite): StateBase {
  return {
    stateRoot: emptyTrieRoot(suite),
    account: () => undefined,
    storage: () => 0n,
    code: (codeHash) => {
      if (codeHash === suite.hashHex(new Uint8Array(0))) return new Uint8Array(0);
      throw new Error(`There is no code ${codeHash} in the empty state.`);
    },
    accountTrieNode: () => undefined,
    storageTrieNode: () => undefined,
  };
}
