import { bigintToBytes, bigintToFixedBytes, bytesToBigint, bytesToHex, EMPTY_BYTES, hexToBytes } from './bytes.ts';
import { ProtocolError } from './errors.ts';
import { SECP256K1_ORDER } from './internationalSuite.ts';
import { decodeRlp, encodeRlp, RlpFields, type RlpItem } from './rlp.ts';
import type { Suite } from './suite.ts';
import type { Address, Hash } from './types.ts';

/** One account of an access list, and the slots of it (EIP-2930). */
export interface AccessListItem {
  readonly address: Address;
  readonly storageKeys: readonly Hash[];
}

/** The envelope types of this chain: legacy, EIP-2930 and EIP-1559. */
export type TransactionType = 0 | 1 | 2;

/** What a sender decides; the part of a transaction that its signature covers. */
export interface UnsignedTransaction {
  readonly type: TransactionType;
  /** Undefined only for a legacy transaction without replay protection (before EIP-155). */
  readonly chainId: bigint | undefined;
  readonly nonce: bigint;
  readonly gasLimit: bigint;
  /** For types 0 and 1 both are gasPrice. */
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
  /** Undefined creates a contract. */
  readonly to: Address | undefined;
  readonly value: bigint;
  readonly data: Uint8Array;
  readonly accessList: readonly AccessListItem[];
}

export interface TransactionSignature {
  readonly r: bigint;
  readonly s: bigint;
  readonly yParity: 0 | 1;
}

/** A decoded transaction of type 0 (legacy), 1 (EIP-2930) or 2 (EIP-1559) with a well-formed, unproved signature. */
export interface Transaction extends UnsignedTransaction {
  readonly signature: TransactionSignature;
  /** The transaction's hash by the suite, over `raw`. */
  readonly hash: Hash;
  /** The canonical EIP-2718 encoding. */
  readonly raw: Uint8Array;
}

/** A transaction whose signature was verified; only `recoverSender` and storage make them. */
export interface SignedTransaction extends Transaction {
  readonly sender: Address;
}

/** The largest encoding that any network accepts; a network's own limit (genesis) may only be smaller. */
export const MAX_TRANSACTION_BYTES = 131_072;

const HALF_ORDER = SECP256K1_ORDER >> 1n;
const fields = new RlpFields('invalid-transaction', 'transaction');

/**
 * Decodes one EIP-2718 envelope, strictly: canonical RLP, integers without leading zeros, r and s in range, low s
 * (EIP-2). Whatever decodes re-encodes to the same bytes. The chain id is not compared here. Throws a ProtocolError:
 * `too-large`, `unsupported-type`, `invalid-rlp`, `invalid-transaction`, `invalid-signature`, `high-s`.
 */
export function decodeTransaction(raw: Uint8Array, suite: Suite): Transaction {
  if (raw.length > MAX_TRANSACTION_BYTES) {
    throw new ProtocolError('too-large', `a transaction of ${raw.length} bytes is over ${MAX_TRANSACTION_BYTES}`);
  }
  if (raw.length === 0) throw new ProtocolError('invalid-transaction', 'the transaction is empty');
  // A copy of its own, so that `data` does not keep a whole network frame alive and nobody changes it afterwards.
  const own = new Uint8Array(raw);
  const first = own[0]!;
  // EIP-2718: 0xc0 and above is a legacy transaction, which is a bare RLP list; below 0x80 is an envelope's type.
  const type = first >= 0xc0 ? 0 : first;
  if (first >= 0x80 && first < 0xc0) {
    throw new ProtocolError('invalid-transaction', 'the transaction is neither a list nor a typed envelope');
  }
  if (!suite.transactionTypes.has(type) || (type === 0 && first === 0)) throw unsupportedType(type);
  const hash = suite.hashHex(own);
  if (type === 0) return readLegacy(decodeRlp(own), hash, own);
  const payload = decodeRlp(own.subarray(1));
  if (type === 1) return readAccessListTransaction(payload, hash, own);
  if (type === 2) return readFeeMarketTransaction(payload, hash, own);
  throw unsupportedType(type);
}

function unsupportedType(type: number): ProtocolError {
  if (type === 3)
    return new ProtocolError('unsupported-type', 'blob transactions (type 3) are not accepted on this chain');
  if (type === 4) {
    return new ProtocolError('unsupported-type', 'EIP-7702 transactions (type 4) are not accepted on this chain');
  }
  return new ProtocolError('unsupported-type', `transaction type ${type} is not supported`);
}

