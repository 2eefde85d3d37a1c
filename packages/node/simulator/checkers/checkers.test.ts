import {
  type Certificate,
  Epoch,
  type FinalizeStatement,
  type Hash,
  type Header,
  Height,
  proposalDigest,
  type Statement,
  statementBytes,
  View,
} from '@hanse/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { encodeProposalEnvelope, encodeVotes, messageKinds } from '../../src/engine/messages.ts';
import type { LedgerReader } from '../../src/storage/ledgerReader.ts';
import { Cluster } from '../world/cluster.ts';
import { engineFrame } from '../world/wire.ts';
import { Workload } from '../world/workload.ts';
import { Agreement } from './agreement.ts';
import { CertificateValidity } from './certificateValidity.ts';
import type { CheckerContext } from './checker.ts';
import { createCheckers } from './checkers.ts';
import { Composure } from './composure.ts';
import { Durability } from './durability.ts';
import { ExecutionDeterminism } from './executionDeterminism.ts';
import { FlushBeforeSend } from './flushBeforeSend.ts';
import { NotarizedParents } from './notarizedParents.ts';
import { OneVote } from './oneVote.ts';
import { Supply } from './supply.ts';

const clusters: Cluster[] = [];
afterEach(() => {
  for (const cluster of clusters.splice(0)) cluster.close();
});

interface Setting {
  readonly cluster: Cluster;
  readonly context: CheckerContext;
  readonly violations: string[];
}

async function setting(): Promise<Setting> {
  const options = {
    seed: 1,
    suite: 'fast',
    validators: 4,
    observers: 0,
    cloning: false,
    logSegmentBytes: 1 << 20,
  } as const;
  const cluster = await Cluster.create(options);
  clusters.push(cluster);
  const violations: string[] = [];
  return { cluster, context: { cluster, report: (violation) => violations.push(violation) }, violations };
}

/** Four members that run, and have some blocks with payments in them. */
async function running(): Promise<Setting> {
  const given = await setting();
  const { cluster } = given;
  const workload = new Workload(cluster, 1);
  cluster.observe(workload);
  await cluster.startAll();
  workload.start();
  await cluster.run(10_000, () => cluster.machines.every(({ process }) => process!.reader!.headHeight() >= 5));
  workload.end();
  await cluster.run(5_000, () => workload.allFinal);
  return given;
}

const hash = (byte: string): Hash => `0x${byte.repeat(32)}`;
const finalize = (view: number, byte: string): FinalizeStatement => ({
  kind: 'finalize',
  epoch: Epoch(0),
  view: View(view),
  digest: hash('d1'),
  height: Height(1),
  blockHash: hash(byte),
});
const nullify = (view: number): Statement => ({ kind: 'nullify', epoch: Epoch(0), view: View(view) });

function votesFrame({ setup }: Cluster, member: number, ...statements: readonly Statement[]): Uint8Array {
  const votes = statements.map((statement) => ({
    statement,
    signer: member,
    signature: setup.suite.sign(setup.voteKeys[member]!, statementBytes(setup.genesisHash, statement)),
  }));
  return engineFrame(Epoch(0), messageKinds.votes, encodeVotes(votes));
}

/** A reader that shows one block at every height. */
const showing = (fields: Partial<Header>, blockHash: Hash): LedgerReader =>
  ({
    header: () => ({ header: fields as Header, hash: blockHash }),
    proposal: () => undefined,
    certificate: () => undefined,
  }) as unknown as LedgerReader;

