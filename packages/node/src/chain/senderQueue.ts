import type { SignedTransaction } from '@hanse/protocol';

/** A transaction that waits, and when it came: `arrival` orders, `receivedAtMs` ages. */
export interface PoolEntry {
  readonly transaction: SignedTransaction;
  readonly arrival: number;
  readonly receivedAtMs: number;
}

/** The waiting transactions of one sender by nonce; those from `nextNonce` on without a gap can run, the rest are queued. */
export class SenderQueue {
  readonly entries = new Map<bigint, PoolEntry>();
  /** The account's nonce in the newest finalized state. */
  nextNonce: bigint;

  constructor(nextNonce: bigint) {
    this.nextNonce = nextNonce;
  }

  get size(): number {
    return this.entries.size;
  }

  /** The first nonce that no waiting transaction without a gap uses: what `eth_getTransactionCount("pending")` says. */
  pendingNonce(): bigint {
    let nonce = this.nextNonce;
    while (this.entries.has(nonce)) nonce += 1n;
    return nonce;
  }

  /** The entry with the highest nonce: the one that nobody else waits for. */
  last(): PoolEntry | undefined {
    let highest: PoolEntry | undefined;
    for (const entry of this.entries.values()) {
      if (highest === undefined || entry.transaction.nonce > highest.transaction.nonce) highest = entry;
    }
    return highest;
  }

  /** Moves to the account's new nonce and removes what it has overtaken. */
  advanceTo(nonce: bigint): readonly PoolEntry[] {
    this.nextNonce = nonce;
    const overtaken: PoolEntry[] = [];
    for (const [key, entry] of this.entries) {
      if (key >= nonce) continue;
      overtaken.push(entry);
      this.entries.delete(key);
    }
    return overtaken;
  }
}
