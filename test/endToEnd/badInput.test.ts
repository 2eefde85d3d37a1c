import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import {
  bytesToHex,
  createInternationalSuite,
  encodeTransaction,
  type Hex,
  hexToBytes,
  portablePrimitives,
  type SignedTransaction,
  signTransaction,
  type UnsignedTransaction,
} from '@hanse/protocol';
import { type TransactionSerializable, toHex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestWebSocket } from '../../packages/node/src/rpc/testing/webSocketClient.ts';
import { freePorts, LocalNetwork, removeFolders, temporaryFolder } from './localNetwork.ts';
import { type Answer, ask, call, post } from './rpc.ts';
import { expectSound, fund, heightOf, metric } from './soundness.ts';

const suite = createInternationalSuite(portablePrimitives);
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const MiB = 1024 * 1024;
/** JUMPDEST, PUSH1 0, JUMP: as init code it needs no contract. */
const endlessLoop = { data: '0x5b600056' };

describe('bad input to a running network', () => {
  let network: LocalNetwork;
  let url: string;
  let wsUrl: string;
  let chainId: bigint;

  beforeAll(async () => {
    network = await LocalNetwork.start(temporaryFolder(), await freePorts(4));
    ({ rpcUrl: url, wsUrl } = network.member('farm'));
    chainId = BigInt(network.description.chainId);
    await fund(network);
  });

  afterAll(async () => {
    await network.stop();
    removeFolders();
  });

  /** A transaction of an account, signed without any of the checks that a client library makes. */
  function signed(account: string, fields: Partial<UnsignedTransaction> = {}): SignedTransaction {
    return signTransaction(
      {
        type: 2,
        chainId,
        nonce: 0n,
        gasLimit: 100_000n,
        maxFeePerGas: 0n,
        maxPriorityFeePerGas: 0n,
        to: network.account('market').address,
        value: 0n,
        data: new Uint8Array(0),
        accessList: [],
        ...fields,
      },
      hexToBytes(network.account(account).privateKey),
      suite,
    );
  }

  const send = (raw: Uint8Array | Hex): Promise<Answer> =>
    ask(url, 'eth_sendRawTransaction', typeof raw === 'string' ? raw : bytesToHex(raw));

  /** Signed by viem, for envelopes that this chain has no encoder for. */
  const byViem = (fields: object): Promise<Hex> =>
    privateKeyToAccount(network.account('alice').privateKey).signTransaction({
      chainId: Number(chainId),
      nonce: 0,
      gas: 100_000n,
      maxFeePerGas: 1n,
      maxPriorityFeePerGas: 0n,
      to: network.account('market').address,
      ...fields,
    } as TransactionSerializable);

  it('is refused as a transaction, in the words of geth', async () => {
    const alice = signed('alice');
    const { r, s, yParity } = alice.signature;
    const stranger = privateKeyToAccount(generatePrivateKey());
    const cases: readonly (readonly [string, Uint8Array | Hex, RegExp])[] = [
      ['a wrong chain id', signed('alice', { chainId: 1n }).raw, /^invalid chain id for signer: have 1 want \d+$/],
      ['a signature that gives no key', encodeTransaction(alice, { r: 5n, s, yParity }), /^invalid sender/],
      [
        'a signature beyond the order of the curve',
        encodeTransaction(alice, { r: ORDER, s, yParity }),
        /^invalid transaction v, r, s values/,
      ],
      [
        'a high s',
        encodeTransaction(alice, { r, s: ORDER - s, yParity: yParity === 0 ? 1 : 0 }),
        /^invalid transaction v, r, s values/,
      ],
      [
        'a signature of something else',
        encodeTransaction({ ...alice, nonce: 1n }, alice.signature),
        /^sender not permitted: account 0x[0-9a-f]{40} is not registered on this network$/,
      ],
      ['a used nonce', signed('authority').raw, /^nonce too low: next nonce 1, tx nonce 0$/],
      ['the last nonce', signed('alice', { nonce: 2n ** 64n - 1n }).raw, /^nonce has max value/],
      ['more gas than a block has', signed('alice', { gasLimit: 60_000_001n }).raw, /^exceeds block gas limit/],
      [
        'more gas than a transaction may have',
        signed('alice', { gasLimit: 16_777_217n }).raw,
        /^transaction gas limit too high \(cap: 16777216, tx: 16777217\)$/,
      ],
      ['too little gas', signed('alice', { gasLimit: 20_999n }).raw, /^intrinsic gas too low/],
      [
        'less gas than the floor of its data',
        signed('alice', { gasLimit: 25_000n, data: new Uint8Array(101).fill(1) }).raw,
        /^insufficient gas for floor data gas cost/,
      ],
      [
        'oversized data',
        encodeTransaction({ ...alice, data: new Uint8Array(131_072) }, alice.signature),
        /^oversized data/,
      ],
      [
        'oversized init code',
        signed('developer', { to: undefined, data: new Uint8Array(49_153), gasLimit: 16_000_000n }).raw,
        /^max initcode size exceeded: code size 49153, limit 49152$/,
      ],
      [
        'an account that nobody registered',
        await stranger.signTransaction({
          chainId: Number(chainId),
          type: 'eip1559',
          gas: 21_000n,
          to: stranger.address,
        }),
        /^sender not permitted: account 0x[0-9a-f]{40} is not registered on this network$/,
      ],
      [
        'an unprivileged deploy',
        signed('alice', { to: undefined, data: Uint8Array.of(0) }).raw,
        /^deploy not permitted: account 0x[0-9a-f]{40} may not deploy contracts$/,
      ],
      [
        'a legacy transaction without chain id',
        signed('alice', { type: 0, chainId: undefined }).raw,
        /^only replay-protected \(EIP-155\) transactions allowed over RPC$/,
      ],
      [
        'a blob transaction',
        await byViem({ type: 'eip4844', maxFeePerBlobGas: 1n, blobVersionedHashes: [`0x01${'00'.repeat(31)}`] }),
        /^transaction type not supported: blob transactions/,
      ],
      [
        'an EIP-7702 transaction',
        await byViem({ type: 'eip7702', authorizationList: [] }),
        /^transaction type not supported: EIP-7702 transactions/,
      ],
      [
        'a tip above the cap',
        signed('alice', { maxFeePerGas: 1n, maxPriorityFeePerGas: 2n }).raw,
        /^max priority fee per gas higher than max fee per gas/,
      ],
      [
        'a value without the balance',
        signed('alice', { value: 1n }).raw,
        /^insufficient funds for gas \* price \+ value/,
      ],
      ['gas that cannot be paid', signed('alice', { maxFeePerGas: 2n ** 200n }).raw, /^insufficient funds/],
      ['nothing', '0x', /^invalid transaction/],
      ['half a transaction', alice.raw.subarray(0, 40), /^rlp: malformed transaction/],
      ['bytes behind it', `${bytesToHex(alice.raw)}00`, /^rlp: malformed transaction/],
      ['a list that says to be endless', '0x02fbffffffff', /^rlp: malformed transaction/],
      ['an empty list', '0x02c0', /^invalid transaction/],
      ['text', toHex('hello, world'), /^transaction type not supported|^invalid transaction/],
    ];
    for (const [name, raw, message] of cases) {
      const { error, result } = await send(raw);
      expect([name, result, error?.code]).toEqual([name, undefined, -32000]);
      expect(error?.message, name).toMatch(message);
    }
    await expectSound(network);
  });

  it('is refused as a transaction that waits already, or that underbids one', async () => {
    // Behind a gap, so that it waits.
    const first = signed('bob', { nonce: 7n });
    expect((await send(first.raw)).result).toBe(first.hash);
    expect((await send(first.raw)).error).toEqual({ code: -32000, message: 'already known' });
    const again = await send(signed('bob', { nonce: 7n, gasLimit: 99_999n }).raw);
    expect(again.error).toEqual({ code: -32000, message: 'replacement transaction underpriced' });
  });

  it('is refused as a request, over HTTP and over WebSocket alike', async () => {
    const request = (fields: object) => JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_blockNumber', ...fields });
    const cases: readonly (readonly [string, string, number, RegExp])[] = [
      ['no JSON', '{"jsonrpc": "2.0", "method": ', -32700, /^parse error/],
      ['nothing', '', -32700, /^parse error/],
      ['deep nesting', '['.repeat(200_000), -32700, /^parse error: nested deeper than 32 levels$/],
      ['deep parameters', request({ params: nested(1_000) }), -32700, /^parse error: nested deeper/],
      ['too many values', `[${'0,'.repeat(200_000)}0]`, -32700, /^parse error: more than 100000 values$/],
      ['a number', '7', -32600, /^invalid request/],
      ['an empty batch', '[]', -32600, /^empty batch$/],
      [
        'a batch of 10,000 calls',
        `[${Array.from({ length: 10_000 }, (_, id) => `{"jsonrpc":"2.0","id":${id},"method":"eth_chainId"}`).join()}]`,
        -32600,
        /^batch too large: 10000 calls, at most 1000$/,
      ],
      ['another version', request({ jsonrpc: '1.0' }), -32600, /^invalid request/],
      ['an id that is an object', request({ id: {} }), -32600, /^invalid request/],
      ['an unknown method', request({ method: 'eth_mine' }), -32601, /^the method eth_mine does not exist/],
      ['a method of objects', request({ method: 'constructor' }), -32601, /^the method constructor does not exist/],
      ['parameters by name', request({ params: { block: 1 } }), -32602, /^non-array args$/],
      ['surplus parameters', request({ params: [1] }), -32602, /^too many arguments, want at most 0$/],
      ['no parameter', request({ method: 'eth_getBalance' }), -32602, /^missing value for required argument 0$/],
      ...parameterCases().map(
        ([method, params]) =>
          [
            `${method} of ${JSON.stringify(params).slice(0, 60)}`,
            request({ method, params }),
            -32602,
            /^invalid (argument \d|hex)/,
          ] as const,
      ),
    ];
    const socket = new TestWebSocket(wsUrl);
    await socket.opened;
    for (const [name, body, code, message] of cases) {
      const answers = [(await post(url, body)).json as Answer];
      // An empty WebSocket message and an empty body are refused alike, but large ones would close the connection.
      if (body.length < MiB) {
        socket.send(body);
        answers.push((await socket.next()) as Answer);
      }
      for (const { error, result } of answers) {
        expect([name, result, error?.code]).toEqual([name, undefined, code]);
        expect(error?.message, name).toMatch(message);
      }
    }
    socket.socket.close();
    await expectSound(network);
  });

  it('is refused as a log query over more than there is, or for more than one may ask', async () => {
    const logs = (filter: object): Promise<Answer> => ask(url, 'eth_getLogs', filter);
    expect((await logs({ fromBlock: '0x0', toBlock: '0xffffffff' })).error).toEqual({
      code: -32602,
      message: 'block range extends beyond current head block',
    });
    expect((await logs({ fromBlock: '0x2', toBlock: '0x1' })).error).toEqual({
      code: -32602,
      message: 'invalid block range params',
    });
    expect((await logs({ fromBlock: `0x${'f'.repeat(64)}`, toBlock: 'latest' })).error?.code).toBe(-32602);
    const address = Array.from({ length: 20_000 }, (_, index) => toHex(index, { size: 20 }));
    expect((await logs({ fromBlock: 'earliest', address })).error?.code).toBeLessThan(-32_000);
    const topics = Array.from({ length: 5 }, () => null);
    expect((await logs({ topics })).error).toEqual({
      code: -32005,
      message: 'limit exceeded: exceed max topics: at most 4',
    });
    expect(Array.isArray((await logs({ fromBlock: 'earliest', toBlock: 'latest' })).result)).toBe(true);
  });

  it('is refused as a body of 50 MB without being kept, however it is sent', async () => {
    const large = Buffer.alloc(50 * MiB, 0x20);
    const before = await metric(url, 'process_resident_memory_bytes');
    for (const chunked of [false, true]) {
      const { status, body } = await postBytes(url, large, chunked);
      expect(status).toBe(413);
      expect(JSON.parse(body)).toMatchObject({ id: null, error: { code: -32600 } });
      expect(JSON.parse(body).error.message).toMatch(/^content length too large/);
    }
    const socket = new TestWebSocket(wsUrl);
    await socket.opened;
    socket.socket.on('error', () => {});
    socket.socket.send(large);
    // RFC 6455, section 7.4.1: message too big.
    expect(await socket.closed).toBe(1009);
    // Twenty at once hold no more than the budget for all bodies together.
    const crowd = await Promise.all(
      Array.from({ length: 20 }, () => postBytes(url, large.subarray(0, 10 * MiB), true)),
    );
    for (const { status } of crowd) expect([413, 503]).toContain(status);
    expect((await metric(url, 'process_resident_memory_bytes')) - before).toBeLessThan(300 * MiB);
    await expectSound(network);
  });

  it('that never ends as a call is stopped, while other calls and payments go on', async () => {
    let ended = 0;
    const endless = [
      ...Array.from({ length: 6 }, () => ask(url, 'eth_call', endlessLoop)),
      ...Array.from({ length: 2 }, () => ask(url, 'eth_estimateGas', endlessLoop)),
    ].map((answer) =>
      answer.finally(() => {
        ended++;
      }),
    );
    const supply = { to: network.description.currencies[0]?.address, data: '0x18160ddd' };
    for (let round = 0; round < 5; round++) {
      expect(BigInt(await call<string>(url, 'eth_call', supply, 'latest'))).toBe(100_000_000n);
      await heightOf(url);
    }
    expect(ended).toBe(0);
    await expectSound(network);
    for (const { error, result } of await Promise.all(endless)) {
      expect([result, error?.code]).toEqual([undefined, -32000]);
      expect(error?.message).toMatch(
        /^execution aborted \(timeout = 5s\)$|^out of gas$|^gas required exceeds allowance/,
      );
    }
  });

  it('of more calls than may wait is refused for the surplus alone', async () => {
    const answers = await Promise.all(Array.from({ length: 120 }, () => ask(url, 'eth_call', endlessLoop)));
    const messages = new Set(answers.map(({ error }) => `${error?.code} ${error?.message}`));
    expect(messages).toEqual(
      new Set([
        '-32000 execution aborted (timeout = 5s)',
        '-32005 limit exceeded: 64 calls of this client wait already, try again later',
      ]),
    );
    await expectSound(network);
  });

  it('that says nothing holds connections, but neither clients nor members', async () => {
    const { hostname, port } = new URL(url);
    const silent = await Promise.all(Array.from({ length: 300 }, () => connected(hostname, Number(port))));
    // Half of them begin a request and never end it.
    for (const socket of silent.slice(150)) socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{');
    await expectSound(network);
    for (const socket of silent) socket.destroy();
    await expectSound(network);
  });
});

function nested(depth: number): unknown {
  let value: unknown = [];
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}

/** Parameters of a wrong type, form or size. */
function parameterCases(): readonly (readonly [string, readonly unknown[]])[] {
  const account = `0x${'11'.repeat(20)}`;
  return [
    ['eth_getBalance', ['0x11']],
    ['eth_getBalance', [7, 'latest']],
    ['eth_getBalance', [account, 'newest']],
    ['eth_getBalance', [account, {}]],
    ['eth_getBalance', ['x'.repeat(500_000)]],
    ['eth_getBlockByNumber', [1, false]],
    ['eth_getBlockByNumber', ['0x01', false]],
    ['eth_getBlockByNumber', ['0x1', 'false']],
    ['eth_getBlockByNumber', [`0x${'1'.repeat(100)}`, false]],
    ['eth_getBlockByHash', ['0x12', false]],
    ['eth_getTransactionReceipt', [{}]],
    ['eth_getStorageAt', [account, '0xzz', 'latest']],
    ['eth_call', ['0x', 'latest']],
    ['eth_call', [{ to: account, data: '0x123' }, 'latest']],
    ['eth_call', [{ to: account, value: '1' }, 'latest']],
    ['eth_call', [{ to: account, gas: '0x1ffffffffffffffffff' }, 'latest']],
    ['eth_call', [{ to: account, accessList: [{ address: account, storageKeys: ['0x1'] }] }]],
    ['eth_sendRawTransaction', [5]],
    ['eth_sendRawTransaction', ['02f8']],
    ['eth_getLogs', [{ address: 'bank' }]],
    ['eth_getLogs', [{ topics: ['0x1'] }]],
    ['eth_feeHistory', ['-1', 'latest', []]],
  ];
}

function postBytes(url: string, body: Uint8Array, chunked: boolean): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const length = chunked ? {} : { 'content-length': body.length };
    const request = httpRequest(url, {
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/json', ...length },
    });
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

function connected(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () => resolve(socket));
    socket.on('error', reject);
  });
}
