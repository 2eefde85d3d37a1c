import { Epoch, Height, View } from '@hanse/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import type { EngineState, VotingState } from '../../src/engine/index.ts';
import { Cluster } from '../world/cluster.ts';
import type { MemberProcess, ProcessState } from '../world/memberProcess.ts';
import { Liveness } from './liveness.ts';

const clusters: Cluster[] = [];
afterEach(() => {
  for (const cluster of clusters.splice(0)) cluster.close();
});

async function create(): Promise<Cluster> {
  const network = { suite: 'fast', validators: 4, observers: 1 } as const;
  const cluster = await Cluster.create({ seed: 1, cloning: false, logSegmentBytes: 1 << 20, ...network });
  clusters.push(cluster);
  return cluster;
}

interface Standing {
  process: ProcessState;
  height: number;
  epoch: number;
  view: number;
  voting: VotingState;
}

/** A cluster whose members stand where the test says: four that decide, and one that follows. */
async function standing(): Promise<{ readonly cluster: Cluster; readonly members: readonly Standing[] }> {
  const cluster = await create();
  const validators = cluster.setup.names.slice(0, 4).map((name) => ({ name }));
  const members = cluster.machines.map((machine, index): Standing => {
    const voting = index < 4 ? 'voting' : 'observer';
    const stands: Standing = { process: 'running', height: 7, epoch: 2, view: 9, voting };
    const state = (): Partial<EngineState> => ({
      epoch: Epoch(stands.epoch),
      view: View(stands.view),
      finalizedHeight: Height(stands.height),
      voting: stands.voting,
    });
    machine.process = {
      get state() {
        return stands.process;
      },
      life: { end: () => undefined },
      place: { member: index, twin: 0 },
      reader: { headHeight: () => stands.height },
      member: { engine: { state, validators: { validators } } },
    } as unknown as MemberProcess;
    return stands;
  });
  return { cluster, members };
}

describe('liveness', () => {
  it('asks for nothing more where everybody runs, votes and stands at one place', async () => {
    const { cluster } = await standing();
    expect(new Liveness(cluster).judge(true)).toBeUndefined();
  });

  it.each([
    ['process', 'failed', 'not everybody runs'],
    ['height', 6, 'not everybody is at the same height'],
    ['height', 8, 'not everybody is at the same height'],
    ['epoch', 1, 'not everybody is in the same epoch'],
    ['epoch', 3, 'not everybody is in the same epoch'],
    ['voting', 'amnesia', 'member-2 may vote and does not'],
    ['voting', 'waiting', 'member-2 may vote and does not'],
    ['voting', 'stopped', 'member-2 may vote and does not'],
    // Its name is in the set and none of its keys is.
    ['voting', 'observer', 'member-2 may vote and does not'],
  ] as const)('is not given where the %s of one member is %s', async (what, value, unrest) => {
    const { cluster, members } = await standing();
    const liveness = new Liveness(cluster);
    Object.assign(members[2]!, { [what]: value });
    expect(liveness.judge(true)).toBe(unrest);
    expect(liveness.everybodyVotes).toBe(what !== 'voting');
  });

  it('asks no vote of a member that is not in the set', async () => {
    const { cluster, members } = await standing();
    members[4]!.height = 6;
    expect(new Liveness(cluster).unrest).toBe('not everybody is at the same height');
    Object.assign(members[4]!, { height: 7, voting: 'waiting' });
    expect(new Liveness(cluster).unrest).toBeUndefined();
  });

  it('is not given where something is not final', async () => {
    const { cluster } = await standing();
    expect(new Liveness(cluster).judge(false)).toBe('not everything is final');
  });

  it('is not given where it took more views than it may, counted from where faults stopped', async () => {
    const { cluster, members } = await standing();
    const liveness = new Liveness(cluster, { views: 20, forMs: 1 });
    for (const stands of members) stands.view += 20;
    expect(liveness.judge(true)).toBeUndefined();
    members[3]!.view += 1;
    expect(liveness.judge(true)).toBe('everything is at rest, which took more than 20 views');
    // Views count anew in a new epoch.
    for (const stands of members) Object.assign(stands, { epoch: 3, view: 20 });
    expect(liveness.judge(true)).toBeUndefined();
  });

  it('is not given in a network without a quorum', async () => {
    const cluster = await create();
    await cluster.startAll();
    for (const member of [0, 1]) cluster.end(cluster.machine(member), 'kill');
    const liveness = new Liveness(cluster);
    await cluster.run(5_000);
    const violations: string[] = [];
    liveness.report((violation) => violations.push(violation), liveness.judge(false)!);
    const what = /^liveness: not everything is final, not everybody runs, after 5000 ms/;
    expect(violations).toEqual([expect.stringMatching(what)]);
  });

  it('counts no views that passed before faults stopped, though nobody ran when they did', async () => {
    const cluster = await create();
    await cluster.startAll();
    await cluster.run(60_000);
    for (const machine of cluster.machines) cluster.end(machine, 'kill');
    const liveness = new Liveness(cluster);
    for (const machine of cluster.machines) cluster.start(machine);
    await cluster.run(2_000);
    expect(cluster.machine(0).process?.member?.engine.state().view).toBeGreaterThan(2);
    expect(liveness.spent.views).toBeLessThan(2);
  });
});
