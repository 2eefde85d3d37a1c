import { bytesToHex, createInternationalSuite, type Suite, type Vote } from '@hanse/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadNodePrimitives } from '../runtime/nodePrimitives.ts';
import { encodeBinding } from './logRecords.ts';
import { decodeProposalEnvelope, decodeVotes, messageKinds } from './messages.ts';
import { EngineCluster, testGenesisHash } from './testing/engineCluster.ts';
import { WriteAheadLog } from './writeAheadLog.ts';

let suite: Suite;
beforeAll(async () => {
  suite = createInternationalSuite(await loadNodePrimitives());
});

const ALL = [0, 1, 2, 3];

/** Collects every vote that a member sends, its leader votes included. */
function votesOf(cluster: EngineCluster, index: number): Vote[] {
  const votes: Vote[] = [];
  cluster.onSend = ({ from, kind, payload, request }) => {
    if (from !== index || request) return;
    if (kind === messageKinds.votes) votes.push(...decodeVotes(payload));
    if (kind === messageKinds.proposal) votes.push(decodeProposalEnvelope(payload, () => '0x').message.leaderVote);
  };
  return votes;
}

async function load(cluster: EngineCluster, label: string, blocks: number, at = ALL): Promise<void> {
  for (let i = 0; i < blocks; i++) {
    cluster.submit(`${label} ${i}`, at);
    await cluster.run(200);
  }
}

/** Where the cluster's votes contradict one another: two statements of one kind, or nullify and finalize, by one signer in one view. */
function contradictions(votes: readonly Vote[]): string[] {
  const seen = new Map<string, string>();
  const found: string[] = [];
  for (const { statement, signer } of votes) {
    const place = `${signer}:${statement.view}:${statement.kind}`;
    const text = JSON.stringify(statement);
    if (seen.has(place) && seen.get(place) !== text) found.push(place);
    seen.set(place, text);
    if (seen.has(`${signer}:${statement.view}:nullify`) && seen.has(`${signer}:${statement.view}:finalize`))
      found.push(place);
  }
  return found;
}

