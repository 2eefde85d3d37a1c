import type { Header } from './block.ts';
import { bigintToBytes, bytesToHex, EMPTY_BYTES, hexToBytes, numberToBytes, ZERO_HASH } from './bytes.ts';
import { ProtocolError } from './errors.ts';
import { decodeRlp, encodeRlp, RlpFields } from './rlp.ts';
import type { Suite } from './suite.ts';
import { type Hash, Height, type Hex } from './types.ts';

/** More than any header takes; checked before a header from outside is parsed. */
export const MAX_HEADER_BYTES = 1024;

/** EIP-7685: the hash of no requests is SHA-256 of nothing, in every suite, because the chain has no requests. */
export const EMPTY_REQUESTS_HASH: Hash = '0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** The `nonce` field of a header after the merge (EIP-3675). */
export const ZERO_NONCE: Hex = '0x0000000000000000';

/** The hashes of nothing, by the suite. */
export interface EmptyHashes {
  /** H(RLP([])): no ommers. */
  readonly ommers: Hash;
  /** H(RLP('')): the root of a trie without entries. */
  readonly trieRoot: Hash;
  /** H(''): the code hash of an account without code. */
  readonly code: Hash;
}

const emptyHashesBySuite = new WeakMap<Suite, EmptyHashes>();

/** The suite's hashes of nothing, computed once a suite. */
export function emptyHashes(suite: Suite): EmptyHashes {
  let hashes = emptyHashesBySuite.get(suite);
  if (hashes === undefined) {
    hashes = {
      ommers: suite.hashHex(encodeRlp([])),
      trieRoot: suite.hashHex(encodeRlp(EMPTY_BYTES)),
      code: suite.hashHex(EMPTY_BYTES),
    };
    emptyHashesBySuite.set(suite, hashes);
  }
  return hashes;
}

/** The fields that are the same in every header of this chain: no ommers, difficulty, withdrawals, blobs or requests. */
export function constantHeaderFields(suite: Suite) {
  return {
    ommersHash: emptyHashes(suite).ommers,
    difficulty: 0n,
    nonce: ZERO_NONCE,
    withdrawalsRoot: emptyHashes(suite).trieRoot,
    blobGasUsed: 0n,
    excessBlobGas: 0n,
    parentBeaconBlockRoot: ZERO_HASH,
    requestsHash: EMPTY_REQUESTS_HASH,
  } as const satisfies Partial<Header>;
}

/** The RLP of the 21 fields of a Prague header, in the order of the Yellow Paper and the EIPs that added to it. */
export function encodeHeader(header: Header): Uint8Array {
  return encodeRlp([
    hexToBytes(header.parentHash),
    hexToBytes(header.ommersHash),
    hexToBytes(header.beneficiary),
    hexToBytes(header.stateRoot),
    hexToBytes(header.transactionsRoot),
    hexToBytes(header.receiptsRoot),
    hexToBytes(header.logsBloom),
    bigintToBytes(header.difficulty),
    numberToBytes(header.number),
    bigintToBytes(header.gasLimit),
    bigintToBytes(header.gasUsed),
    numberToBytes(header.timestamp),
    hexToBytes(header.extraData),
    hexToBytes(header.mixHash),
    hexToBytes(header.nonce),
    bigintToBytes(header.baseFeePerGas), // EIP-1559
    hexToBytes(header.withdrawalsRoot), // EIP-4895
    bigintToBytes(header.blobGasUsed), // EIP-4844
    bigintToBytes(header.excessBlobGas),
    hexToBytes(header.parentBeaconBlockRoot), // EIP-4788
    hexToBytes(header.requestsHash), // EIP-7685
  ]);
}

/** Reads what `encodeHeader` wrote, canonical; throws `too-large`, `invalid-rlp` or `invalid-header`. */
export function decodeHeader(bytes: Uint8Array): Header {
  if (bytes.length > MAX_HEADER_BYTES) {
    throw new ProtocolError('too-large', `a header of ${bytes.length} bytes is over the limit of ${MAX_HEADER_BYTES}`);
  }
  const fields = new RlpFields('invalid-header', 'header');
  const items = fields.list(decodeRlp(bytes), 'body', 21);
  return {
    parentHash: fields.hash(items[0], 'parentHash'),
    ommersHash: fields.hash(items[1], 'ommersHash'),
    beneficiary: fields.address(items[2], 'beneficiary'),
    stateRoot: fields.hash(items[3], 'stateRoot'),
    transactionsRoot: fields.hash(items[4], 'transactionsRoot'),
    receiptsRoot: fields.hash(items[5], 'receiptsRoot'),
    logsBloom: fields.hex(items[6], 'logsBloom', 256),
    difficulty: fields.bigint(items[7], 'difficulty', 32),
    number: Height(fields.number(items[8], 'number')),
    gasLimit: fields.bigint(items[9], 'gasLimit', 8),
    gasUsed: fields.bigint(items[10], 'gasUsed', 8),
    timestamp: fields.number(items[11], 'timestamp'),
    extraData: bytesToHex(fields.bytes(items[12], 'extraData', 32)),
    mixHash: fields.hash(items[13], 'mixHash'),
    nonce: fields.hex(items[14], 'nonce', 8),
    baseFeePerGas: fields.bigint(items[15], 'baseFeePerGas', 32),
    withdrawalsRoot: fields.hash(items[16], 'withdrawalsRoot'),
    blobGasUsed: fields.bigint(items[17], 'blobGasUsed', 8),
    excessBlobGas: fields.bigint(items[18], 'excessBlobGas', 8),
    parentBeaconBlockRoot: fields.hash(items[19], 'parentBeaconBlockRoot'),
    requestsHash: fields.hash(items[20], 'requestsHash'),
  };
}

/** The block's hash: the suite's hash of the RLP of its header. */
export function headerHash(suite: Suite, header: Header): Hash {
  return suite.hashHex(encodeHeader(header));
}
