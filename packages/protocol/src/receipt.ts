import type { Log, Receipt } from './block.ts';
import { BLOOM_BYTES, type Keccak256, logsBloom } from './bloom.ts';
import { bigintToBytes, EMPTY_BYTES, equalBytes, hexToBytes } from './bytes.ts';
import { decodeRlp, encodeRlp, RlpFields, type RlpItem } from './rlp.ts';

const SUCCESS = Uint8Array.of(1);
const fields = new RlpFields('invalid-receipt', 'receipt');

/**
 * The consensus encoding of a receipt (EIP-658, EIP-2718): RLP([status, cumulativeGasUsed, bloom, logs]), after its
 * type's byte unless legacy. `bloom` saves computing it again; it must be `logsBloom` of the logs.
 */
export function encodeReceipt(
  hasher: Keccak256,
  receipt: Receipt,
  bloom = logsBloom(hasher, receipt.logs),
): Uint8Array {
  const payload = encodeRlp([
    receipt.success ? SUCCESS : EMPTY_BYTES,
    bigintToBytes(receipt.cumulativeGasUsed),
    bloom,
    encodableLogs(receipt.logs),
  ]);
  if (receipt.type === 0) return payload;
  const typed = new Uint8Array(1 + payload.length);
  typed[0] = receipt.type;
  typed.set(payload, 1);
  return typed;
}

/** Reads what `encodeReceipt` wrote, the bloom compared with the logs; throws `invalid-rlp` or `invalid-receipt`. */
export function decodeReceipt(hasher: Keccak256, bytes: Uint8Array): Receipt {
  const first = bytes[0];
  if (first === undefined || first === 0 || (first >= 0x80 && first < 0xc0)) throw fields.fail('type', 'is not known');
  const type = first >= 0xc0 ? 0 : first;
  const items = fields.list(decodeRlp(type === 0 ? bytes : bytes.subarray(1)), 'body', 4);
  const status = fields.bigint(items[0], 'status', 1);
  if (status > 1n) throw fields.fail('status', 'must be 0 or 1');
  const logs = readLogs(items[3]);
  const bloom = fields.fixed(items[2], 'bloom', BLOOM_BYTES);
  if (!equalBytes(bloom, logsBloom(hasher, logs))) throw fields.fail('bloom', 'is not that of the logs');
  return { type, success: status === 1n, cumulativeGasUsed: fields.bigint(items[1], 'cumulativeGasUsed', 8), logs };
}

/** Logs as RLP items: [[address, [topic, ...], data], ...]. Storage keeps them in the same form. */
export function encodableLogs(logs: readonly Log[]): RlpItem[] {
  return logs.map((log) => [hexToBytes(log.address), log.topics.map(hexToBytes), log.data]);
}

/** The inverse of `encodableLogs`; throws `invalid-receipt`. */
export function readLogs(item: RlpItem | undefined): Log[] {
  return fields.list(item, 'logs').map((entry) => {
    const parts = fields.list(entry, 'log', 3);
    const topics = fields.list(parts[1], 'topics');
    if (topics.length > 4) throw fields.fail('topics', 'must be at most 4');
    return {
      address: fields.address(parts[0], 'log address'),
      topics: topics.map((topic) => fields.hash(topic, 'topic')),
      data: fields.bytes(parts[2], 'log data').slice(),
    };
  });
}
