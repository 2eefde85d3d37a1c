import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readKeyFile } from '@hanse/node';
import {
  createInternationalSuite,
  Epoch,
  encodeVote,
  portablePrimitives,
  statementBytes,
  type ValidatorIndex,
  View,
} from '@hanse/protocol';
import { type Governance, type MemberStatus, sentTransaction } from '@hanse/sdk';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { checkEvidence } from '../../packages/cli/src/doctor/chainChecks.ts';
import { encodeList } from '../../packages/node/src/engine/boundedList.ts';
import { freePorts, hanse, LocalNetwork, removeFolders, temporaryFolder } from './localNetwork.ts';
import { call, until } from './rpc.ts';
import { clientOf, fund, heightOf, pay } from './soundness.ts';

// Members come and go as operators let them: real processes, the command line for what an operator does, the SDK for the votes of the others.

// Two dozen short processes on a machine that has other things to do.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

let root: string;
let network: LocalNetwork;
/** `hanse up --only NAME` of the members that were started beside the network. */
const beside: Promise<unknown>[] = [];

beforeAll(async () => {
  root = temporaryFolder();
  network = await LocalNetwork.start(root, await freePorts(6));
  await fund(network);
});

afterAll(async () => {
  await network.stop();
  await Promise.all(beside);
  removeFolders();
});

/** The JSON of a command on the network that must succeed. */
async function json<T = Record<string, unknown>>(...arguments_: readonly string[]): Promise<T> {
  const { code, stdout, stderr } = await hanse([...arguments_, '--data', root, '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as T;
}

/** The one line of a command that must fail. */
async function refusal(...arguments_: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await hanse([...arguments_, '--data', root]);
  expect({ stdout, failed: code !== 0 }).toEqual({ stdout: '', failed: true });
  expect(stderr).toMatch(/^[^\n]+\n$/);
  return stderr.trimEnd();
}

const governanceOf = async (member: string): Promise<Governance> => (await clientOf(network, member, 'bank')).members;
const statusOf = (member: string): Promise<MemberStatus> => call(network.member(member).rpcUrl, 'hanse_status');

/** Waits until a member's own node says so. */
const untilStatus = (member: string, check: (status: MemberStatus) => boolean): Promise<MemberStatus> =>
  until(async () => {
    const status = await statusOf(member);
    return check(status) ? status : undefined;
  });

/** Members approve the newest proposal until it takes no more. */
async function approve(...voters: readonly string[]): Promise<void> {
  const id = await (await governanceOf('bank')).proposalCount();
  for (const voter of voters) await (await (await governanceOf(voter)).vote({ proposal: id, approve: true })).final();
}

/** Proposed by the authority, approved by the others. */
async function decide(
  propose: (governance: Governance) => ReturnType<Governance['proposePromotion']>,
  ...voters: readonly string[]
): Promise<void> {
  await (await propose(await governanceOf('authority'))).final();
  await approve(...voters);
}

/** Starts a member beside the network, or again, and waits until it answers. */
async function start(name: string, environment: Readonly<Record<string, string>> = {}): Promise<void> {
  const before = network.description.members.find((member) => member.name === name)?.pid;
  beside.push(hanse(['up', '--data', root, '--only', name], environment));
  await until(async () => (network.member(name).pid === before ? undefined : await statusOf(name)));
}

function kill(name: string): void {
  process.kill(network.member(name).pid, 'SIGKILL');
}

/** Alice sends one transaction after another through the market. The result stops her, and says how many became final. */
function startLoad(): () => Promise<number> {
  let stopped = false;
  const sending = (async () => {
    const alice = await clientOf(network, 'alice', 'market');
    let count = 0;
    for (; !stopped; count++) {
      const hash = await alice.requireWallet().sendTransaction({ to: network.account('bob').address, value: 0n });
      await sentTransaction(alice.publicClient, hash).final();
    }
    return count;
  })();
  sending.catch(() => undefined);
  return () => {
    stopped = true;
    return sending;
  };
}

/** Puts two votes that contradict each other, signed with a validator's own key, among what a member that does not run saw. */
function plantDoubleVote(validator: string, signer: ValidatorIndex, witness: string): void {
  const key = readKeyFile(join(root, 'members', validator, 'keys', 'vote.key'));
  const suite = createInternationalSuite(portablePrimitives);
  const votes = ['aa', 'bb'].map((byte) => {
    const statement = {
      kind: 'notarize',
      epoch: Epoch(0),
      view: View(1),
      parentView: View(0),
      digest: `0x${byte.repeat(32)}`,
    } as const;
    const message = statementBytes(network.description.genesisHash, statement);
    return encodeVote({ statement, signer, signature: suite.sign(key, message) });
  });
  const folder = join(root, 'members', witness, 'data', 'evidence');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `0-1-${signer}-notarize-notarize.votes`), encodeList(votes));
}

