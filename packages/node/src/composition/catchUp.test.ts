import type { Address, SignedTransaction } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { prepareChain } from '../../simulator/testing/preparedChain.ts';
import { ScriptedCluster } from '../../simulator/testing/scriptedCluster.ts';
import { testAccount, testTransaction } from '../execution/testing/executionFixture.ts';
import { MessageKind } from '../network/messageKinds.ts';
import { decodeBlockRange, decodeSyncBlocks, encodeSyncBlocks } from '../network/syncWire.ts';

const RECEIVER: Address = `0x${'ec'.repeat(20)}`;
const STRAGGLER = 3;
const OTHERS = [0, 1, 2];
const CHAIN = 140;

type Answer = (blocks: ReturnType<typeof decodeSyncBlocks>) => ReturnType<typeof decodeSyncBlocks>;

/** Four members of which one was away for some blocks, and does not run yet; the others do. */
async function behind(seed: number) {
  const cluster = await ScriptedCluster.start({ seed, mostLedgerMs: 100 });
  await cluster.run(1_000);
  for (const index of [STRAGGLER, ...OTHERS]) cluster.cutPower(index);
  await prepareChain(cluster, OTHERS, CHAIN, 20);
  for (const index of OTHERS) await cluster.start(index);
  await cluster.run(1_000);
  /** Ranges that the straggler asked for, by peer, and the first heights of its imports. */
  const asked: { readonly peer: string; readonly from: number }[] = [];
  const imports: number[] = [];
  /** Whoever is asked first lies, if somebody shall. */
  const lies: { answer?: Answer; liar?: string } = {};
  /** Starts the straggler, and watches it. */
  const start = async (): Promise<void> => {
    await cluster.start(STRAGGLER);
    const { member, ledger } = cluster.running(STRAGGLER);
    const request = member.peers.request.bind(member.peers);
    member.peers.request = async (peer, kind, payload, timeoutMs, priority) => {
      const answer = await request(peer, kind, payload, timeoutMs, priority);
      if (kind !== MessageKind.blockRange) return answer;
      const range = decodeBlockRange(payload);
      asked.push({ peer, from: range.from });
      lies.liar ??= peer;
      if (lies.answer === undefined || lies.liar !== peer) return answer;
      return encodeSyncBlocks(lies.answer(decodeSyncBlocks(answer, range)), range);
    };
    const importBlocks = ledger.importBlocks.bind(ledger);
    ledger.importBlocks = (blocks) => {
      imports.push(blocks[0]!.proposal.height);
      return importBlocks(blocks);
    };
  };
  const height = (): number => cluster.heights()[STRAGGLER]!;
  const caughtUp = (): boolean => new Set(cluster.heights()).size === 1;
  const offences = (): Record<string, number> =>
    Object.fromEntries(
      cluster
        .running(STRAGGLER)
        .member.peers.peers()
        .map(({ name, counters }) => [name, counters.offences]),
    );
  return { cluster, asked, imports, lies, start, height, caughtUp, offences };
}

let nonce = 0;
const payment = (account: number): SignedTransaction =>
  testTransaction({ nonce: BigInt(nonce++), to: RECEIVER, gasLimit: 100_000n }, testAccount(account));

describe('a member that was away', { timeout: 120_000 }, () => {
  it('catches up while the others go on, and votes then', async () => {
    const { cluster, imports, start, height, caughtUp, offences } = await behind(1);
    await start();
    nonce = 0;
    let last = payment(21);
    for (let count = 0; count < 20; count++) {
      await cluster.running(count % 3).member.submit(last.raw);
      await cluster.run(100);
      last = payment(21);
    }
    await cluster.run(20_000, () => height() > CHAIN && caughtUp());
    expect([caughtUp(), cluster.forks, cluster.alarms.flat()]).toEqual([true, [], []]);
    expect(height()).toBeGreaterThan(CHAIN);
    expect(imports).toEqual([...imports].sort((a, b) => a - b));
    expect(offences()).toEqual({ authority: 0, bank: 0, 'member-2': 0 });
    // One of the others goes: now the vote of the one that was away is needed.
    cluster.cutPower(0);
    await cluster.running(1).member.submit(last.raw);
    await cluster.run(20_000, () => cluster.running(2).reader.findTransaction(last.hash) !== undefined);
    expect(cluster.running(2).reader.findTransaction(last.hash)).toBeDefined();
    expect(cluster.running(STRAGGLER).member.engine.metrics.finalizeVotes).toBeGreaterThan(0);
    cluster.close();
  });

  it('goes on at its head when it is killed in the middle, however often', async () => {
    const { cluster, asked, start, height, caughtUp } = await behind(2);
    await start();
    for (const goal of [40, 100]) {
      await cluster.run(20_000, () => height() >= goal);
      cluster.cutPower(STRAGGLER);
      asked.length = 0;
      await start();
      const head = height();
      expect(head).toBeGreaterThanOrEqual(goal);
      await cluster.run(20_000, () => asked.length > 0);
      expect(Math.min(...asked.map(({ from }) => from))).toBeGreaterThan(head);
    }
    await cluster.run(20_000, caughtUp);
    expect([height(), cluster.forks, cluster.alarms.flat()]).toEqual([CHAIN, [], []]);
    cluster.close();
  });

  it('goes on with the others when one of them vanishes in the middle', async () => {
    const { cluster, asked, start, height, caughtUp } = await behind(3);
    await start();
    await cluster.run(20_000, () => asked.length > 0);
    cluster.cutPower(1);
    await cluster.run(20_000, () => height() === CHAIN);
    expect(height()).toBe(CHAIN);
    await cluster.start(1);
    await cluster.run(5_000, caughtUp);
    expect(cluster.alarms.flat()).toEqual([]);
    cluster.close();
  });

  it.each<[string, Answer]>([
    [
      'changes a transaction',
      (blocks) => blocks.map((block, index) => (index === 5 ? { ...block, transactions: [Uint8Array.of(2)] } : block)),
    ],
    [
      'makes up a proposal',
      (blocks) =>
        blocks.map((block, index) =>
          index === 5 ? { ...block, proposal: { ...block.proposal, timeMs: block.proposal.timeMs + 1 } } : block,
        ),
    ],
    [
      'forges certificates',
      (blocks) =>
        blocks.map(({ certificate, ...block }) => ({
          ...block,
          certificate: {
            ...certificate!,
            signatures: certificate!.signatures.map((one) => ({ ...one, signature: new Uint8Array(64).fill(1) })),
          },
        })),
    ],
    [
      'makes up proposals and leaves the certificates out',
      (blocks) =>
        blocks.map(({ certificate: _, ...block }) => ({
          ...block,
          proposal: { ...block.proposal, timeMs: block.proposal.timeMs + 1 },
        })),
    ],
  ])('catches up although one of the others %s, and blames nobody else', async (what, lie) => {
    const { cluster, lies, start, height, offences } = await behind(4);
    lies.answer = lie;
    await start();
    await cluster.run(60_000, () => height() === CHAIN);
    expect(height()).toBe(CHAIN);
    for (const [name, count] of Object.entries(offences())) {
      if (name !== lies.liar) expect([name, count]).toEqual([name, 0]);
      // That a certificate was left out can be no more than a suspicion.
      else if (!what.includes('leaves')) expect(count).toBeGreaterThan(0);
    }
    expect(cluster.alarms.flat()).toEqual([]);
    cluster.close();
  });
});
