import { get } from 'node:http';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RejectionCode } from '../chain/transactionRejection.ts';
import { ManualClock } from '../runtime/manualClock.ts';
import type { CallOutcome } from './dependencies.ts';
import { signed, token } from './testing/testChain.ts';
import { type RPCResponse, startTestServer, type TestServer } from './testing/testServer.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ limits: { maxBatchCalls: 1_000 } });
});
afterAll(() => server.close());

async function answer(body: string | Uint8Array): Promise<unknown> {
  return (await server.post(body)).json();
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Over a connection of its own, which ends with the answer. */
function metricsOf(server: TestServer): Promise<string> {
  return new Promise((resolve, reject) => {
    get(`${server.url}/metrics`, { agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });
}

function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

const failure = (code: number, message: string, id: unknown = null) => ({
  jsonrpc: '2.0',
  id,
  error: { code, message },
});
const call = (fields: object) => JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', ...fields });

describe('JSON-RPC 2.0', () => {
  it('refuses what is no JSON with a parse error', async () => {
    for (const body of [
      '',
      '{',
      '{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]',
      'eth_chainId',
      '\u0000',
    ]) {
      expect(await answer(body)).toMatchObject({ id: null, error: { code: -32700 } });
    }
    expect(await answer(new Uint8Array([0x22, 0xff, 0xfe, 0x22]))).toEqual(
      failure(-32700, 'parse error: the body is not UTF-8'),
    );
  });

  it('refuses JSON that is nested too deeply or holds too many values, before parsing it', async () => {
    expect(await answer('['.repeat(100_000))).toEqual(failure(-32700, 'parse error: nested deeper than 32 levels'));
    expect(await answer(`[${'1,'.repeat(200_000)}1]`)).toEqual(failure(-32700, 'parse error: more than 100000 values'));
    const brackets = call({ method: 'web3_clientVersion', note: '[{'.repeat(100) });
    expect(await answer(brackets)).toMatchObject({ result: expect.stringMatching(/^Hanse/) });
  });

  it('refuses what is no request', async () => {
    expect(await answer('1')).toMatchObject({ id: null, error: { code: -32600 } });
    expect(await answer('"eth_chainId"')).toMatchObject({ error: { code: -32600 } });
    expect(await answer('null')).toMatchObject({ error: { code: -32600 } });
    expect(await answer(call({ jsonrpc: '1.0' }))).toEqual(
      failure(-32600, 'invalid request: jsonrpc must be "2.0"', 1),
    );
    expect(await answer(call({ method: 1 }))).toEqual(failure(-32600, 'invalid request: method must be a string', 1));
    for (const id of [{}, [], true]) {
      expect(await answer(call({ id }))).toMatchObject({ id: null, error: { code: -32600 } });
    }
    // 2^53 + 1 cannot be repeated as it was sent.
    expect(await answer('{"jsonrpc":"2.0","id":9007199254740993,"method":"eth_chainId"}')).toMatchObject({
      error: { code: -32600 },
    });
  });

  it('repeats the identifier, whatever its type', async () => {
    for (const id of [1, -1, 1.5, 0, 'a"b', '', null]) {
      expect(await answer(call({ id }))).toEqual({ jsonrpc: '2.0', id, result: '0x13527d2' });
    }
  });

  it('names unknown methods, and is not fooled by names of objects', async () => {
    expect(await answer(call({ method: 'eth_mining' }))).toEqual(
      failure(-32601, 'the method eth_mining does not exist/is not available', 1),
    );
    for (const method of ['constructor', '__proto__', 'toString', '', 'x'.repeat(100_000)]) {
      expect(await answer(call({ method }))).toMatchObject({ error: { code: -32601 } });
    }
  });

  it('does not answer notifications, even wrong ones', async () => {
    for (const body of [{ method: 'eth_chainId' }, { method: 'unknown' }, { method: 'eth_getBalance', params: [1] }]) {
      const response = await server.post(JSON.stringify({ jsonrpc: '2.0', ...body }));
      expect([response.status, await response.text()]).toEqual([204, '']);
    }
  });

  it('answers a batch in order, without its notifications', async () => {
    const batch = [
      { jsonrpc: '2.0', id: 'a', method: 'eth_blockNumber' },
      { jsonrpc: '2.0', method: 'eth_blockNumber' },
      1,
      { jsonrpc: '2.0', id: 2, method: 'nothing' },
    ];
    const answers = (await answer(JSON.stringify(batch))) as RPCResponse[];
    expect(answers.map(({ id, error }) => [id, error?.code])).toEqual([
      ['a', undefined],
      [null, -32600],
      [2, -32601],
    ]);
    const silent = await server.post(JSON.stringify([{ jsonrpc: '2.0', method: 'eth_blockNumber' }]));
    expect(silent.status).toBe(204);
  });

  it('refuses an empty batch and one of 10,000 calls with one error', async () => {
    expect(await answer('[]')).toEqual(failure(-32600, 'empty batch'));
    const calls = Array.from({ length: 10_000 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'eth_chainId' }));
    // 10,000 calls have 50,000 values, so that it is the batch's own bound that refuses them.
    expect(await answer(JSON.stringify(calls))).toEqual(failure(-32600, 'batch too large: 10000 calls, at most 1000'));
    expect(await answer(JSON.stringify(calls.slice(0, 1_000)))).toHaveLength(1_000);
  });

  it('never fails inside for whatever JSON arrives', { timeout: 30_000 }, async () => {
    const methods = fc.constantFrom(
      'eth_getLogs',
      'eth_call',
      'eth_getBlockByNumber',
      'eth_feeHistory',
      'eth_getStorageAt',
      'eth_newFilter',
      'hanse_getFinality',
      'eth_sendRawTransaction',
      'eth_getBalance',
      'eth_subscribe',
    );
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.constantFrom(
        '0x',
        '0x0',
        '0x00',
        'latest',
        '-0x1',
        '0xg',
        `0x${'f'.repeat(65)}`,
        token,
        { to: token },
        { fromBlock: '0x0', address: [token] },
      ),
    );
    await fc.assert(
      fc.asyncProperty(methods, fc.array(value, { maxLength: 4 }), async (method, params) => {
        const { error } = await server.rpc(method, ...params);
        expect(error?.code).not.toBe(-32603);
      }),
      { numRuns: 300, seed: 20 },
    );
    expect(server.errors).toEqual([]);
  });
});

describe('parameters', () => {
  const error = async (method: string, ...params: unknown[]) => (await server.rpc(method, ...params)).error;

  it('are an array of the right length', async () => {
    expect(await answer(call({ params: {} }))).toEqual(failure(-32602, 'non-array args', 1));
    expect(await answer(call({ params: null }))).toMatchObject({ result: '0x13527d2' });
    expect(await error('eth_chainId', 1)).toEqual({ code: -32602, message: 'too many arguments, want at most 0' });
    expect(await error('eth_getBalance')).toEqual({ code: -32602, message: 'missing value for required argument 0' });
    expect(await error('eth_getBlockByNumber', 'latest', null)).toEqual({
      code: -32602,
      message: 'missing value for required argument 1',
    });
  });

  it("have the types of the method, with go-ethereum's words", async () => {
    const refused: [string, unknown[], string][] = [
      ['eth_getBalance', ['ab'.repeat(20)], 'invalid argument 0: hex string without 0x prefix'],
      ['eth_getBalance', ['0xab'], 'invalid argument 0: hex string has length 2, want 40 for address'],
      ['eth_getBalance', [`0x${'zz'.repeat(20)}`], 'invalid argument 0: invalid hex string'],
      ['eth_getBalance', [''], 'invalid argument 0: empty hex string'],
      ['eth_getBalance', [7], 'invalid argument 0: cannot use number as a hex string'],
      ['eth_getBalance', [{}], 'invalid argument 0: cannot use object as a hex string'],
      ['eth_getBlockByNumber', ['0x01', true], 'invalid argument 0: hex number with leading zero digits'],
      ['eth_getBlockByNumber', ['0x', true], 'invalid argument 0: hex string "0x"'],
      ['eth_getBlockByNumber', ['0x1ffffffffffffffff', true], 'invalid argument 0: hex number > 64 bits'],
      ['eth_getBlockByNumber', ['newest', true], 'invalid argument 0: hex string without 0x prefix'],
      ['eth_getBlockByNumber', ['latest', 1], 'invalid argument 1: cannot use number as a boolean'],
      ['eth_getBlockByHash', ['0x12', false], 'invalid argument 0: hex string has length 2, want 64 for hash'],
      ['eth_sendRawTransaction', ['0x123'], 'invalid argument 0: hex string of odd length'],
      ['eth_call', [[]], 'invalid argument 0: cannot use array as an object'],
      ['eth_call', [{ to: 1 }], 'invalid argument 0: to: cannot use number as a hex string'],
      [
        'eth_call',
        [{ to: token, data: '0x01', input: '0x02' }],
        'invalid argument 0: both "data" and "input" are set and not equal. Please use "input" to pass transaction call data',
      ],
      [
        'eth_call',
        [{ to: token, gasPrice: '0x1', maxFeePerGas: '0x1' }],
        'invalid argument 0: both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified',
      ],
      ['eth_call', [{ to: token }, 'latest', { [token]: {} }], 'invalid argument 2: overrides are not supported'],
      ['eth_getLogs', [[]], 'invalid argument 0: cannot use array as an object'],
      ['eth_getFilterChanges', ['filter'], 'invalid argument 0: hex string without 0x prefix'],
    ];
    for (const [method, params, message] of refused) {
      expect(await error(method, ...params), `${method} ${JSON.stringify(params)}`).toEqual({ code: -32602, message });
    }
    expect(await error('eth_call', { to: token, authorizationList: [] })).toMatchObject({ code: -32000 });
  });
});

describe('eth_sendRawTransaction', () => {
  const hex = (bytes: Uint8Array) => `0x${Buffer.from(bytes).toString('hex')}`;

  it('gives the hash of what the pool took', async () => {
    const transaction = signed('bob', { nonce: 2n, to: token });
    expect((await server.rpc('eth_sendRawTransaction', hex(transaction.raw))).result).toBe(transaction.hash);
  });

  it('refuses malformed transactions with the words that clients know', async () => {
    const { raw } = signed('bob', { nonce: 2n, to: token });
    const refused: [string, RegExp][] = [
      ['0x', /^invalid transaction/],
      ['0xc0', /rlp|invalid transaction/],
      [hex(raw.subarray(0, -1)), /^rlp|^invalid transaction/],
      [hex(Buffer.concat([raw, Buffer.from([0])])), /^rlp|^invalid transaction/],
      [hex(Buffer.concat([Buffer.from([3]), raw.subarray(1)])), /^transaction type not supported/],
      [hex(Buffer.concat([Buffer.from([4]), raw.subarray(1)])), /^transaction type not supported/],
    ];
    for (const [transaction, message] of refused) {
      const { error } = await server.rpc('eth_sendRawTransaction', transaction);
      expect(error?.code, transaction).toBe(-32000);
      expect(error?.message).toMatch(message);
    }
  });

  it.each<[RejectionCode, string, string]>([
    ['nonce-too-low', 'nonce too low: next nonce 5, tx nonce 3', 'nonce too low: next nonce 5, tx nonce 3'],
    ['wrong-chain', 'have 5 want 20260818', 'invalid chain id for signer: have 5 want 20260818'],
    ['invalid-signature', 's is above half the order', 'invalid transaction v, r, s values: s is above half the order'],
    ['oversized', '200000 bytes, limit 131072', 'oversized data: 200000 bytes, limit 131072'],
    ['gas-limit', '', 'exceeds block gas limit'],
    ['sender-not-permitted', 'the account is not registered', 'sender not permitted: the account is not registered'],
    ['deploy-not-permitted', '', 'deploy not permitted'],
  ])('passes on that the pool says %s', async (code, message, expected) => {
    server.pool.refusal = { code, message };
    const { error } = await server.rpc('eth_sendRawTransaction', hex(signed('bob', { to: token }).raw));
    server.pool.refusal = undefined;
    expect(error).toEqual({ code: -32000, message: expected });
  });
});

describe('eth_call and eth_estimateGas', () => {
  it('give reverts code 3, the reason, and the data', async () => {
    const { error } = await server.rpc('eth_call', { to: token, input: '0x12345678' }, 'latest');
    expect(error).toMatchObject({
      code: 3,
      message: 'execution reverted: unknown',
      data: expect.stringMatching(/^0x08c379a0/),
    });
  });

  it.each<[CallOutcome, object]>([
    [
      { status: 'revert', output: Buffer.from(`4e487b71${'0'.repeat(63)}1`, 'hex') },
      { code: 3, message: 'execution reverted: assert(false)', data: `0x4e487b71${'0'.repeat(63)}1` },
    ],
    [
      { status: 'revert', output: Buffer.from(`4e487b71${'0'.repeat(62)}99`, 'hex') },
      { code: 3, message: 'execution reverted: unknown panic code: 0x99', data: `0x4e487b71${'0'.repeat(62)}99` },
    ],
    [
      { status: 'revert', output: Buffer.from('wrong-calldatasize') },
      { code: 3, message: 'execution reverted', data: '0x77726f6e672d63616c6c6461746173697a65' },
    ],
    [
      { status: 'revert', output: new Uint8Array() },
      { code: 3, message: 'execution reverted', data: '0x' },
    ],
    [
      { status: 'failure', error: 'out of gas' },
      { code: -32000, message: 'out of gas' },
    ],
    [{ status: 'timeout' }, { code: -32000, message: 'execution aborted (timeout = 5s)' }],
  ])('turn %o into its error', async (outcome, expected) => {
    const other = await startTestServer({
      calls: { call: async () => outcome, estimateGas: async () => outcome as never },
    });
    if (outcome.status !== 'success') {
      expect((await other.rpc('eth_call', { to: token })).error).toEqual(expected);
      expect((await other.rpc('eth_estimateGas', { to: token })).error).toEqual(expected);
    }
    await other.close();
  });

  it('are bounded in number: some run, some wait, the rest is refused', async () => {
    const gates: (() => void)[] = [];
    const waiting = (): Promise<CallOutcome> =>
      new Promise((resolve) => gates.push(() => resolve({ status: 'success', output: new Uint8Array([1]) })));
    const small = await startTestServer({
      calls: Array.from({ length: 2 }, () => ({
        call: waiting,
        estimateGas: async () => ({ status: 'allowance', allowance: 5n }) as const,
      })),
      limits: { maxQueuedCalls: 1 },
    });
    const results: Promise<RPCResponse>[] = [];
    const firstRefusal = Promise.race(
      Array.from({ length: 5 }, () => {
        const result = small.rpc('eth_call', { to: token });
        results.push(result);
        return result;
      }),
    );
    expect((await firstRefusal).error).toEqual({
      code: -32005,
      message: 'limit exceeded: 1 calls wait already, try again later',
    });
    // While calls hang, everything else is answered.
    expect((await small.rpc('eth_blockNumber')).result).toBe('0x4');
    const opener = (async () => {
      for (let opened = 0; opened < 3; ) {
        const gate = gates.shift();
        if (gate === undefined) await new Promise((resolve) => setImmediate(resolve));
        else {
          opened++;
          gate();
        }
      }
    })();
    const settled = await Promise.all(results);
    await opener;
    expect(settled.filter(({ result }) => result === '0x01')).toHaveLength(3);
    expect(settled.filter(({ error }) => error?.code === -32005)).toHaveLength(2);
    expect((await small.rpc('eth_estimateGas', { to: token })).error).toEqual({
      code: -32000,
      message: 'gas required exceeds allowance (5)',
    });
    await small.close();
  });

  it('hide what goes wrong inside from the client, and log it', async () => {
    const broken = await startTestServer({
      calls: {
        call: () => Promise.reject(new Error('secret path /x')),
        estimateGas: () => Promise.reject(new Error('')),
      },
    });
    expect((await broken.rpc('eth_call', { to: token })).error).toEqual({ code: -32603, message: 'internal error' });
    expect(broken.errors.join()).toContain('secret path');
    await broken.close();
  });
});

describe('the size of answers', () => {
  it('is bounded: what does not fit is an error, in a batch for the calls it does not fit', async () => {
    const small = await startTestServer({ limits: { maxResponseBytes: 5_000 } });
    const block = { jsonrpc: '2.0', method: 'eth_getBlockByNumber', params: ['0x2', true] };
    const response = await small.post(JSON.stringify([1, 2, 3].map((id) => ({ ...block, id }))));
    const answers = (await response.json()) as RPCResponse[];
    expect(answers.map(({ error }) => error?.code)).toEqual([undefined, -32003, -32003]);
    await small.close();
  });
});

describe('the time of a request', () => {
  it('is bounded: calls of a batch that come too late are refused, and calls are given no more time than is left', async () => {
    const clock = new ManualClock();
    const allowed: number[] = [];
    const slow = await startTestServer({
      clock,
      calls: {
        async call(_request, { timeoutMs }) {
          allowed.push(timeoutMs);
          clock.advance(4_000);
          return { status: 'success', output: new Uint8Array() };
        },
        estimateGas: async () => ({ status: 'timeout' }),
      },
      limits: { callSliceMs: 10_000, requestTimeoutMs: 10_000, callTimeoutMs: 5_000 },
    });
    const batch = [1, 2, 3, 4].map((id) => ({ jsonrpc: '2.0', id, method: 'eth_call', params: [{ to: token }] }));
    const answers = (await (await slow.post(JSON.stringify(batch))).json()) as RPCResponse[];
    expect(answers.map(({ error }) => error?.message)).toEqual([undefined, undefined, undefined, 'request timed out']);
    expect(allowed).toEqual([5_000, 5_000, 2_000]);
    await slow.close();
  });

  it('ends with its client: the rest of a batch is not carried out', async () => {
    let calls = 0;
    const begun = deferred<void>();
    const gate = deferred<CallOutcome>();
    const server = await startTestServer({
      calls: {
        call() {
          calls++;
          begun.resolve();
          return gate.promise;
        },
        estimateGas: async () => ({ status: 'timeout' }),
      },
    });
    const batch = [1, 2, 3].map((id) => ({ jsonrpc: '2.0', id, method: 'eth_call', params: [{ to: token }] }));
    const { hostname, port } = new URL(server.url);
    const body = JSON.stringify(batch);
    const socket = connect(Number(port), hostname);
    socket.write(
      `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await begun.promise;
    socket.destroy();
    // The member has seen the end of that connection when the one that asks is the only one left.
    while (!(await metricsOf(server)).includes('hanse_rpc_connections 1\n')) await nextTurn();
    gate.resolve({ status: 'success', output: new Uint8Array() });
    while (!(await metricsOf(server)).includes('outcome="request-timeout"} 2')) await nextTurn();
    expect(calls).toBe(1);
    await server.close();
  });
});