const keysOf = (name: string): readonly string[] =>
  readdirSync(join(root, 'members', name, 'keys')).filter((file) => file.endsWith('.key'));

describe('a fifth member', () => {
  it('joins under load from nothing, becomes a validator, and its vote counts', async () => {
    const stopLoad = startLoad();
    await json('member', 'init', '--local', '--name', 'mill', '--role', 'company');
    await start('mill');
    expect(await statusOf('mill')).toMatchObject({ membership: 'none', voting: 'observer', height: 0 });
    expect(await refusal('member', 'ready', '--member', 'mill')).toContain('mill is not admitted');
    const { proposal } = await json<{ proposal: { id: number; state: string; missing: string } }>(
      ...['member', 'propose', 'add', 'mill', '--member', 'authority'],
    );
    expect(proposal).toMatchObject({ id: 1, state: 'open', missing: '2 more approvals' });
    expect(await json('member', 'vote', '1', '--member', 'bank')).toMatchObject({
      proposal: { state: 'open', missing: '1 more approval', undecided: ['farm', 'market'] },
    });
    // Given again, as after an interruption, nothing is sent.
    expect(await json('member', 'vote', '1', '--member', 'bank')).toMatchObject({
      proposal: { approvals: 2 },
      transaction: null,
    });
    await approve('farm');
    await decide((governance) => governance.proposePromotion(5), 'bank', 'farm', 'market');
    const ready = await json('member', 'ready', '--member', 'mill', '--wait', '120');
    expect(ready).toMatchObject({ promoted: true, transaction: { finality: { verified: true } } });
    expect(await untilStatus('mill', ({ voting }) => voting === 'voting')).toMatchObject({
      membership: 'active',
      epoch: 1,
      validators: ['authority', 'bank', 'farm', 'market', 'mill'],
    });
    expect(await stopLoad()).toBeGreaterThan(10);
    // Five validators, a quorum of four: without the farm it takes the mill.
    kill('farm');
    await pay(network);
  });
});

describe('all keys of a member', () => {
  it('rotate while it runs, and after kill -9 and a restart it votes with the new ones', async () => {
    // The farm is still down, so every block takes the mill's vote.
    for (const key of ['vote', 'transport', 'account']) {
      const rotated = await json('member', 'rotate', key, '--member', 'mill');
      expect(rotated).toMatchObject({
        changed: true,
        transaction: { status: 'success', finality: { verified: true } },
      });
      expect(rotated.file).toMatch(new RegExp(`/mill/keys/${key}-2\\.key$`));
    }
    // Done again, as after an interruption, nothing more is made.
    expect(await json('member', 'rotate', 'vote', '--member', 'mill')).toMatchObject({ changed: false });
    expect(keysOf('mill')).toHaveLength(6);
    const mill = await (await governanceOf('bank')).member('mill');
    kill('mill');
    // What the mill saw before it died: the bank signed two proposals of one view.
    plantDoubleVote('bank', 1, 'mill');
    await start('mill');
    const { voteKey, transportKey } = mill;
    await untilStatus('mill', (status) => status.voting === 'voting' && status.voteKey === voteKey);
    await untilStatus(
      'mill',
      (status) =>
        status.transportKey === transportKey && status.peers.filter(({ connected }) => connected).length === 3,
    );
    expect(network.account('mill').address).toBe(mill.account);
    await pay(network, 'mill');
  });

  it('that lay in the folder already, from a run that was broken off, are taken', async () => {
    const prepared = await json('member', 'rotate', 'vote', '--prepare', '--member', 'market');
    const rotated = await json('member', 'rotate', 'vote', '--member', 'market');
    expect(rotated).toMatchObject({ changed: true, file: prepared.file, publicPart: prepared.publicPart });
    expect(keysOf('market')).toHaveLength(4);
  });
});

