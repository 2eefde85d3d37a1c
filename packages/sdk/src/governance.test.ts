import { membersAbi, membersAddress } from '@hanse/modules/abi';
import { decodeFunctionData, encodeErrorResult, encodeFunctionResult, type Hex, parseTransaction } from 'viem';
import { afterEach, describe, expect, it } from 'vitest';
import { type Handler, ok, ScriptedMember } from '../test/scriptedMember.ts';
import { describeError } from './describeError.ts';
import { createHanseClient } from './hanseClient.ts';

const KEY: Hex = `0x${'42'.repeat(32)}`;
const ACCOUNT: Hex = `0x${'ab'.repeat(20)}`;
const HASH: Hex = `0x${'77'.repeat(32)}`;
const PARENT: Hex = `0x${'66'.repeat(32)}`;
const VOTE_KEY: Hex = `0x02${'11'.repeat(32)}`;
const TRANSPORT_KEY: Hex = `0x${'22'.repeat(32)}`;
const ZERO: Hex = `0x${'00'.repeat(20)}`;

const PARAMETERS = {
  blockGasLimit: 60_000_000,
  maxTransactionGas: 16_777_216,
  idleBlockIntervalMs: 30_000,
  maxBlockTransactions: 4096,
  maxBlockBytes: 2_097_152,
  maxTransactionBytes: 131_072,
  openAccounts: false,
  minGasPrice: 0n,
};

const POLICY = { authority: 1, bank: 2, company: 0, percent: 66 };
const PROPOSED = {
  member: 0,
  name: '',
  role: 0,
  account: ZERO,
  voteKey: '0x' as Hex,
  transportKey: '0x' as Hex,
  endpoints: [] as readonly string[],
  feature: '',
  version: 0,
  height: 0,
  policyAction: 0,
  policy: { authority: 0, bank: 0, company: 0, percent: 0 },
};
const PROPOSAL = {
  id: 7,
  action: 2,
  state: 1,
  proposer: 1,
  createdAt: 1_700_000_000,
  expiresAt: 1_700_604_800,
  enactedHeight: 0,
  approvals: 1,
  rejections: 0,
  electorate: 4,
  approved: false,
  proposed: PROPOSED,
};

/** What the module answers, by function; a function that changes something answers nothing. */
type Results = Readonly<Record<string, unknown>>;

const running: ScriptedMember[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((member) => member.stop()));
});

/** A client of a member whose module answers so, and the calls of the module that were sent as transactions. */
async function clientOf(results: Results = {}, handlers: Readonly<Record<string, Handler>> = {}) {
  const all: Results = { parameters: PARAMETERS, memberByName: 3, ...results };
  const member = await new ScriptedMember({
    eth_chainId: () => ok('0xa6c3'),
    eth_call: ([call]) => {
      const { functionName } = decodeFunctionData({ abi: membersAbi, data: (call as { data: Hex }).data });
      const result = all[functionName];
      return ok(result === undefined ? '0x' : encodeFunctionResult({ abi: membersAbi, functionName, result } as never));
    },
    eth_getTransactionCount: () => ok('0x0'),
    eth_maxPriorityFeePerGas: () => ok('0x0'),
    eth_getBlockByNumber: () =>
      ok({ number: '0x29', hash: HASH, parentHash: PARENT, baseFeePerGas: '0x0', timestamp: '0x1', transactions: [] }),
    eth_sendRawTransaction: () => ok(HASH),
    ...handlers,
  }).start();
  running.push(member);
  const client = await createHanseClient({ rpcUrl: member.url, account: KEY });
  const sent = () =>
    member.asked
      .filter(({ method }) => method === 'eth_sendRawTransaction')
      .map(({ params }) => {
        const { to, data, gas } = parseTransaction(params[0] as Hex);
        const { functionName, args } = decodeFunctionData({ abi: membersAbi, data: data ?? '0x' });
        return { to, gas, call: [functionName, ...(args ?? [])] };
      });
  return { members: client.members, sent };
}