function readLegacy(item: RlpItem, hash: Hash, raw: Uint8Array): Transaction {
  const items = fields.list(item, 'legacy payload', 9);
  const gasPrice = fields.bigint(items[1], 'gasPrice', 32);
  const { chainId, yParity } = readLegacyV(fields.bigint(items[6], 'v', 32));
  return {
    type: 0,
    chainId,
    nonce: fields.bigint(items[0], 'nonce', 8),
    gasLimit: fields.bigint(items[2], 'gasLimit', 8),
    maxFeePerGas: gasPrice,
    maxPriorityFeePerGas: gasPrice,
    to: readTo(items[3]),
    value: fields.bigint(items[4], 'value', 32),
    data: fields.bytes(items[5], 'data'),
    accessList: [],
    signature: readSignature(items[7], items[8], yParity),
    hash,
    raw,
  };
}

/** EIP-155: v is 27 or 28 without replay protection, else chainId * 2 + 35 or 36. */
function readLegacyV(v: bigint): { chainId: bigint | undefined; yParity: 0 | 1 } {
  if (v === 27n || v === 28n) return { chainId: undefined, yParity: v === 28n ? 1 : 0 };
  if (v < 35n) throw new ProtocolError('invalid-signature', `transaction: v is ${v}, which no rule allows`);
  return { chainId: (v - 35n) / 2n, yParity: (v - 35n) % 2n === 1n ? 1 : 0 };
}

function readAccessListTransaction(item: RlpItem, hash: Hash, raw: Uint8Array): Transaction {
  const items = fields.list(item, 'type 1 payload', 11);
  const gasPrice = fields.bigint(items[2], 'gasPrice', 32);
  return {
    type: 1,
    chainId: fields.bigint(items[0], 'chainId', 32),
    nonce: fields.bigint(items[1], 'nonce', 8),
    gasLimit: fields.bigint(items[3], 'gasLimit', 8),
    maxFeePerGas: gasPrice,
    maxPriorityFeePerGas: gasPrice,
    to: readTo(items[4]),
    value: fields.bigint(items[5], 'value', 32),
    data: fields.bytes(items[6], 'data'),
    accessList: readAccessList(items[7]),
    signature: readSignature(items[9], items[10], readParity(items[8])),
    hash,
    raw,
  };
}

function readFeeMarketTransaction(item: RlpItem, hash: Hash, raw: Uint8Array): Transaction {
  const items = fields.list(item, 'type 2 payload', 12);
  return {
    type: 2,
    chainId: fields.bigint(items[0], 'chainId', 32),
    nonce: fields.bigint(items[1], 'nonce', 8),
    gasLimit: fields.bigint(items[4], 'gasLimit', 8),
    maxFeePerGas: fields.bigint(items[3], 'maxFeePerGas', 32),
    maxPriorityFeePerGas: fields.bigint(items[2], 'maxPriorityFeePerGas', 32),
    to: readTo(items[5]),
    value: fields.bigint(items[6], 'value', 32),
    data: fields.bytes(items[7], 'data'),
    accessList: readAccessList(items[8]),
    signature: readSignature(items[10], items[11], readParity(items[9])),
    hash,
    raw,
  };
}

function readTo(item: RlpItem | undefined): Address | undefined {
  const bytes = fields.bytes(item, 'to');
  return bytes.length === 0 ? undefined : fields.address(bytes, 'to');
}

function readAccessList(item: RlpItem | undefined): AccessListItem[] {
  return fields.list(item, 'accessList').map((entry) => {
    const pair = fields.list(entry, 'accessList entry', 2);
    return {
      address: fields.address(pair[0], 'accessList address'),
      storageKeys: fields.list(pair[1], 'accessList storageKeys').map((key) => fields.hash(key, 'accessList key')),
    };
  });
}

function readParity(item: RlpItem | undefined): 0 | 1 {
  const parity = fields.bigint(item, 'yParity', 32);
  if (parity > 1n) throw new ProtocolError('invalid-signature', 'transaction: yParity must be 0 or 1');
  return parity === 1n ? 1 : 0;
}