describe('a double vote that a member saw', () => {
  it('is told by doctor until somebody puts it on the chain', async () => {
    const { rpcUrl } = network.member('mill');
    expect(await checkEvidence(rpcUrl)).toEqual([
      expect.objectContaining({ level: 'problem', what: expect.stringContaining('mill saw bank vote twice') }),
    ]);
    const evidence = await json('member', 'evidence', '--report', '--member', 'mill');
    expect(evidence).toMatchObject({
      seenBy: 'mill',
      seen: [{ validator: 'bank', recorded: true }],
      recorded: [{ member: 2, epoch: 0, view: 1, kinds: ['notarize', 'notarize'] }],
      reported: [{ status: 'success' }],
    });
    expect(await checkEvidence(rpcUrl)).toEqual([]);
  });
});

describe('a validator that the others remove', () => {
  it('is cut off while they go on', async () => {
    await start('farm');
    await untilStatus('farm', ({ peers }) => peers.every(({ connected }) => connected));
    await decide((governance) => governance.proposeRemoval(3), 'bank', 'market');
    await pay(network);
    await untilStatus('farm', ({ membership, peers }) => membership === 'removed' && peers.every((p) => !p.connected));
    const height = await heightOf(network.member('bank').rpcUrl);
    await pay(network, 'mill');
    expect(await statusOf('bank')).toMatchObject({
      validators: ['authority', 'bank', 'market', 'mill'],
      healthy: true,
    });
    expect((await statusOf('bank')).peers.map(({ name }) => name)).not.toContain('farm');
    expect(await heightOf(network.member('bank').rpcUrl)).toBeGreaterThan(height);
    expect(await refusal('member', 'vote', '1', '--member', 'farm')).toContain('farm was removed');
    const doctor = await hanse(['doctor', '--data', root]);
    expect([doctor.code, doctor.stdout]).toEqual([0, expect.stringContaining('farm was removed from the network')]);
  });
});

describe('an authority that lost its account', () => {
  it('acts again with a new one that the others voted for', async () => {
    renameSync(join(root, 'members', 'authority', 'keys', 'account.key'), join(root, 'lost.key'));
    const { publicPart } = await json<{ publicPart: string }>(
      ...['member', 'rotate', 'account', '--prepare', '--member', 'authority'],
    );
    await json('member', 'propose', 'keys', 'authority', '--account', publicPart, '--member', 'bank');
    await approve('market');
    const acted = await json('member', 'propose', 'policy', 'add', '--company', '1', '--member', 'authority');
    expect(acted).toMatchObject({ proposal: { proposer: 1, approvedBy: ['authority'] } });
    expect(network.account('authority').address).toBe(publicPart);
    expect(await json('member', 'withdraw', '5', '--member', 'authority')).toMatchObject({
      proposal: { state: 'withdrawn' },
    });
  });
});

describe('a rolling upgrade', () => {
  it('stops a member whose program lacks the rule before its height, and nobody else', async () => {
    const { proposal } = await json<{ proposal: { change: { height: number } } }>(
      ...['member', 'propose', 'rule', 'gas-schedule', '2', '--height', '+40', '--member', 'authority'],
    );
    const { height } = proposal.change;
    await approve('bank', 'market');
    kill('mill');
    await start('mill', { HANSE_PRETEND_RULES: 'gas-schedule=1' });
    const drill = beside.at(-1) as ReturnType<typeof hanse>;
    await untilStatus('mill', ({ missingRule }) => missingRule?.height === height);
    const doctor = await hanse(['doctor', '--data', root]);
    expect([doctor.code, doctor.stdout]).toEqual([
      1,
      expect.stringContaining('lacks version 2 of the rule "gas-schedule"'),
    ]);
    const bank = network.member('bank').rpcUrl;
    const stopLoad = startLoad();
    await until(async () => ((await heightOf(bank)) >= height ? true : undefined));
    await stopLoad();
    expect(await drill).toMatchObject({ code: 1 });
    const again = await hanse(['up', '--data', root, '--only', 'mill'], { HANSE_PRETEND_RULES: 'gas-schedule=1' });
    expect(again.stderr).toContain(`From block ${height} on the network runs version 2 of the rule "gas-schedule"`);
    await start('mill');
    await untilStatus('mill', (status) => status.voting === 'voting' && status.height >= height);
    await pay(network, 'mill');
  });
});