describe('a member that lost its log', () => {
  it('does not vote in any view that it may have voted in, and votes again above a finalization', async () => {
    const cluster = new EngineCluster(suite, 4);
    await cluster.startAll();
    await cluster.run(2_000);
    await load(cluster, 'before', 3);
    cluster.kill(3);
    cluster.member(3).disk.deleteFolder('log');
    const reached = Math.max(...cluster.members.map(({ engine }) => engine?.state().view ?? 0));
    const votes = votesOf(cluster, 3);
    const engine = await cluster.start(3);
    expect(engine.state().voting).toBe('amnesia');
    await cluster.run(2_000);
    expect(votes).toEqual([]);
    await load(cluster, 'after', 20);
    expect(engine.state().voting).toBe('voting');
    expect(votes.length).toBeGreaterThan(0);
    expect(Math.min(...votes.map(({ statement }) => statement.view))).toBeGreaterThan(reached + 1);
    expect(new Set(cluster.heights()).size).toBe(1);
    // The amnesia is over for good: a restart votes at once.
    cluster.kill(3);
    const again = await cluster.start(3);
    await cluster.run(1_000);
    expect(again.state().voting).toBe('voting');
  });

  it('stays silent while fewer than q other members answer', async () => {
    const cluster = new EngineCluster(suite, 4);
    await cluster.startAll();
    await cluster.run(2_000);
    await load(cluster, 'before', 2);
    cluster.kill(3);
    cluster.member(3).disk.deleteFolder('log');
    cluster.kill(2);
    const votes = votesOf(cluster, 3);
    await cluster.start(3);
    await load(cluster, 'without a quorum', 10, [0, 1]);
    expect(votes).toEqual([]);
    expect(cluster.member(3).engine!.state().voting).toBe('amnesia');
  });

  it('follows the rule again when it restarts before it is over', async () => {
    const cluster = new EngineCluster(suite, 4);
    await cluster.startAll();
    await cluster.run(2_000);
    await load(cluster, 'before', 2);
    cluster.kill(3);
    cluster.member(3).disk.deleteFolder('log');
    await cluster.start(3);
    cluster.kill(3);
    const votes = votesOf(cluster, 3);
    const engine = await cluster.start(3);
    expect(engine.state().voting).toBe('amnesia');
    await cluster.run(1_000);
    expect(votes).toEqual([]);
  });

  it('knows it also when it was killed before it had noted it in its new log', async () => {
    const cluster = new EngineCluster(suite, 4);
    await cluster.startAll();
    await cluster.run(2_000);
    await load(cluster, 'before', 2);
    cluster.kill(3);
    const { disk, signer } = cluster.member(3);
    disk.deleteFolder('log');
    disk.beforeFlush = undefined;
    // A segment with its header and nothing else.
    await WriteAheadLog.open(disk, {
      folder: 'log',
      binding: encodeBinding(testGenesisHash, signer!.publicKey),
      segmentBytes: 1 << 20,
      maxRecordBytes: 1 << 20,
      monotonicMs: () => 0,
    });
    cluster.kill(3);
    const votes = votesOf(cluster, 3);
    const engine = await cluster.start(3);
    expect(engine.state().voting).toBe('amnesia');
    await cluster.run(1_000);
    expect(votes).toEqual([]);
  });

  it('is not suspected of it when a kill cut short the beginning of a segment and older ones were removed since', async () => {
    const cluster = new EngineCluster(suite, 4);
    await cluster.startAll();
    await cluster.run(2_000);
    await load(cluster, 'before', 2);
    cluster.kill(3);
    const { disk } = cluster.member(3);
    await disk.open('log/00000002.wal');
    disk.kill();
    await cluster.start(3);
    cluster.kill(3);
    // What finality does to segments that hold nothing above it.
    await disk.remove('log/00000001.wal');
    const again = await cluster.start(3);
    expect(again.state().voting).not.toBe('amnesia');
  });

  it('finds out from the others that an older log was put back, and never contradicts a vote that they saw', async () => {
    const cluster = new EngineCluster(suite, 4);
    const votes = votesOf(cluster, 0);
    await cluster.startAll();
    await cluster.run(2_000);
    await load(cluster, 'before', 2);
    const log = cluster.member(0).disk;
    const [name] = await log.list('log');
    const backup = log.contents(`log/${name}`);
    // Two members vanish: nothing becomes final any more, but member 0 votes on.
    cluster.kill(2);
    cluster.kill(3);
    const finalBefore = votes.length;
    await load(cluster, 'not final', 5, [0, 1]);
    expect(votes.length).toBeGreaterThan(finalBefore);
    cluster.kill(0);
    log.overwrite(`log/${name}`, backup);
    const sent = new Set(votes.map(({ signature }) => bytesToHex(signature)));
    const before = votes.length;
    const engine = await cluster.start(0);
    // One peer's reminder is enough, long before there are enough members for any certificate.
    await cluster.run(1_000);
    expect(cluster.member(0).alarms.join()).toMatch(/amnesia/);
    await cluster.start(2);
    await cluster.run(3_000);
    expect(engine.state().voting).toBe('amnesia');
    // Only what the old log holds may go out again, and it did go out before.
    for (const { signature } of votes.slice(before)) expect(sent).toContain(bytesToHex(signature));
    await cluster.start(3);
    await load(cluster, 'all again', 30);
    expect(contradictions(votes)).toEqual([]);
    expect(engine.state().voting).toBe('voting');
    expect(new Set(cluster.heights()).size).toBe(1);
  });

  it('does not take gossip for an answer: only answers carry reminders of its own votes', async () => {
    const cluster = new EngineCluster(suite, 4);
    await cluster.startAll();
    await cluster.run(2_000);
    await load(cluster, 'before', 2);
    cluster.kill(0);
    cluster.interfere = ({ from, kind, payload }) =>
      from === 0 && kind === messageKinds.requestStatus ? undefined : payload;
    const votes = votesOf(cluster, 0);
    const engine = await cluster.start(0);
    await load(cluster, 'while it asks', 60);
    const highest = Math.max(...votes.map(({ statement }) => statement.view), 0);
    expect(engine.state().voting).toBe('waiting');
    expect(engine.state().view).toBeGreaterThan(highest);
    expect(engine.metrics.notarizeVotes + engine.metrics.finalizeVotes + engine.metrics.timeouts).toBe(0);
  });
});
