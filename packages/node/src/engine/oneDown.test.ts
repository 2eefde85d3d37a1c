import { createInternationalSuite, type Suite } from '@hanse/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadNodePrimitives } from '../runtime/nodePrimitives.ts';
import { EngineCluster } from './testing/engineCluster.ts';

let suite: Suite;
beforeAll(async () => {
  suite = createInternationalSuite(await loadNodePrimitives());
});

/** How long each of `count` transactions took that came alone to an idle network, in milliseconds of its clock, until member 0 had it final. */
async function timesAlone(cluster: EngineCluster, count: number): Promise<readonly number[]> {
  const running = cluster.members.filter(({ engine }) => engine !== undefined).map(({ index }) => index);
  const times: number[] = [];
  for (let number = 0; number < count; number++) {
    await cluster.run(4_000);
    const height = cluster.heights()[0]!;
    const submittedMs = cluster.clock.monotonicMs();
    cluster.submit(`alone ${submittedMs}`, running);
    await cluster.run(5_000, () => cluster.heights()[0]! > height);
    times.push(cluster.clock.monotonicMs() - submittedMs);
  }
  return times;
}

/** Keeps transactions waiting for so long, and says who led the blocks that member 0 has final. */
async function leadersUnderLoad(cluster: EngineCluster, durationMs: number): Promise<readonly number[]> {
  const before = cluster.heights()[0]!;
  for (let passedMs = 0; passedMs < durationMs; passedMs += 40) {
    cluster.submit(`${cluster.clock.monotonicMs()}`, [0, 1, 2, 3]);
    await cluster.run(40);
  }
  return cluster
    .member(0)
    .ledger.finalizedBlocks.slice(before + 1)
    .map(({ proposal }) => proposal!.leader);
}

describe('with one of four members down', () => {
  it('transactions on an idle network are as soon final as with all of them, from a delta after its connections ended', async () => {
    const cluster = new EngineCluster(suite, 4);
    await cluster.startAll();
    const healthy = await timesAlone(cluster, 5);
    // Proposal, notarize and finalize: three messages and three flushes.
    expect(healthy).toEqual(healthy.map(() => 3 * (cluster.delayMs + cluster.flushMs)));
    cluster.kill(2);
    // It leads the view that waits; from then on its turns pass while nobody waits for them.
    const round = cluster.delayMs + cluster.flushMs;
    expect(await timesAlone(cluster, 8)).toEqual([healthy[0]! + round, ...Array.from({ length: 7 }, () => healthy[0])]);
    expect(cluster.member(0).engine!.metrics.timeouts).toBeGreaterThan(0);
  });

  it('the same holds if it never was there', async () => {
    const cluster = new EngineCluster(suite, 4);
    for (const index of [0, 1, 3]) await cluster.start(index);
    const times = await timesAlone(cluster, 8);
    expect(times).toEqual(times.map(() => 3 * (cluster.delayMs + cluster.flushMs)));
  });

  it('it leads again once it is back', async () => {
    const cluster = new EngineCluster(suite, 4);
    await cluster.startAll();
    cluster.kill(2);
    await cluster.run(1_000);
    expect(await leadersUnderLoad(cluster, 1_200)).not.toContain(2);
    await cluster.start(2);
    await cluster.run(1_000);
    const leaders = await leadersUnderLoad(cluster, 1_200);
    expect(leaders.filter((leader) => leader === 2).length).toBeGreaterThanOrEqual(Math.floor(leaders.length / 4));
  });
});

describe('with one of four members further away than its turn allows', () => {
  it('it is given up once, and then waited for, because its late proposal told how long it takes', async () => {
    const cluster = new EngineCluster(suite, 4);
    cluster.furtherMs.set(3, 340);
    await cluster.startAll();
    const leaders = await leadersUnderLoad(cluster, 8_000);
    const first = leaders.indexOf(3);
    expect(first).toBeGreaterThan(0);
    // From then on every fourth block is its own.
    const rounds = leaders.slice(first, first + 24);
    expect(rounds).toEqual(Array.from({ length: 24 }, (_, place) => (place + 3) % 4));
  });
});