describe('the checkers', () => {
  it('find nothing in members that keep the protocol', async () => {
    const { cluster, context, violations } = await setting();
    const checkers = createCheckers(context);
    for (const checker of checkers) cluster.observe(checker);
    await cluster.startAll();
    const workload = new Workload(cluster, 1);
    workload.start();
    await cluster.run(1_500);
    workload.end();
    await cluster.run(1_000);
    for (const checker of checkers) checker.finish?.();
    expect(violations).toEqual([]);
  });

  it('agreement: two blocks at one height, and a block on another parent', async () => {
    const { cluster, context, violations } = await setting();
    const checker = new Agreement(context);
    const [one, two] = cluster.machines;
    checker.finalized(one!, [{ height: 1 }], showing({ parentHash: hash('00') }, hash('b1')));
    checker.finalized(two!, [{ height: 1 }], showing({ parentHash: hash('00') }, hash('b2')));
    checker.finalized(two!, [{ height: 2 }], showing({ parentHash: hash('b2') }, hash('c2')));
    expect(violations).toEqual([
      expect.stringMatching(/^two blocks at height 1: 0xb1.* at authority, 0xb2.* at bank$/),
      'block 2 of bank stands on another parent than authority has',
    ]);
  });

  it('certificate validity: a certificate that a quorum did not sign, and a newest block without one', async () => {
    const { cluster, context, violations } = await running();
    const { process } = cluster.machine(1);
    const reader = process!.reader!;
    const height = reader.headHeight();
    const good = reader.certificate(height)!;
    const forged: Certificate<FinalizeStatement> = {
      ...good,
      signatures: good.signatures.map((entry) => ({ ...entry, signature: new Uint8Array(64) })),
    };
    const with_ = (certificate: Certificate<FinalizeStatement> | undefined): LedgerReader =>
      ({
        header: () => reader.header(height),
        proposal: () => reader.proposal(height),
        certificate: () => certificate,
        state: () => reader.state(),
      }) as unknown as LedgerReader;
    const checker = new CertificateValidity(context);
    checker.finalized(cluster.machine(1), [{ height }], with_(good));
    expect(violations).toEqual([]);
    checker.finalized(cluster.machine(1), [{ height }], with_(forged));
    checker.finalized(cluster.machine(1), [{ height }], with_(undefined));
    const other = { ...good, statement: { ...good.statement, blockHash: hash('ff') } };
    checker.finalized(cluster.machine(1), [{ height }], with_(other));
    expect(violations).toEqual([
      expect.stringMatching(/the signature of .* is wrong$/),
      `bank told of block ${height}, which no certificate covers`,
      `the certificate of block ${height} at bank: it is of another block`,
      expect.stringMatching(/the signature of .* is wrong$/),
    ]);
  });

  it('execution determinism: other results for one block, and ledgers that differ', async () => {
    const { cluster, context, violations } = await running();
    const checker = new ExecutionDeterminism(context);
    const [one, two] = cluster.machines;
    const reader = one!.process!.reader!;
    checker.finalized(one!, [{ height: 1 }], reader);
    const { header } = reader.header(Height(1))!;
    checker.finalized(two!, [{ height: 1 }], showing({ ...header, stateRoot: hash('aa') }, hash('b1')));
    expect(violations).toEqual(['bank and authority have different results at height 1']);
    const [entry] = [...two!.database.open().range('slots', {})];
    two!.database.open().transaction((batch) => batch.put('slots', entry!.key, Uint8Array.of(1, 2, 3)));
    checker.finish();
    expect(violations).toContainEqual(expect.stringContaining('differ in their tables "slots"'));
  });

  it('execution determinism: a block whose receipts are not those of its header', async () => {
    const { cluster, context, violations } = await running();
    const [one] = cluster.machines;
    const reader = one!.process!.reader!;
    const height = reader.headHeight();
    const changed = Object.assign(Object.create(reader), {
      header: (at: Height) => reader.header(at),
      transactions: (at: Height) => reader.transactions(at),
      proposal: (at: Height) => reader.proposal(at),
      receipts: () => [],
    }) as LedgerReader;
    new ExecutionDeterminism(context).finalized(one!, [{ height }], changed);
    expect(violations).toEqual([expect.stringContaining('its receipts root does not fit what is stored')]);
  });

  it('one vote: two results in one view, and nullify beside finalize, also in another life', async () => {
    const { cluster, context, violations } = await setting();
    const checker = new OneVote(context);
    const machine = cluster.machine(2);
    checker.sent(machine, 0, votesFrame(cluster, 2, finalize(3, 'b1')));
    checker.sent(machine, 1, votesFrame(cluster, 2, finalize(3, 'b1'), nullify(4)));
    expect(violations).toEqual([]);
    checker.sent(machine, 1, votesFrame(cluster, 2, finalize(3, 'b2')));
    checker.sent(machine, 1, votesFrame(cluster, 2, finalize(4, 'b2')));
    expect(violations).toEqual([
      'member-2 signed two finalize votes in view 3',
      'member-2 signed nullify and finalize in view 4',
    ]);
  });

  it('one vote: anything new in a view of which a lost log may have spoken', async () => {
    const { cluster, context, violations } = await setting();
    const checker = new OneVote(context);
    const machine = cluster.machine(2);
    checker.sent(machine, 0, votesFrame(cluster, 2, nullify(4)));
    // It never had a log here, so every start is one without it.
    checker.starting(machine);
    checker.sent(machine, 0, votesFrame(cluster, 2, nullify(4), nullify(5)));
    expect(violations).toEqual([]);
    checker.sent(machine, 0, votesFrame(cluster, 2, finalize(3, 'b1')));
    expect(violations).toEqual(['member-2 signed finalize in view 3 after it lost its log of view 4']);
  });

  it('notarized parents: a vote on a parent without votes, and across a view without nullify votes', async () => {
    const { cluster, context, violations } = await running();
    const checker = new NotarizedParents(context);
    const { suite, genesisHash, voteKeys } = cluster.setup;
    const proposal = {
      epoch: Epoch(0),
      view: View(902),
      leader: 2,
      parentDigest: hash('d0'),
      height: Height(90),
      timeMs: 1,
      transactionHashes: [],
    };
    const digest = proposalDigest(suite, genesisHash, proposal);
    const statement = { kind: 'notarize', epoch: Epoch(0), view: View(902), parentView: View(900), digest } as const;
    const signature = suite.sign(voteKeys[2]!, statementBytes(genesisHash, statement));
    const message = { proposal, digest, leaderVote: { statement, signer: 2, signature }, justification: [] };
    const frame = engineFrame(Epoch(0), messageKinds.proposal, encodeProposalEnvelope({ message, inline: [] }));
    for (const member of [0, 1]) {
      const parent = { ...statement, view: View(900), parentView: View(899), digest: hash('d0') };
      checker.sent(cluster.machine(member), 3, votesFrame(cluster, member, parent, nullify(901)));
    }
    checker.sent(cluster.machine(2), 3, frame);
    expect(violations).toEqual([]);
    const other = new NotarizedParents(context);
    other.sent(cluster.machine(2), 3, frame);
    expect(violations).toEqual([
      'member-2 notarized a proposal in view 902 on a parent that was not notarized in view 900',
      'member-2 notarized a proposal in view 902 across view 901, which was not nullified',
    ]);
  });

  it('flush before send: a vote that is not in the durable log', async () => {
    const { cluster, context, violations } = await running();
    const checker = new FlushBeforeSend(context);
    checker.sent(cluster.machine(2), 0, votesFrame(cluster, 2, nullify(9_999)));
    expect(violations).toEqual(['member-2 sent its nullify vote of view 9999 before it was durable']);
  });

  it('supply: a balance that nobody paid', async () => {
    const { cluster, context, violations } = await running();
    const checker = new Supply(context);
    const machine = cluster.machine(0);
    checker.finalized(machine, [], machine.process!.reader!);
    expect(violations).toEqual([]);
    // Every slot in turn, until one of them is of the currency's accounts.
    for (const { key, value } of [...machine.database.open().range('slots', {})]) {
      const changed = value.slice();
      changed[changed.length - 1]! ^= 0x55;
      machine.database.open().transaction((batch) => batch.put('slots', key, changed));
      try {
        checker.finish();
      } catch {
        // Other slots hold what the readers cannot read then, for example how many members there are.
      }
      machine.database.open().transaction((batch) => batch.put('slots', key, value));
    }
    expect(violations.filter((violation) => violation.startsWith('DCNY at height')).length).toBeGreaterThan(2);
  });

  it('durability: a told block that a member does not have any more, and a transaction that is final twice', async () => {
    const { cluster, context, violations } = await running();
    const checker = new Durability(context);
    const machine = cluster.machine(3);
    const reader = machine.process!.reader!;
    const height = reader.headHeight();
    for (let at = 1; at <= height; at++) checker.finalized(machine, [{ height: at }], reader);
    checker.started(machine);
    checker.finish();
    expect(violations).toEqual([]);
    const again = { header: () => reader.header(height), proposal: () => reader.proposal(height) };
    checker.finalized(machine, [{ height: height + 1 }], again as unknown as LedgerReader);
    expect(violations).toContainEqual(expect.stringContaining('is final twice'));
    checker.started(machine);
    const missing = `member-3 told that block ${height + 1} is final and does not have it any more`;
    expect(violations).toContainEqual(missing);
    // Its machine lost it: the others alone answer for that block, until the member tells of blocks again.
    const before = violations.length;
    cluster.end(machine, 'kill');
    machine.loseLedger();
    cluster.start(machine);
    await cluster.run(5_000, () => machine.process?.state === 'running');
    checker.started(machine);
    expect(violations.length).toBe(before);
    checker.finalized(machine, [{ height: height + 1 }], again as unknown as LedgerReader);
    checker.started(machine);
    expect(violations.slice(before)).toContainEqual(missing);
  });

  it('composure: alarms, errors and blame without a cause', async () => {
    const { cluster, context, violations } = await setting();
    const checker = new Composure(context);
    const machine = cluster.machine(1);
    checker.alarm(machine, 'divergence', 'height 3');
    checker.logged(machine, 'error', 'answering a request failed', { kind: 1 });
    checker.logged(machine, 'warn', 'peer penalized', { peer: 'authority', reason: 'a wrong signature' });
    checker.threw(machine, new RangeError('a defect'));
    expect(violations).toHaveLength(4);
    machine.diskFailed = true;
    checker.alarm(machine, 'log-failed', 'no space');
    expect(violations).toHaveLength(4);
    checker.alarm(machine, 'divergence', 'height 3');
    expect(violations).toHaveLength(5);
  });

  it('composure: the alarm of a lost log, from when the member has followed the rule until it loses something again', async () => {
    const { cluster, context, violations } = await running();
    const checker = new Composure(context);
    cluster.observe(checker);
    const machine = cluster.machine(2);
    const loses = (what: () => void): void => {
      cluster.end(machine, 'power');
      what();
      cluster.start(machine);
    };
    const runs = (): boolean => machine.process?.state === 'running';
    loses(() => {
      machine.lostLog = true;
      machine.disk.deleteFolder('log');
    });
    // The member says so itself. Another start without a vote between is one more alarm of the same loss.
    await cluster.run(5_000, runs);
    loses(() => undefined);
    await cluster.run(5_000, runs);
    expect(machine.process?.member?.engine.state().voting).toBe('amnesia');
    expect(violations).toEqual([]);
    const workload = new Workload(cluster, 2);
    cluster.observe(workload);
    for (let payment = 0; payment < 5; payment++) {
      workload.probe();
      await cluster.run(15_000);
    }
    expect(machine.process?.member?.engine.state().voting).toBe('voting');
    checker.alarm(machine, 'amnesia', 'once more');
    expect(violations).toEqual(['member-2 raised the alarm amnesia: once more']);
    // Another's loss, and its own ledger's, say more than that its log was lost once.
    checker.alarm(cluster.machine(1), 'amnesia', 'it never lost any');
    expect(violations).toHaveLength(2);
    loses(() => machine.loseLedger());
    await cluster.run(5_000, runs);
    checker.alarm(machine, 'amnesia', 'others remind it of what the lost log held');
    expect(violations).toHaveLength(2);
  });
});