describe('a member that governs', () => {
  it('proposes, votes and enacts with calls of the module, members by name or number', async () => {
    const { members, sent } = await clientOf();
    const newcomer = { account: ACCOUNT, voteKey: VOTE_KEY, transportKey: TRANSPORT_KEY, endpoints: ['a:1'] };
    await members.proposeMember({ name: 'harbour', role: 'company', ...newcomer });
    await members.proposePromotion('farm');
    await members.proposeDemotion(2);
    await members.proposeRemoval('farm');
    await members.proposeKeys({ member: 'farm', voteKey: VOTE_KEY });
    await members.proposeRule({ feature: 'protocol', version: 2, height: 1_000 });
    await members.proposePolicy({ policyOf: 'changePolicy', policy: POLICY });
    await members.vote({ proposal: 7, approve: false });
    await members.withdraw(7);
    await members.enact(7);
    await members.declareReady();
    await members.rotateVoteKey(VOTE_KEY);
    await members.rotateTransportKey(TRANSPORT_KEY);
    await members.rotateAccount(ACCOUNT);
    await members.reportDoubleVote({ signer: 3, statements: ['0x01', '0x02'], signatures: ['0x03', '0x04'] });
    const lower = (value: unknown) => (typeof value === 'string' ? value.toLowerCase() : value);
    expect(sent().map(({ call: [name, ...args] }) => [name, ...args.map(lower)])).toEqual([
      ['proposeMember', 'harbour', 3, ACCOUNT, VOTE_KEY, TRANSPORT_KEY, ['a:1']],
      ['proposePromotion', 3],
      ['proposeDemotion', 2],
      ['proposeRemoval', 3],
      ['proposeKeys', 3, ZERO, VOTE_KEY, '0x'],
      ['proposeRule', 'protocol', 2, 1_000],
      ['proposePolicy', 7, POLICY],
      ['vote', 7, false],
      ['withdraw', 7],
      ['enact', 7],
      ['declareReady', 40, PARENT],
      ['rotateVoteKey', VOTE_KEY],
      ['rotateTransportKey', TRANSPORT_KEY],
      ['rotateAccount', ACCOUNT],
      ['reportDoubleVote', '0x01', '0x03', '0x02', '0x04', 3],
    ]);
    for (const { to, gas } of sent()) expect([to, gas]).toEqual([membersAddress, 8_000_000n]);
  });

  it('asks for no more gas than the network gives a transaction', async () => {
    const { members, sent } = await clientOf({ parameters: { ...PARAMETERS, maxTransactionGas: 1_000_000 } });
    await members.enact(7);
    expect(sent()[0]?.gas).toBe(1_000_000n);
  });

  it('hears why it is refused before anything is sent', async () => {
    const data = encodeErrorResult({ abi: membersAbi, errorName: 'ProposalClosed', args: [7, 5] });
    const error = { code: 3, message: 'execution reverted', data };
    const { members, sent } = await clientOf({}, { eth_call: () => ({ error }) });
    const failure = await members.vote({ proposal: 7, approve: true }).catch((cause: unknown) => cause);
    expect(describeError(failure)).toBe('reverted: ProposalClosed(proposal: 7, state: 5)');
    expect(sent()).toEqual([]);
  });

  it('hears of a name that nobody has', async () => {
    const { members } = await clientOf({ memberByName: 0 });
    await expect(members.proposeRemoval('nobody')).rejects.toThrow('This network has no member nobody.');
  });
});

