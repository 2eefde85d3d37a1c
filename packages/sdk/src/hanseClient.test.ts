import { currencyAbi, currencyAddress, currencyFactoryAbi, membersAbi, membersAddress } from '@hanse/modules/abi';
import { decodeFunctionData, encodeErrorResult, encodeFunctionResult, type Hex, parseTransaction } from 'viem';
import { afterEach, describe, expect, it } from 'vitest';
import { type Handler, ok, ScriptedMember } from '../test/scriptedMember.ts';
import { describeError, failureKind } from './describeError.ts';
import { createHanseClient } from './hanseClient.ts';
import { TransactionFailedError } from './sentTransaction.ts';

const DCNY = currencyAddress(1n);
const KEY: Hex = `0x${'42'.repeat(32)}`;
const ALICE: Hex = `0x${'a1'.repeat(20)}`;
const HASH: Hex = `0x${'77'.repeat(32)}`;

/** What every member answers. */
const DEFAULTS: Readonly<Record<string, Handler>> = {
  eth_chainId: () => ok('0xa6c3'),
  eth_call: ([call]) => ok(answerCall(call as { to: Hex; data: Hex })),
  eth_getTransactionCount: () => ok('0x0'),
  eth_estimateGas: () => ok('0x5208'),
  eth_maxPriorityFeePerGas: () => ok('0x0'),
  eth_gasPrice: () => ok('0x0'),
  eth_getBlockByNumber: () => ok(BLOCK),
  eth_blockNumber: () => ok('0x1'),
  eth_sendRawTransaction: () => ok(HASH),
  eth_getTransactionReceipt: () => ok(receipt('0x1')),
};

const ZEROS = `0x${'00'.repeat(32)}`;
const BLOCK = {
  number: '0x1',
  hash: HASH,
  parentHash: ZEROS,
  baseFeePerGas: '0x0',
  gasLimit: '0x3938700',
  gasUsed: '0x0',
  timestamp: '0x1',
  transactions: [],
};

function receipt(status: string, revertReason?: Hex): Record<string, unknown> {
  return {
    transactionHash: HASH,
    blockHash: HASH,
    blockNumber: '0x1',
    status,
    logs: [],
    gasUsed: '0x5208',
    cumulativeGasUsed: '0x5208',
    effectiveGasPrice: '0x0',
    transactionIndex: '0x0',
    type: '0x2',
    from: ALICE,
    to: DCNY,
    contractAddress: null,
    ...(revertReason === undefined ? {} : { revertReason }),
  };
}

/** DCNY with two decimals is the only currency; alice owns 12.50. */
function answerCall({ to, data }: { readonly to: Hex; readonly data: Hex }): Hex {
  if (to.toLowerCase() === DCNY) {
    const { functionName } = decodeFunctionData({ abi: currencyAbi, data });
    const results = { symbol: 'DCNY', name: 'Digital Yuan', decimals: 2, balanceOf: 1250n, totalSupply: 1_000_000n };
    const result = results[functionName as keyof typeof results];
    return encodeFunctionResult({ abi: currencyAbi, functionName: functionName as 'name', result: result as string });
  }
  if (to.toLowerCase() === membersAddress)
    return encodeFunctionResult({ abi: membersAbi, functionName: 'permissionsOf', result: [true, false] });
  const call = decodeFunctionData({ abi: currencyFactoryAbi, data });
  if (call.functionName === 'currencyCount')
    return encodeFunctionResult({ abi: currencyFactoryAbi, functionName: 'currencyCount', result: 1n });
  const known = call.functionName === 'currencyAt' || call.args?.[0] === 'DCNY';
  const result = known ? DCNY : (`0x${'00'.repeat(20)}` as const);
  return encodeFunctionResult({ abi: currencyFactoryAbi, functionName: 'currencyBySymbol', result });
}

const members: ScriptedMember[] = [];
async function member(handlers: Readonly<Record<string, Handler>> = {}): Promise<ScriptedMember> {
  const started = await new ScriptedMember({ ...DEFAULTS, ...handlers }).start();
  members.push(started);
  return started;
}
afterEach(async () => {
  await Promise.all(members.splice(0).map((each) => each.stop()));
});