function readSignature(rItem: RlpItem | undefined, sItem: RlpItem | undefined, yParity: 0 | 1): TransactionSignature {
  const r = fields.bigint(rItem, 'r', 32);
  const s = fields.bigint(sItem, 's', 32);
  if (r === 0n || r >= SECP256K1_ORDER) throw new ProtocolError('invalid-signature', 'transaction: r is out of range');
  if (s === 0n || s >= SECP256K1_ORDER) throw new ProtocolError('invalid-signature', 'transaction: s is out of range');
  // EIP-2: the same signature with the other s would give the transaction a second hash.
  if (s > HALF_ORDER) throw new ProtocolError('high-s', 'transaction: s is in the upper half of the range');
  return { r, s, yParity };
}

/** The canonical EIP-2718 encoding of a transaction's fields and signature; the inverse of `decodeTransaction`. */
export function encodeTransaction(transaction: UnsignedTransaction, signature: TransactionSignature): Uint8Array {
  const { yParity } = signature;
  const v = transaction.type === 0 ? legacyV(transaction.chainId, yParity) : BigInt(yParity);
  const tail = [bigintToBytes(v), bigintToBytes(signature.r), bigintToBytes(signature.s)];
  return envelope(transaction.type, [...payloadFields(transaction), ...tail]);
}

function legacyV(chainId: bigint | undefined, yParity: 0 | 1): bigint {
  return chainId === undefined ? 27n + BigInt(yParity) : chainId * 2n + 35n + BigInt(yParity);
}

function envelope(type: TransactionType, payload: readonly RlpItem[]): Uint8Array {
  const encoded = encodeRlp(payload);
  if (type === 0) return encoded;
  const result = new Uint8Array(1 + encoded.length);
  result[0] = type;
  result.set(encoded, 1);
  return result;
}

/** The fields in the order of the type's payload, without the signature. */
function payloadFields(transaction: UnsignedTransaction): RlpItem[] {
  const { type, chainId } = transaction;
  if (type !== 0 && chainId === undefined) throw new TypeError(`a transaction of type ${type} needs a chain id`);
  const common = [
    bigintToBytes(transaction.gasLimit),
    transaction.to === undefined ? EMPTY_BYTES : hexToBytes(transaction.to),
    bigintToBytes(transaction.value),
    transaction.data,
  ];
  const nonce = bigintToBytes(transaction.nonce);
  const maxFee = bigintToBytes(transaction.maxFeePerGas);
  if (type === 0) return [nonce, maxFee, ...common];
  const head = [bigintToBytes(chainId!), nonce];
  const accessList = transaction.accessList.map((entry) => [
    hexToBytes(entry.address),
    entry.storageKeys.map(hexToBytes),
  ]);
  if (type === 1) return [...head, maxFee, ...common, accessList];
  return [...head, bigintToBytes(transaction.maxPriorityFeePerGas), maxFee, ...common, accessList];
}

/** The 32-byte hash that the sender signs (EIP-155 for legacy transactions with a chain id, EIP-2930, EIP-1559). */
export function signingHash(transaction: UnsignedTransaction, suite: Suite): Uint8Array {
  const payload = payloadFields(transaction);
  if (transaction.type === 0 && transaction.chainId !== undefined) {
    payload.push(bigintToBytes(transaction.chainId), EMPTY_BYTES, EMPTY_BYTES);
  }
  return suite.hash(envelope(transaction.type, payload));
}

/** Signs with a 32-byte private key. Throws if the key is invalid or a field cannot be encoded: programming errors. */
export function signTransaction(
  transaction: UnsignedTransaction,
  privateKey: Uint8Array,
  suite: Suite,
): SignedTransaction {
  const { signature, recovery } = suite.primitives.secp256k1Sign(signingHash(transaction, suite), privateKey);
  const r = bytesToBigint(signature.subarray(0, 32));
  const s = bytesToBigint(signature.subarray(32));
  const raw = encodeTransaction(transaction, { r, s, yParity: recovery });
  const sender = suite.addressOf(suite.primitives.secp256k1PublicKey(privateKey, false))!;
  // Decoding again proves that what goes out is what every other member accepts.
  return { ...decodeTransaction(raw, suite), sender };
}

/** The account whose key signed, or undefined if the signature recovers to no public key. */
export function recoverSender(transaction: Transaction, suite: Suite): Address | undefined {
  const { r, s, yParity } = transaction.signature;
  const signature = new Uint8Array(64);
  signature.set(bigintToFixedBytes(r, 32), 0);
  signature.set(bigintToFixedBytes(s, 32), 32);
  const publicKey = suite.primitives.secp256k1Recover(signingHash(transaction, suite), signature, yParity);
  if (publicKey === undefined) return undefined;
  return bytesToHex(suite.hash(publicKey.subarray(1)).subarray(12));
}