describe('what the members decide', () => {
  const shown = async (change: object) => {
    const { members } = await clientOf({ getProposal: { ...PROPOSAL, ...change } });
    return await members.proposal(7);
  };

  it('is shown with names for codes and without what it does not use', async () => {
    const { proposed, action, enactedHeight, ...common } = PROPOSAL;
    expect(await shown({ proposed: { ...PROPOSED, member: 5 } })).toEqual({
      ...common,
      state: 'open',
      change: { action: 'promote', member: 5 },
    });
    const newcomer = { name: 'harbour', account: ACCOUNT, voteKey: VOTE_KEY, transportKey: TRANSPORT_KEY };
    const added = { ...PROPOSED, ...newcomer, role: 3, endpoints: ['a:1'] };
    const change = { action: 'addMember', ...newcomer, role: 'company', endpoints: ['a:1'] };
    expect(await shown({ action: 1, proposed: added })).toMatchObject({ change });
    const enacted = await shown({ action: 1, state: 3, enactedHeight: 9, proposed: { ...added, member: 5 } });
    expect(enacted).toMatchObject({ state: 'enacted', enactedHeight: 9, change: { ...change, member: 5 } });
    const keys = await shown({ action: 5, state: 2, proposed: { ...PROPOSED, member: 3, voteKey: VOTE_KEY } });
    expect([keys.state, keys.change]).toEqual(['passed', { action: 'replaceKeys', member: 3, voteKey: VOTE_KEY }]);
    const rule = { feature: 'protocol', version: 2, height: 1_000 };
    expect((await shown({ action: 6, proposed: { ...PROPOSED, ...rule } })).change).toEqual({
      action: 'changeRule',
      ...rule,
    });
    const policy = await shown({ action: 7, proposed: { ...PROPOSED, policyAction: 2, policy: POLICY } });
    expect(policy.change).toEqual({ action: 'changePolicy', policyOf: 'promote', policy: POLICY });
  });

  it('is not shown wrongly by a client that is older than the chain', async () => {
    await expect(shown({ action: 8 })).rejects.toThrow(
      'The chain has a kind of proposal that this version does not know',
    );
    await expect(shown({ state: 7 })).rejects.toThrow('a state of a proposal');
  });

  it('is read from the module', async () => {
    const evidence = {
      member: 2,
      signer: 1,
      epoch: 3n,
      viewNumber: 7n,
      kindA: 2,
      kindB: 3,
      hashA: HASH,
      hashB: PARENT,
      height: 40,
      reporter: ACCOUNT,
    };
    const rules = [{ feature: 'protocol', version: 2, height: 1_000 }];
    const { members } = await clientOf({
      proposalCount: 7,
      voteOf: 2,
      policyOf: POLICY,
      votingPeriod: 604_800,
      scheduledRules: rules,
      epoch: 3n,
      epochStart: 39,
      readyOf: [40, 1_700_003_600],
      evidenceCount: 1n,
      getEvidence: evidence,
      getMember: {
        id: 3,
        name: 'farm',
        role: 3,
        status: 2,
        account: ACCOUNT,
        validator: false,
        order: 0,
        voteKey: VOTE_KEY,
        transportKey: TRANSPORT_KEY,
        endpoints: ['a:1'],
      },
    });
    expect(await members.proposalCount()).toBe(7);
    expect(await members.voteOf({ proposal: 7, member: 'farm' })).toBe('reject');
    expect(await members.policy('promote')).toEqual(POLICY);
    expect(await members.votingPeriodSeconds()).toBe(604_800);
    expect(await members.scheduledRules()).toEqual(rules);
    expect([await members.epoch(), await members.epochStart(3)]).toEqual([3, 39]);
    expect(await members.readyOf('farm')).toEqual({ height: 40, until: 1_700_003_600 });
    expect(await members.evidenceCount()).toBe(1);
    expect(await members.evidence(0)).toEqual({
      member: 2,
      signer: 1,
      epoch: 3,
      view: 7,
      kinds: ['nullify', 'finalize'],
      hashes: [HASH, PARENT],
      height: 40,
      reporter: ACCOUNT,
    });
    expect(await members.member('farm')).toEqual({
      number: 3,
      name: 'farm',
      role: 'company',
      active: false,
      validator: false,
      account: ACCOUNT,
      voteKey: VOTE_KEY,
      transportKey: TRANSPORT_KEY,
      endpoints: ['a:1'],
    });
    const never = await clientOf({ readyOf: [0, 0], voteOf: 0 });
    expect(await never.members.readyOf(3)).toBeUndefined();
    expect(await never.members.voteOf({ proposal: 7, member: 3 })).toBeUndefined();
  });
});