describe('a client that reads', () => {
  it('asks the member for the chain id, and finds currencies by symbol and in order', async () => {
    const client = await createHanseClient({ rpcUrl: (await member()).url });
    expect(client.chain.id).toBe(42_691);
    const yuan = await client.currency('DCNY');
    expect(yuan).toMatchObject({ address: DCNY, symbol: 'DCNY', name: 'Digital Yuan', decimals: 2 });
    expect(yuan.format(await yuan.balanceOf(ALICE))).toBe('12.50');
    expect((await client.currencies()).map(({ symbol }) => symbol)).toEqual(['DCNY']);
    await expect(client.currency('EUR')).rejects.toThrow('This network has no currency EUR.');
  });

  it('gives finality for heights as quantities, and for the newest block', async () => {
    const asked = await member({ hanse_getFinality: () => ok(null) });
    const client = await createHanseClient({ rpcUrl: asked.url });
    await client.finality(65n);
    await client.finality('latest');
    const heights = asked.asked.filter(({ method }) => method === 'hanse_getFinality').map(({ params }) => params[0]);
    expect(heights).toEqual(['0x41', 'latest']);
  });

  it('says so when it is asked to sign without an account', async () => {
    const client = await createHanseClient({ rpcUrl: (await member()).url });
    const yuan = await client.currency('DCNY');
    await expect(yuan.transfer({ to: ALICE, amount: '1' })).rejects.toThrow('This client has no account');
  });

  it('reads what an account may do', async () => {
    const client = await createHanseClient({ rpcUrl: (await member()).url });
    expect(await client.members.permissionsOf(ALICE)).toEqual({ mayTransact: true, mayDeploy: false });
  });
});

describe('a client that pays', () => {
  it('signs a transfer of the smallest units and waits until it is final', async () => {
    const asked = await member();
    const client = await createHanseClient({ rpcUrl: asked.url, account: KEY });
    const payment = await (await client.currency('DCNY')).transfer({ to: ALICE, amount: '12.50' });
    const raw = asked.asked.find(({ method }) => method === 'eth_sendRawTransaction')?.params[0] as Hex;
    const sent = parseTransaction(raw);
    expect(sent).toMatchObject({ chainId: 42_691, to: DCNY });
    const call = decodeFunctionData({ abi: currencyAbi, data: sent.data ?? '0x' });
    expect(call.functionName).toBe('transfer');
    expect(call.args?.[1]).toBe(1250n);
    expect((await payment.final()).status).toBe('success');
  });

  it('rejects a payment that reverted in its block, with the reason', async () => {
    const args = [ALICE, 0n, 1250n] as const;
    const reason = encodeErrorResult({ abi: currencyAbi, errorName: 'ERC20InsufficientBalance', args });
    const { url } = await member({ eth_getTransactionReceipt: () => ok(receipt('0x0', reason)) });
    const client = await createHanseClient({ rpcUrl: url, account: KEY });
    const payment = await (await client.currency('DCNY')).transfer({ to: ALICE, amount: '12.50' });
    const failure = await payment.final().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TransactionFailedError);
    expect(failureKind(failure)).toBe('refused');
    expect(describeError(failure)).toContain(`ERC20InsufficientBalance(sender: ${ALICE}, balance: 0, needed: 1250)`);
  });

  it('gives the reason of a payment that would revert, before it is sent', async () => {
    const data = encodeErrorResult({ abi: currencyAbi, errorName: 'ERC20InsufficientBalance', args: [ALICE, 0n, 1n] });
    const error = { code: 3, message: 'execution reverted', data };
    const asked = await member({ eth_estimateGas: () => ({ error }) });
    const client = await createHanseClient({ rpcUrl: asked.url, account: KEY });
    const yuan = await client.currency('DCNY');
    const failure = await yuan.transfer({ to: ALICE, amount: '0.01' }).catch((cause: unknown) => cause);
    expect(failureKind(failure)).toBe('refused');
    expect(describeError(failure)).toBe(`reverted: ERC20InsufficientBalance(sender: ${ALICE}, balance: 0, needed: 1)`);
    expect(asked.asked.some(({ method }) => method === 'eth_sendRawTransaction')).toBe(false);
  });

  it("repeats the member's words when the pool refuses", async () => {
    const error = { code: -32_000, message: 'sender not permitted: account 0x12 is not registered on this network' };
    const { url } = await member({ eth_sendRawTransaction: () => ({ error }) });
    const client = await createHanseClient({ rpcUrl: url, account: KEY });
    const yuan = await client.currency('DCNY');
    const failure = await yuan.transfer({ to: ALICE, amount: '1' }).catch((cause: unknown) => cause);
    expect(failureKind(failure)).toBe('refused');
    expect(describeError(failure)).toBe(error.message);
  });
});

describe('a member that is not there', () => {
  it('is named with its address', async () => {
    const gone = await member();
    const { url } = gone;
    await gone.stop();
    const failure = await createHanseClient({ rpcUrl: url }).catch((cause: unknown) => cause);
    expect(failureKind(failure)).toBe('unreachable');
    expect(describeError(failure)).toContain(`${url} does not answer`);
  });
});

describe('failureKind', () => {
  it('takes what it does not know for a fault of the program', () => {
    expect(failureKind(new TypeError('x is undefined'))).toBe('other');
    expect(describeError('just text')).toBe('just text');
  });
});
