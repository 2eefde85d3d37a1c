import {
  createInternationalSuite,
  Epoch,
  type Hash,
  Height,
  portablePrimitives,
  type Statement,
  View,
} from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../runtime/manualClock.ts';
import { SimulatedDisk } from '../runtime/testing/simulatedDisk.ts';
import { decodeEngineRecord } from './logRecords.ts';
import { createEngineMetrics } from './metrics.ts';
import { createKeySigner, type Signer } from './signer.ts';
import { Sleeper } from './sleeper.ts';
import { testGenesisHash } from './testing/engineCluster.ts';
import { VoteDesk } from './voteDesk.ts';
import { WriteAheadLog } from './writeAheadLog.ts';

const suite = createInternationalSuite(portablePrimitives);
const hash = (byte: string): Hash => `0x${byte.repeat(32)}`;
const nullify = (view: number): Statement => ({ kind: 'nullify', epoch: Epoch(0), view: View(view) });
const notarize = (view: number, digest: Hash): Statement => ({
  kind: 'notarize',
  epoch: Epoch(0),
  view: View(view),
  parentView: View(0),
  digest,
});
const finalize = (view: number, blockHash: Hash): Statement => ({
  kind: 'finalize',
  epoch: Epoch(0),
  view: View(view),
  digest: hash('d1'),
  height: Height(1),
  blockHash,
});

async function desk(signer: Signer = createKeySigner(suite, new Uint8Array(32).fill(1))) {
  const disk = new SimulatedDisk();
  const clock = new ManualClock();
  const logOptions = {
    folder: 'log',
    binding: new Uint8Array(1),
    segmentBytes: 1 << 20,
    maxRecordBytes: 1 << 20,
    monotonicMs: () => 0,
  };
  const { log } = await WriteAheadLog.open(disk, logOptions);
  const alarms: string[] = [];
  let finalizedView = 0;
  const votes = new VoteDesk(
    { suite, genesisHash: testGenesisHash, self: 0, signerRetryMs: 100 },
    {
      signer,
      log,
      sleeper: new Sleeper(clock),
      metrics: createEngineMetrics(),
      finalizedView: () => View(finalizedView),
      alarm: (kind, _detail, stop) => alarms.push(stop ? `${kind}!` : kind),
    },
  );
  const durable = async () => {
    disk.crash();
    const { records } = await WriteAheadLog.open(disk, logOptions);
    return records.map((record) => decodeEngineRecord(record, () => hash('d1')));
  };
  return { votes, alarms, clock, disk, durable, finalizeUpTo: (view: number) => (finalizedView = view) };
}

const alone = () => [];

describe('vote desk', () => {
  it('hands out a vote only when it is durable, with what it stands on', async () => {
    const { votes, durable } = await desk();
    const cast = await votes.cast(nullify(3), (vote) => [{ kind: 'vote', vote: { ...vote, signer: 5 } }]);
    expect(cast).toMatchObject({ statement: nullify(3), signer: 0 });
    expect((await durable()).map((record) => record.kind === 'vote' && record.vote.signer)).toEqual([5, 0]);
  });

  it.each([
    ['two notarize votes', notarize(4, hash('d1')), notarize(4, hash('d2'))],
    ['two results', finalize(4, hash('b1')), finalize(4, hash('b2'))],
    ['nullify after finalize', finalize(4, hash('b1')), nullify(4)],
    ['finalize after nullify', nullify(4), finalize(4, hash('b1'))],
  ])('refuses %s in one view, also after a restart, and stops', async (_name, first, second) => {
    const running = await desk();
    const vote = await running.votes.cast(first, alone);
    expect(await running.votes.cast(second, alone)).toBeUndefined();
    expect(running.alarms).toEqual(['double-vote-prevented!']);
    expect(await running.votes.cast(nullify(9), alone)).toBeUndefined();
    const restarted = await desk();
    restarted.votes.recall(vote!);
    expect(await restarted.votes.cast(second, alone)).toBeUndefined();
    expect(restarted.alarms).toEqual(['double-vote-prevented!']);
  });

  it('allows nullify after notarize, and the same vote again', async () => {
    const { votes, alarms } = await desk();
    await votes.cast(notarize(4, hash('d1')), alone);
    expect(await votes.cast(nullify(4), alone)).toBeDefined();
    expect(await votes.cast(notarize(4, hash('d1')), alone)).toBeDefined();
    expect(alarms).toEqual([]);
  });

  it('signs nothing at or below the finalized view', async () => {
    const { votes, finalizeUpTo } = await desk();
    finalizeUpTo(4);
    expect(await votes.cast(nullify(4), alone)).toBeUndefined();
    expect(await votes.cast(nullify(5), alone)).toBeDefined();
  });

  it('asks a signer again that fails or signs wrongly', async () => {
    const good = createKeySigner(suite, new Uint8Array(32).fill(1));
    let calls = 0;
    const signer: Signer = {
      publicKey: good.publicKey,
      sign: async (message) => {
        calls++;
        if (calls === 1) throw new Error('the device is away');
        return calls === 2 ? new Uint8Array(64) : good.sign(message);
      },
    };
    const { votes, alarms, clock } = await desk(signer);
    const cast = votes.cast(nullify(3), alone);
    for (let turn = 0; turn < 2; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(100);
    }
    expect(await cast).toBeDefined();
    expect(alarms).toEqual(['signer-failed', 'signer-failed']);
  });

  it('is silent for good when the log cannot be written', async () => {
    const { votes, alarms, disk } = await desk();
    disk.beforeFlush = () => Promise.reject(new Error('no space left on device'));
    expect(await votes.cast(nullify(3), alone)).toBeUndefined();
    disk.beforeFlush = undefined;
    expect(await votes.cast(nullify(4), alone)).toBeUndefined();
    expect(alarms).toEqual(['disk-failed!']);
  });
});
