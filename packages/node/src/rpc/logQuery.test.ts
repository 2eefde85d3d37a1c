import { type Hash, Height, type Log } from '@hanse/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRealClock } from '../runtime/realClock.ts';
import { BlockReader } from './blockReader.ts';
import { defaultRPCLimits } from './limits.ts';
import { type LogCriteria, type LogCursor, searchLogs } from './logQuery.ts';
import { addressOf, signed, TestChain, testSuite, token } from './testing/testChain.ts';
import { TurnScheduler } from './turnScheduler.ts';

const addresses = ['one', 'two', 'three'].map(addressOf);
const topics = [1, 2, 3].map((digit): Hash => `0x${String(digit).repeat(64)}`);

const logArbitrary: fc.Arbitrary<Log> = fc.record({
  address: fc.constantFrom(...addresses),
  topics: fc.array(fc.constantFrom(...topics), { maxLength: 4 }),
  data: fc.uint8Array({ maxLength: 40 }),
});
const criteriaArbitrary: fc.Arbitrary<LogCriteria> = fc.record({
  addresses: fc.uniqueArray(fc.constantFrom(...addresses), { maxLength: 2 }),
  topics: fc.array(fc.uniqueArray(fc.constantFrom(...topics), { maxLength: 2 }), { maxLength: 3 }),
});

let nonce = 0n;
function chainOf(blocks: readonly (readonly Log[])[]): TestChain {
  const chain = new TestChain();
  for (const logs of blocks) {
    const transactions = logs.map((log) => ({
      transaction: signed('alice', { nonce: nonce++, to: token }),
      logs: [log],
    }));
    chain.append(transactions, { certified: false });
  }
  return chain;
}

function matchesNaively(log: Log, criteria: LogCriteria): boolean {
  if (criteria.addresses.length > 0 && !criteria.addresses.includes(log.address)) return false;
  return criteria.topics.every((alternatives, position) => {
    const topic = log.topics[position];
    return topic !== undefined && (alternatives.length === 0 || alternatives.includes(topic));
  });
}

function searcher(chain: TestChain, limits: Partial<typeof defaultRPCLimits> = {}) {
  const turns = new TurnScheduler(createRealClock(), 4);
  const modules = {
    blocks: new BlockReader(chain, turns, 1_000),
    suite: testSuite,
    turns,
    limits: { ...defaultRPCLimits, ...limits },
  };
  return (criteria: LogCriteria, start: LogCursor, to: number, check?: () => void) =>
    searchLogs(criteria, start, Height(to), modules, check);
}

const from = (height: number): LogCursor => ({ height: Height(height), skip: 0 });

describe('searchLogs', () => {
  it('finds exactly the matching logs, whatever the blooms say', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(logArbitrary, { maxLength: 4 }), { maxLength: 4 }),
        criteriaArbitrary,
        async (blocks, criteria) => {
          const { logs, next } = await searcher(chainOf(blocks))(criteria, from(0), blocks.length);
          const expected = blocks.flatMap((block, index) =>
            block.flatMap((log, position) => (matchesNaively(log, criteria) ? [`${index + 1}/${position}`] : [])),
          );
          expect(logs.map(({ blockNumber, logIndex }) => `${Number(blockNumber)}/${Number(logIndex)}`)).toEqual(
            expected,
          );
          expect(next).toBeUndefined();
        },
      ),
      { numRuns: 60, seed: 7 },
    );
  });

  it('goes on exactly where a full page ended', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(logArbitrary, { maxLength: 5 }), { maxLength: 4 }),
        fc.integer({ min: 1, max: 3 }),
        async (blocks, pageSize) => {
          const chain = chainOf(blocks);
          const criteria = { addresses: addresses.slice(0, 2), topics: [] };
          const whole = await searcher(chain)(criteria, from(0), blocks.length);
          const paged = [];
          for (let cursor: LogCursor | undefined = from(0); cursor !== undefined; ) {
            const page = await searcher(chain, { maxLogResults: pageSize })(criteria, cursor, blocks.length);
            expect(page.logs.length).toBeLessThanOrEqual(pageSize);
            paged.push(...page.logs);
            cursor = page.next;
          }
          expect(paged).toEqual(whole.logs);
        },
      ),
      { numRuns: 40, seed: 8 },
    );
  });

  it('does not decode blocks whose bloom excludes a match', async () => {
    const chain = chainOf([[{ address: addresses[0]!, topics: [], data: new Uint8Array() }], [], []]);
    await searcher(chain)({ addresses: [addresses[1]!], topics: [] }, from(0), 3);
    expect(chain.decodedBlocks).toBe(0);
  });

  it('ends a page before it grows beyond the size of an answer', async () => {
    const large = { address: addresses[0]!, topics: [], data: new Uint8Array(5_000) };
    const chain = chainOf([[large, large, large]]);
    const page = await searcher(chain, { maxResponseBytes: 25_000 })({ addresses: [], topics: [] }, from(0), 1);
    expect([page.logs.length, page.next]).toEqual([2, { height: 1, skip: 2 }]);
  });

  it('stops when its client is gone', async () => {
    const chain = chainOf([[], [], []]);
    let looked = 0;
    const gone = () => {
      if (++looked > 2) throw new Error('gone');
    };
    await expect(searcher(chain)({ addresses: [], topics: [] }, from(0), 3, gone)).rejects.toThrow('gone');
  });
});
