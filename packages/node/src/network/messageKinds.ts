/**
 * Kinds of messages between members, 16 bits; the high byte names the part of the node that they belong to. Numbers are
 * part of the wire format: never reuse one.
 */
export const MessageKind = {
  /** Consensus messages, 0x0100 to 0x01ff, are the engine's own. */
  engineFirst: 0x0100,
  engineLast: 0x01ff,
  /** New transactions in full. */
  transactions: 0x0200,
  /** Hashes of transactions that the sender has. */
  transactionHashes: 0x0201,
  /** Request: hashes; response: those of the transactions that the asked member has. */
  fetchTransactions: 0x0202,
  /** Request: a range of heights; response: finalized blocks. */
  blockRange: 0x0300,
} as const;
