import {
  createInternationalSuite,
  type Hash,
  type Proposal,
  proposalDigest,
  type Suite,
  type Vote,
} from '@hanse/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadNodePrimitives } from '../runtime/nodePrimitives.ts';
import { decodeProposalEnvelope, decodeVotes, messageKinds } from './messages.ts';
import { EngineCluster, settle, testGenesisHash } from './testing/engineCluster.ts';

let suite: Suite;
beforeAll(async () => {
  suite = createInternationalSuite(await loadNodePrimitives());
});

/** Every member has the same blocks, as far as each has come. */
function expectOneChain(cluster: EngineCluster): void {
  const longest = [...cluster.members].sort((a, b) => b.ledger.head.height - a.ledger.head.height)[0]!.ledger
    .finalizedBlocks;
  for (const { ledger } of cluster.members) {
    for (const [height, block] of ledger.finalizedBlocks.entries())
      expect(block.blockHash).toBe(longest[height]!.blockHash);
  }
}

function holds(cluster: EngineCluster, index: number, hash: Hash): boolean {
  return cluster
    .member(index)
    .ledger.finalizedBlocks.some((block) => block.transactions.some((body) => body.hash === hash));
}

describe('engine', () => {
  it('finalizes a transaction alone in a network of one, and makes no block without one', async () => {
    const cluster = new EngineCluster(suite, 1);
    await cluster.startAll();
    await cluster.run(3_000);
    expect(cluster.heights()).toEqual([0]);
    const hash = cluster.submit('first');
    await cluster.run(200);
    expect(holds(cluster, 0, hash)).toBe(true);
    expect(cluster.heights()).toEqual([1]);
    expect(cluster.member(0).alarms).toEqual([]);
  });

  it('finalizes what enters through any of four members, on all four, well below a second after idle', async () => {
    const cluster = new EngineCluster(suite, 4);
    await cluster.startAll();
    await cluster.run(2_000);
    for (const index of [0, 1, 2, 3]) {
      const hash = cluster.submit(`through ${index}`, [0, 1, 2, 3]);
      await cluster.run(150);
      for (const member of [0, 1, 2, 3]) expect(holds(cluster, member, hash)).toBe(true);
    }
    expectOneChain(cluster);
    for (const member of cluster.members) expect([...member.alarms, ...member.blamed]).toEqual([]);
    expect(cluster.member(0).engine!.state()).toMatchObject({ voting: 'voting', finalizedHeight: 4 });
  });

  it('finalizes a transaction that the leader does not know, once f + 1 members wait for it', async () => {
    const cluster = new EngineCluster(suite, 4);
    await cluster.startAll();
    await cluster.run(2_000);
    const hash = cluster.submit('not at the leader', [2, 3]);
    await cluster.run(5_000);
    for (const member of [0, 1, 2, 3]) expect(holds(cluster, member, hash)).toBe(true);
    expectOneChain(cluster);
  });

  it('fetches bodies that the leader wrongly believed to be known', async () => {
    const cluster = new EngineCluster(suite, 4);
    for (const { pool } of cluster.members) pool.gossiped = true;
    await cluster.startAll();
    await cluster.run(2_000);
    const hash = cluster.submit('not gossiped', [1]);
    await cluster.run(5_000);
    for (const member of [0, 1, 2, 3]) expect(holds(cluster, member, hash)).toBe(true);
    expect(cluster.members.some(({ engine }) => engine!.metrics.bodyRequests > 0)).toBe(true);
  });

  it('makes an idle block after the idle interval', async () => {
    const cluster = new EngineCluster(suite, 4, { idleBlockIntervalMs: 10_000 });
    await cluster.startAll();
    await cluster.run(9_000);
    expect(Math.max(...cluster.heights())).toBe(0);
    await cluster.run(4_000);
    expect(cluster.heights()).toEqual([1, 1, 1, 1]);
  });

  it('goes on with one member stopped, which catches up from its log and the others', async () => {
    const cluster = new EngineCluster(suite, 4);
    await cluster.startAll();
    await cluster.run(2_000);
    cluster.submit('before', [0, 1, 2, 3]);
    await cluster.run(300);
    cluster.kill(3);
    for (let i = 0; i < 5; i++) {
      const hash = cluster.submit(`without the fourth ${i}`, [0, 1, 2]);
      await cluster.run(6_000, () => [0, 1, 2].every((index) => holds(cluster, index, hash)));
      expect(holds(cluster, 0, hash)).toBe(true);
    }
    await cluster.start(3);
    await cluster.run(10_000);
    expect(cluster.heights()[3]).toBe(cluster.heights()[0]);
    expectOneChain(cluster);
    expect(cluster.member(3).engine!.state().voting).toBe('voting');
  });

  it('asks to be synced when it is too far behind, and goes on after blocks were imported', async () => {
    const cluster = new EngineCluster(suite, 4);
    await cluster.startAll();
    await cluster.run(2_000);
    cluster.kill(3);
    for (let i = 0; i < 60; i++) {
      cluster.submit(`far ahead ${i}`, [0, 1, 2]);
      await cluster.run(1_000);
    }
    const engine = await cluster.start(3);
    const late = cluster.member(3);
    await cluster.run(10_000, () => late.behind.length > 0);
    expect(late.behind.length).toBeGreaterThan(0);
    await late.ledger.importBlocks(cluster.member(0).ledger.export(1));
    engine.synced(await late.ledger.finalizedHead());
    const hash = cluster.submit('after the import', [0, 1, 2, 3]);
    await cluster.run(3_000);
    expect(holds(cluster, 3, hash)).toBe(true);
    expectOneChain(cluster);
  });

  it('loses nothing that was final when all members lose power in the middle of load', async () => {
    const cluster = new EngineCluster(suite, 4);
    await cluster.startAll();
    await cluster.run(2_000);
    const submitted: Hash[] = [];
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 12; i++) {
        submitted.push(cluster.submit(`load ${round}/${i}`, [0, 1, 2, 3]));
        await cluster.run(37);
      }
      const before = cluster.members.map(({ ledger }) => ledger.finalizedBlocks.map(({ blockHash }) => blockHash));
      for (const index of [0, 1, 2, 3]) cluster.kill(index, round * 100);
      await settle();
      for (const index of [0, 1, 2, 3]) await cluster.start(index);
      await cluster.run(4_000);
      for (const [index, hashes] of before.entries()) {
        const after = cluster.member(index).ledger.finalizedBlocks.map(({ blockHash }) => blockHash);
        expect(after.slice(0, hashes.length)).toEqual(hashes);
      }
      cluster.submit(`again ${round}`, [0, 1, 2, 3]);
      await cluster.run(3_000);
      expectOneChain(cluster);
      expect(new Set(cluster.heights()).size).toBe(1);
    }
    for (const member of cluster.members) expect([...member.alarms, ...member.blamed]).toEqual([]);
  });

  it('recovers a long branch without finality from the logs alone when all members lose power', async () => {
    const cluster = new EngineCluster(suite, 4);
    cluster.interfere = ({ kind, payload }) => {
      const holdsFinalize =
        kind === messageKinds.votes && decodeVotes(payload).some(({ statement }) => statement.kind === 'finalize');
      return holdsFinalize ? undefined : payload;
    };
    await cluster.startAll();
    await cluster.run(2_000);
    const first = cluster.submit('at the bottom of the branch', [0, 1, 2, 3]);
    const engine = cluster.member(0).engine!;
    await cluster.run(600_000, () => engine.state().view > 45);
    expect(engine.state().view).toBeGreaterThan(45);
    expect(cluster.heights()).toEqual([0, 0, 0, 0]);
    for (const { index } of cluster.members) cluster.kill(index);
    cluster.interfere = ({ payload }) => payload;
    await cluster.startAll();
    await cluster.run(60_000, () => [0, 1, 2, 3].every((index) => holds(cluster, index, first)));
    for (const index of [0, 1, 2, 3]) expect(holds(cluster, index, first)).toBe(true);
    expectOneChain(cluster);
  });

  it('sends no vote that a power cut could still erase, nor a proposal before its bodies are durable', async () => {
    const cluster = new EngineCluster(suite, 4);
    const digestOf = (proposal: Proposal): Hash => proposalDigest(suite, testGenesisHash, proposal);
    const bodies = new Map<Hash, Uint8Array[]>();
    let checked = 0;
    cluster.onSend = ({ from, kind, payload, request }) => {
      if (request || (kind !== messageKinds.votes && kind !== messageKinds.proposal)) return;
      const { disk, pool } = cluster.member(from);
      const durable = Buffer.concat([...disk.durableFiles('log').values()]);
      const votes: Vote[] = [];
      if (kind === messageKinds.votes) votes.push(...decodeVotes(payload));
      else {
        const { message } = decodeProposalEnvelope(payload, digestOf);
        const raws = message.proposal.transactionHashes.map((hash) => pool.transactions.get(hash)!.raw);
        bodies.set(message.digest, raws);
        votes.push(message.leaderVote);
      }
      for (const { statement, signature } of votes) {
        expect(durable.includes(Buffer.from(signature))).toBe(true);
        if (statement.kind !== 'notarize') continue;
        for (const raw of bodies.get(statement.digest)!) expect(durable.includes(Buffer.from(raw))).toBe(true);
        checked++;
      }
    };
    await cluster.startAll();
    await cluster.run(1_000);
    for (let i = 0; i < 10; i++) {
      cluster.submit(`transaction ${i}`, [0, 1, 2, 3]);
      await cluster.run(100);
    }
    expect(checked).toBeGreaterThan(30);
    expect(Math.min(...cluster.heights())).toBeGreaterThan(3);
  });

  it('stops with an alarm instead of forking when its own result differs from the certified one', async () => {
    const cluster = new EngineCluster(suite, 4);
    await cluster.startAll();
    await cluster.run(2_000);
    cluster.member(2).ledger.resultTwist = 'a bug';
    const hash = cluster.submit('executed differently', [0, 1, 2, 3]);
    await cluster.run(3_000);
    for (const index of [0, 1, 3]) expect(holds(cluster, index, hash)).toBe(true);
    expect(cluster.heights()[2]).toBe(0);
    expect(cluster.member(2).alarms.join()).toMatch(/divergence/);
    expect(cluster.member(2).engine!.state().voting).toBe('stopped');
  });

  it('reports a peer that forges or garbles, and is not held up by it', async () => {
    const cluster = new EngineCluster(suite, 4);
    cluster.interfere = ({ from, kind, payload, request }) => {
      if (from !== 1 || request || kind === messageKinds.status) return payload;
      const garbled = payload.slice();
      garbled[garbled.length - 5]! ^= 0x55;
      return garbled;
    };
    await cluster.startAll();
    await cluster.run(2_000);
    const hash = cluster.submit('in spite of it', [0, 2, 3]);
    await cluster.run(6_000);
    for (const index of [0, 2, 3]) expect(holds(cluster, index, hash)).toBe(true);
    expect(cluster.member(0).blamed.length).toBeGreaterThan(0);
    for (const index of [0, 2, 3]) for (const line of cluster.member(index).blamed) expect(line).toMatch(/^1: /);
  });

  it('leaves out transactions that a build refuses, and tells the pool', async () => {
    const cluster = new EngineCluster(suite, 4);
    const bad = suite.hashHex(new TextEncoder().encode('cannot pay'));
    for (const { ledger } of cluster.members) ledger.unfit.add(bad);
    await cluster.startAll();
    await cluster.run(2_000);
    cluster.submit('cannot pay', [0, 1, 2, 3]);
    const good = cluster.submit('can pay', [0, 1, 2, 3]);
    await cluster.run(2_000);
    expect(holds(cluster, 0, good)).toBe(true);
    expect(holds(cluster, 0, bad)).toBe(false);
    expect(cluster.members.some(({ pool }) => pool.refused.has(bad))).toBe(true);
  });

  it('closes cleanly: nothing is sent afterwards and a new engine continues from the log', async () => {
    const cluster = new EngineCluster(suite, 4);
    await cluster.startAll();
    await cluster.run(2_000);
    cluster.submit('before closing', [0, 1, 2, 3]);
    await cluster.run(300);
    const { engine } = cluster.member(0);
    const closing = engine!.close();
    let sent = 0;
    cluster.onSend = ({ from }) => {
      if (from === 0) sent++;
    };
    await cluster.run(3_000);
    await closing;
    expect(sent).toBe(0);
    cluster.member(0).ledger.restart();
    await cluster.start(0);
    const hash = cluster.submit('after', [0, 1, 2, 3]);
    await cluster.run(2_000);
    expect(holds(cluster, 0, hash)).toBe(true);
    expect(cluster.member(0).alarms).toEqual([]);
  });

  it('fetches proposals that never arrived from those who voted for them', async () => {
    const cluster = new EngineCluster(suite, 4);
    cluster.interfere = ({ to, kind, payload }) => (to === 3 && kind === messageKinds.proposal ? undefined : payload);
    await cluster.startAll();
    await cluster.run(2_000);
    for (let i = 0; i < 8; i++) {
      cluster.submit(`transaction ${i}`, [0, 1, 2, 3]);
      await cluster.run(400);
    }
    await cluster.run(2_000);
    expect(cluster.heights()[0]).toBeGreaterThanOrEqual(8);
    expect(cluster.heights()[3]).toBe(cluster.heights()[0]);
    expectOneChain(cluster);
    expect(cluster.member(3).behind).toEqual([]);
  });

  it('goes on after the network was cut in two, without two chains', async () => {
    const cluster = new EngineCluster(suite, 4);
    await cluster.startAll();
    await cluster.run(2_000);
    cluster.interfere = ({ from, to, payload }) => (from < 2 === to < 2 ? payload : undefined);
    const cut = cluster.submit('while cut', [0, 1, 2, 3]);
    await cluster.run(8_000);
    expect(cluster.heights()).toEqual([0, 0, 0, 0]);
    cluster.interfere = ({ payload }) => payload;
    await cluster.run(8_000);
    for (const member of [0, 1, 2, 3]) expect(holds(cluster, member, cut)).toBe(true);
    expectOneChain(cluster);
    for (const member of cluster.members) expect([...member.alarms, ...member.blamed]).toEqual([]);
  });

  it('does not open on a damaged log, and says what happened', async () => {
    const cluster = new EngineCluster(suite, 1);
    await cluster.startAll();
    cluster.submit('first');
    await cluster.run(500);
    cluster.kill(0);
    const { disk } = cluster.member(0);
    const damaged = disk.contents('log/00000001.wal').slice();
    damaged[200]! ^= 4;
    disk.overwrite('log/00000001.wal', damaged);
    await expect(cluster.start(0)).rejects.toThrow(/damaged at offset/);
  });

  it('is silent for good, with an alarm, when its disk fails', async () => {
    const cluster = new EngineCluster(suite, 4);
    await cluster.startAll();
    await cluster.run(2_000);
    cluster.member(1).disk.beforeFlush = () => Promise.reject(new Error('input/output error'));
    const hash = cluster.submit('on a broken disk', [0, 1, 2, 3]);
    await cluster.run(5_000);
    for (const index of [0, 2, 3]) expect(holds(cluster, index, hash)).toBe(true);
    expect(cluster.member(1).alarms).toEqual([expect.stringMatching(/^disk-failed: .*input\/output error/)]);
    expect(cluster.member(1).engine!.state().voting).toBe('stopped');
  });

  it('follows as an observer without a key, and never votes', async () => {
    const cluster = new EngineCluster(suite, 4);
    const observer = cluster.member(3);
    observer.signer = undefined;
    await cluster.startAll();
    await cluster.run(2_000);
    for (let i = 0; i < 4; i++) {
      cluster.submit(`seen by all ${i}`, [0, 1, 2]);
      await cluster.run(2_000);
    }
    expect(cluster.heights()[3]).toBe(cluster.heights()[0]);
    expect(cluster.heights()[3]).toBeGreaterThan(2);
    expect(observer.engine!.state().voting).toBe('observer');
    expect(observer.engine!.metrics).toMatchObject({ notarizeVotes: 0, finalizeVotes: 0, timeouts: 0 });
  });

  it('does not notarize a proposal from the future, and takes one that is ahead by less than half a second', async () => {
    const cluster = new EngineCluster(suite, 4);
    await cluster.startAll();
    await cluster.run(2_000);
    const { leader } = cluster.member(0).engine!.state();
    cluster.member(leader).ledger.clockLeadMs = 5_000;
    cluster.submit('first', [0, 1, 2, 3]);
    await cluster.run(2_000);
    const first = cluster.member(0).ledger.finalizedBlocks[1]!;
    expect(first.proposal!.leader).not.toBe(leader);
    for (const { ledger } of cluster.members) ledger.clockLeadMs = 400;
    const second = cluster.submit('second', [0, 1, 2, 3]);
    await cluster.run(150);
    expect(holds(cluster, 0, second)).toBe(true);
  });

  it('takes imports that race with its own finalizations', async () => {
    const cluster = new EngineCluster(suite, 4);
    await cluster.startAll();
    await cluster.run(2_000);
    const racer = cluster.member(3);
    // Its votes and certificates come late, so that imports are often first.
    cluster.interfere = ({ to, kind, payload, request }) =>
      to === 3 && !request && kind === messageKinds.certificates ? undefined : payload;
    for (let i = 0; i < 25; i++) {
      cluster.submit(`raced ${i}`, [0, 1, 2, 3]);
      await cluster.run(23 + (i % 5) * 11);
      await racer.ledger.importBlocks(cluster.member(0).ledger.export(racer.ledger.head.height + 1));
      racer.engine!.synced(await racer.ledger.finalizedHead());
    }
    cluster.interfere = ({ payload }) => payload;
    await cluster.run(8_000);
    expect(cluster.heights()[0]).toBeGreaterThan(5);
    expect(cluster.heights()[3]).toBe(cluster.heights()[0]);
    expectOneChain(cluster);
    expect([...racer.alarms, ...racer.blamed]).toEqual([]);
  });

  it('takes it for no failure when an import moves the ledger on while it builds', async () => {
    const cluster = new EngineCluster(suite, 4);
    await cluster.startAll();
    cluster.submit('first', [0, 1, 2, 3]);
    await cluster.run(2_000);
    const { leader } = cluster.member(0).engine!.state();
    const racer = cluster.member(leader);
    const others = [0, 1, 2, 3].filter((index) => index !== leader);
    cluster.interfere = ({ from, to, payload }) => (from === leader || to === leader ? undefined : payload);
    const second = cluster.submit('second', others);
    await cluster.run(8_000);
    expect(holds(cluster, others[0]!, second)).toBe(true);
    const build = racer.ledger.build.bind(racer.ledger);
    let failures = 0;
    racer.ledger.build = async (request) => {
      await racer.ledger.importBlocks(cluster.member(others[0]!).ledger.export(racer.ledger.head.height + 1));
      racer.engine!.synced(await racer.ledger.finalizedHead());
      return build(request).catch((error: unknown) => {
        failures += 1;
        throw error;
      });
    };
    cluster.submit('third', [leader]);
    await cluster.run(1_000);
    expect([failures, racer.alarms]).toEqual([1, []]);
  });

  it('goes on with f members stopped in a network of seven', async () => {
    const cluster = new EngineCluster(suite, 7);
    await cluster.startAll();
    await cluster.run(2_000);
    cluster.kill(1);
    cluster.kill(5);
    const running = [0, 2, 3, 4, 6];
    const hashes: Hash[] = [];
    for (let i = 0; i < 10; i++) {
      hashes.push(cluster.submit(`five of seven ${i}`, running));
      await cluster.run(1_500);
    }
    await cluster.run(3_000);
    for (const index of running) for (const hash of hashes) expect(holds(cluster, index, hash)).toBe(true);
    expectOneChain(cluster);
  });
});
