import { membersAbi, membersAddress } from '@hanse/modules';
import { CompiledAbi, statementBytes, View } from '@hanse/protocol';
import { afterEach, expect, it } from 'vitest';
import { Cluster } from '../world/cluster.ts';
import { Governance } from '../world/governance.ts';
import { simulatedKey } from '../world/networkSetup.ts';
import { Workload } from '../world/workload.ts';
import { Attacker } from './attacker.ts';
import { behaviours } from './behaviours.ts';

const clusters: Cluster[] = [];
afterEach(() => {
  for (const cluster of clusters.splice(0)) cluster.close();
});

const BYZANTINE = 1;

/** Members of whom one is Byzantine in the quietest way. */
async function withTraitor(validators: number) {
  let attacker: Attacker | undefined;
  const createInterceptor = (cluster: Cluster, twin: number): Attacker => {
    attacker = new Attacker(cluster, BYZANTINE, twin, behaviours['wrong-result']!);
    return attacker;
  };
  const cluster = await Cluster.create({
    seed: 1,
    suite: 'fast',
    validators,
    observers: 0,
    cloning: false,
    logSegmentBytes: 1 << 20,
    byzantine: new Map([[BYZANTINE, { programs: 1, createInterceptor }]]),
  });
  clusters.push(cluster);
  const workload = new Workload(cluster, 1);
  cluster.observe(workload);
  await cluster.startAll();
  return { cluster, workload, attacker: attacker! };
}

it('a Byzantine member signs with its old key while that reigns, and with the new one from then on', async () => {
  const { cluster, workload, attacker } = await withTraitor(4);
  const { suite, genesisHash, voteKeys } = cluster.setup;
  const keys = [voteKeys[BYZANTINE]!, simulatedKey(11, BYZANTINE + 1)];
  const signsBy = (): number => {
    const { statement, signature } = attacker.sign({ kind: 'nullify', epoch: attacker.epoch, view: View(1) });
    const message = statementBytes(genesisHash, statement);
    return keys.findIndex((key) => suite.verify(suite.publicKey(key), message, signature));
  };
  cluster.machine(BYZANTINE).voteKeys.push(keys[1]!);
  expect([attacker.epoch, signsBy()]).toEqual([0, 0]);
  const data = new CompiledAbi(membersAbi, suite).function('rotateVoteKey').encodeCall([suite.publicKey(keys[1]!)]);
  workload.act(BYZANTINE + 1, membersAddress, data);
  await cluster.run(20_000, () => attacker.epoch === 1);
  expect([attacker.epoch, signsBy()]).toEqual([1, 1]);
});

it('governance asks a Byzantine validator to step back in few runs, and others in most', async () => {
  const { cluster, workload } = await withTraitor(5);
  const asked: string[] = [];
  for (let seed = 1; seed <= 30; seed++) {
    const note = (what: string): void => void (what.endsWith('is to step back') && asked.push(what.split(' ')[0]!));
    new Governance(cluster, workload, { seed, note }).start();
  }
  await cluster.run(6_000);
  expect(asked.length).toBeGreaterThan(15);
  const traitors = asked.filter((name) => name === cluster.setup.names[BYZANTINE]);
  expect(traitors.length).toBeLessThan(asked.length / 8);
});
