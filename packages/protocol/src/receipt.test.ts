import { describe, expect, it } from 'vitest';
import { ethereumAnswer, ethereumBytes, hasExecutionApis } from '../test/ethereumData.ts';
import type { Log, Receipt } from './block.ts';
import { bloomMayContain, logsBloom, mergeBlooms } from './bloom.ts';
import { bytesToHex, concatBytes, hexToBytes } from './bytes.ts';
import { createInternationalSuite } from './internationalSuite.ts';
import { portablePrimitives } from './portablePrimitives.ts';
import { decodeReceipt, encodeReceipt } from './receipt.ts';
import { decodeRlp, encodeRlp, type RlpItem } from './rlp.ts';
import { orderedTrieRoot } from './trie/index.ts';
import type { Hex } from './types.ts';

const suite = createInternationalSuite(portablePrimitives);
const log: Log = {
  address: `0x${'0a'.repeat(20)}`,
  topics: [`0x${'01'.repeat(32)}`, `0x${'02'.repeat(32)}`],
  data: Uint8Array.of(1, 2, 3),
};
const receipt: Receipt = { type: 2, success: true, cumulativeGasUsed: 21_000n, logs: [log] };

describe('receipts', () => {
  it('decode to what was encoded', () => {
    for (const candidate of [receipt, { ...receipt, type: 0 }, { ...receipt, type: 1, success: false, logs: [] }]) {
      expect(decodeReceipt(suite, encodeReceipt(suite, candidate))).toEqual(candidate);
    }
  });

  it('refuse a bloom that is not that of the logs, a post-state root, and five topics', () => {
    const items = decodeRlp(encodeReceipt(suite, receipt).subarray(1)) as readonly RlpItem[];
    const replaced = (index: number, item: RlpItem) =>
      concatBytes(Uint8Array.of(2), encodeRlp(items.map((old, i) => (i === index ? item : old))));
    const malformed = expect.objectContaining({ code: 'invalid-receipt' });
    expect(() => decodeReceipt(suite, replaced(2, new Uint8Array(256)))).toThrow(malformed);
    expect(() => decodeReceipt(suite, replaced(0, new Uint8Array(32)))).toThrow(malformed);
    expect(() => decodeReceipt(suite, replaced(0, Uint8Array.of(2)))).toThrow(malformed);
    const five = { ...log, topics: Array.from({ length: 5 }, () => log.topics[0]!) };
    expect(() => decodeReceipt(suite, encodeReceipt(suite, { ...receipt, logs: [five] }))).toThrow(
      'topics must be at most 4',
    );
    expect(() => decodeReceipt(suite, new Uint8Array(0))).toThrow(malformed);
    expect(() => decodeReceipt(suite, Uint8Array.of(0x80))).toThrow(malformed);
  });
});

describe('blooms', () => {
  it('contain every address and topic of their logs, alone and merged, and little else', () => {
    const bloom = mergeBlooms([
      logsBloom(suite, [log]),
      logsBloom(suite, [{ ...log, address: `0x${'0b'.repeat(20)}` }]),
    ]);
    for (const hex of [log.address, `0x${'0b'.repeat(20)}`, ...log.topics]) {
      expect(bloomMayContain(suite, bloom, hexToBytes(hex))).toBe(true);
    }
    let wrong = 0;
    for (let i = 0; i < 200; i++) if (bloomMayContain(suite, bloom, Uint8Array.of(i, 7))) wrong++;
    expect(wrong).toBeLessThan(3);
  });
});

interface RecordedReceipt {
  readonly type: Hex;
  readonly status: Hex;
  readonly cumulativeGasUsed: Hex;
  readonly logsBloom: Hex;
  readonly blockNumber: Hex;
  readonly logs: readonly { address: Hex; topics: readonly Hex[]; data: Hex }[];
}

const isRecorded = hasExecutionApis('Receipts');

describe.skipIf(!isRecorded)('receipts of execution-apis', () => {
  it('have the blooms of eth_getBlockReceipts, and the receipts root of their block', () => {
    const blocks = chainBlocks();
    const path = 'execution-apis/tests/eth_getBlockReceipts/get-block-receipts-latest.io';
    const answer = ethereumAnswer<readonly RecordedReceipt[]>(path);
    const encoded = answer.map((recorded) => {
      const logs = recorded.logs.map(({ address, topics, data }) => ({ address, topics, data: hexToBytes(data) }));
      expect(bytesToHex(logsBloom(suite, logs))).toBe(recorded.logsBloom);
      const type = Number(recorded.type);
      const cumulativeGasUsed = BigInt(recorded.cumulativeGasUsed);
      const decoded = { type, success: recorded.status === '0x1', cumulativeGasUsed, logs };
      const bytes = encodeReceipt(suite, decoded);
      expect(decodeReceipt(suite, bytes)).toEqual(decoded);
      return bytes;
    });
    expect(answer.flatMap(({ logs }) => logs).length).toBeGreaterThan(0);
    const header = blocks[Number(answer[0]!.blockNumber) - 1]![0] as readonly Uint8Array[];
    expect(orderedTrieRoot(encoded, suite)).toBe(bytesToHex(header[5]!));
    const merged = mergeBlooms(answer.map((recorded) => hexToBytes(recorded.logsBloom)));
    expect(bytesToHex(merged)).toBe(bytesToHex(header[6]!));
  });
});

/** chain.rlp is a sequence of blocks; one list around it makes it one item. */
function chainBlocks(): readonly (readonly RlpItem[])[] {
  const chain = ethereumBytes('execution-apis/tests/chain.rlp');
  const prefix = Uint8Array.of(0xfa, chain.length >> 16, (chain.length >> 8) & 255, chain.length & 255);
  return decodeRlp(concatBytes(prefix, chain)) as readonly (readonly RlpItem[])[];
}
