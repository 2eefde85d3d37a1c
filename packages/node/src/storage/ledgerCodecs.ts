import {
  type Address,
  bigintToBytes,
  bytesToHex,
  bytesToNumber,
  concatBytes,
  decodeHeader,
  decodeProposal,
  decodeRlp,
  decodeTransaction,
  EMPTY_BYTES,
  encodableLogs,
  encodeHeader,
  encodeProposal,
  encodeRlp,
  type Hash,
  type Header,
  Height,
  hexToBytes,
  numberToBytes,
  numberToFixedBytes,
  type Proposal,
  RlpFields,
  readLogs,
  type SignedTransaction,
  type StoredReceipt,
  type Suite,
} from '@hanse/protocol';

// The values of the ledger's tables (tables.ts). A golden hash in the test freezes each; a change is a new LEDGER_FORMAT.

const HASH_BYTES = 32;

/** The newest finalized block. */
export interface Head {
  readonly height: Height;
  readonly hash: Hash;
  readonly stateRoot: Hash;
}

export function encodeHead(head: Head): Uint8Array {
  return concatBytes(heightKey(head.height), hexToBytes(head.hash), hexToBytes(head.stateRoot));
}

export function decodeHead(bytes: Uint8Array): Head {
  return {
    height: decodeHeight(bytes.subarray(0, 8)),
    hash: bytesToHex(bytes.subarray(8, 8 + HASH_BYTES)),
    stateRoot: bytesToHex(bytes.subarray(8 + HASH_BYTES)),
  };
}

/** Keys and values that are heights: 8 bytes, so that they sort by number. */
export function heightKey(height: Height): Uint8Array {
  return numberToFixedBytes(height, 8);
}

export function decodeHeight(bytes: Uint8Array): Height {
  return Height(bytesToNumber(bytes));
}

export function encodeStoredHeader(header: Header, hash: Hash): Uint8Array {
  return concatBytes(hexToBytes(hash), encodeHeader(header));
}

export function decodeStoredHeader(bytes: Uint8Array): { header: Header; hash: Hash } {
  return { hash: bytesToHex(bytes.subarray(0, HASH_BYTES)), header: decodeHeader(bytes.subarray(HASH_BYTES)) };
}

export function encodeStoredProposal(proposal: Proposal, digest: Hash): Uint8Array {
  return concatBytes(hexToBytes(digest), encodeProposal(proposal));
}

export function decodeStoredProposal(bytes: Uint8Array): { proposal: Proposal; digest: Hash } {
  return { digest: bytesToHex(bytes.subarray(0, HASH_BYTES)), proposal: decodeProposal(storedProposalEncoding(bytes)) };
}

export function storedProposalEncoding(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(HASH_BYTES);
}

/** Where a transaction is. */
export interface TransactionPlace {
  readonly height: Height;
  readonly index: number;
}

export function encodePlace({ height, index }: TransactionPlace): Uint8Array {
  return concatBytes(heightKey(height), numberToFixedBytes(index, 4));
}

export function decodePlace(bytes: Uint8Array): TransactionPlace {
  return { height: decodeHeight(bytes.subarray(0, 8)), index: bytesToNumber(bytes.subarray(8)) };
}

const bodyFields = new RlpFields('invalid-transaction', 'stored body');

export function encodeBody(
  transactions: readonly { readonly raw: Uint8Array; readonly sender: Address }[],
): Uint8Array {
  return encodeRlp(transactions.map(({ raw, sender }) => [raw, hexToBytes(sender)]));
}

/** The senders were proved before they were stored; they are not recovered again. */
export function decodeBody(bytes: Uint8Array, suite: Suite): SignedTransaction[] {
  return [...iterateBody(bytes, suite)];
}

/** One at a time, for a thread that must not be kept: a full block takes 50 ms. */
export function* iterateBody(bytes: Uint8Array, suite: Suite): Generator<SignedTransaction, void> {
  for (const item of bodyFields.list(decodeRlp(bytes), 'transactions')) {
    const [raw, sender] = bodyFields.list(item, 'transaction', 2);
    yield {
      ...decodeTransaction(bodyFields.bytes(raw, 'encoding'), suite),
      sender: bodyFields.address(sender, 'sender'),
    };
  }
}

/** The encodings alone, copied out: of a full block in 4 ms, where decoding its transactions takes 190 ms. */
export function decodeBodyEncodings(bytes: Uint8Array): Uint8Array[] {
  return bodyFields
    .list(decodeRlp(bytes), 'transactions')
    .map((item) => bodyFields.bytes(bodyFields.list(item, 'transaction', 2)[0], 'encoding').slice());
}

const receiptFields = new RlpFields('invalid-receipt', 'stored receipt');

export function encodeStoredReceipts(receipts: readonly StoredReceipt[]): Uint8Array {
  return encodeRlp(
    receipts.map((receipt) => [
      numberToBytes(receipt.type),
      numberToBytes(receipt.success ? 1 : 0),
      bigintToBytes(receipt.cumulativeGasUsed),
      encodableLogs(receipt.logs),
      bigintToBytes(receipt.gasUsed),
      bigintToBytes(receipt.effectiveGasPrice),
      receipt.contractAddress === undefined ? EMPTY_BYTES : hexToBytes(receipt.contractAddress),
      receipt.revertData,
    ]),
  );
}

export function decodeStoredReceipts(bytes: Uint8Array): StoredReceipt[] {
  return [...iterateStoredReceipts(bytes)];
}

/** One at a time, as `iterateBody`. */
export function* iterateStoredReceipts(bytes: Uint8Array): Generator<StoredReceipt, void> {
  for (const item of receiptFields.list(decodeRlp(bytes), 'receipts')) {
    const [type, success, cumulativeGasUsed, logs, gasUsed, effectiveGasPrice, contractAddress, revertData] =
      receiptFields.list(item, 'receipt', 8);
    const created = receiptFields.bytes(contractAddress, 'contractAddress');
    yield {
      type: receiptFields.number(type, 'type'),
      success: receiptFields.number(success, 'success') === 1,
      cumulativeGasUsed: receiptFields.bigint(cumulativeGasUsed, 'cumulativeGasUsed', 8),
      logs: readLogs(logs),
      gasUsed: receiptFields.bigint(gasUsed, 'gasUsed', 8),
      effectiveGasPrice: receiptFields.bigint(effectiveGasPrice, 'effectiveGasPrice', 32),
      ...(created.length === 0 ? {} : { contractAddress: receiptFields.address(created, 'contractAddress') }),
      revertData: receiptFields.bytes(revertData, 'revertData').slice(),
    };
  }
}
