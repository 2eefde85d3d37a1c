import { Height } from '@hanse/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../runtime/manualClock.ts';
import type { CallOutcome } from './dependencies.ts';
import { addressTopic, alice, bob, signed, token, transferLog } from './testing/testChain.ts';
import { startTestServer, type TestServer } from './testing/testServer.ts';
import { TestWebSocket } from './testing/webSocketClient.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(options: Parameters<typeof startTestServer>[0] = {}): Promise<TestServer> {
  const server = await startTestServer(options);
  cleanups.push(() => server.close());
  return server;
}

async function open(server: TestServer, headers: Record<string, string> = {}): Promise<TestWebSocket> {
  const client = new TestWebSocket(server.webSocketURL, headers);
  cleanups.push(() => client.socket.terminate());
  await client.opened;
  return client;
}

let nonce = 10n;
const transfer = (amount: bigint, to = bob) => ({
  transaction: signed('alice', { nonce: nonce++, to: token }),
  logs: [transferLog(alice, to, amount)],
});

describe('calls over WebSocket', () => {
  it('are answered as over HTTP, batches and errors included', async () => {
    const client = await open(await start());
    expect(await client.call('eth_chainId')).toEqual({ jsonrpc: '2.0', id: 1, result: '0x13527d2' });
    client.send('[{"jsonrpc":"2.0","id":"x","method":"net_version"},{"jsonrpc":"2.0","method":"net_version"}]');
    expect(await client.next()).toEqual([{ jsonrpc: '2.0', id: 'x', result: '20260818' }]);
    client.send('{nonsense');
    expect(await client.next()).toMatchObject({ id: null, error: { code: -32700 } });
    client.send('['.repeat(50));
    expect(await client.next()).toEqual({
      jsonrpc: '2.0',
      id: null,
      error: { code: -32700, message: 'parse error: nested deeper than 32 levels' },
    });
    client.socket.send(Buffer.from('{"jsonrpc":"2.0","id":9,"method":"eth_chainId"}'), { binary: true });
    expect(await client.next()).toMatchObject({ id: 9, result: '0x13527d2' });
  });

  it('end the connection when a message is too large, and nobody else notices', async () => {
    const server = await start({ limits: { maxWebSocketMessageBytes: 1_000 } });
    const [rude, polite] = [await open(server), await open(server)];
    rude.send('x'.repeat(1_001));
    expect(await rude.closed).toBe(1009);
    expect(await polite.call('eth_blockNumber')).toMatchObject({ result: '0x4' });
  });

  it('wait in the socket when too many of one client are in work', async () => {
    const running: (() => void)[] = [];
    let mostAtOnce = 0;
    const server = await start({
      calls: Array.from({ length: 100 }, () => ({
        call: () =>
          new Promise<CallOutcome>((resolve) => {
            running.push(() => resolve({ status: 'success', output: new Uint8Array() }));
            mostAtOnce = Math.max(mostAtOnce, running.length);
            // Answers only when nothing else of this client comes any more.
            setImmediate(() => running.shift()?.());
          }),
        estimateGas: async () => ({ status: 'success', gas: 1n }) as const,
      })),
      limits: { maxWebSocketRequests: 3 },
    });
    const client = await open(server);
    for (let id = 0; id < 50; id++) client.send({ jsonrpc: '2.0', id, method: 'eth_call', params: [{ to: token }] });
    const ids = [];
    for (let count = 0; count < 50; count++) ids.push((await client.next()).id);
    expect(new Set(ids).size).toBe(50);
    expect(mostAtOnce).toBe(3);
  });

  it('are refused while the messages in work of all clients together are too large, HTTP included', async () => {
    let finish: (outcome: CallOutcome) => void = () => {};
    const server = await start({
      calls: {
        call: () =>
          new Promise((resolve) => {
            finish = resolve;
          }),
        estimateGas: async () => ({ status: 'success', gas: 1n }),
      },
      limits: { maxBodyBytesTotal: 1_000 },
    });
    const client = await open(server);
    client.send({ jsonrpc: '2.0', id: 1, method: 'eth_call', params: [{ to: token, data: `0x${'00'.repeat(400)}` }] });
    client.send({ jsonrpc: '2.0', id: 2, method: 'eth_chainId', note: ' '.repeat(200) });
    expect(await client.next()).toMatchObject({ id: null, error: { code: -32005 } });
    expect((await server.post(JSON.stringify(' '.repeat(200)))).status).toBe(503);
    finish({ status: 'success', output: new Uint8Array() });
    expect(await client.next()).toMatchObject({ id: 1, result: '0x' });
    expect(await client.call('eth_chainId')).toMatchObject({ result: expect.anything() });
    expect((await server.rpc('eth_chainId')).result).toBeDefined();
  });

  it('are refused to pages of other origins, at other paths, and beyond the number of connections', async () => {
    const server = await start({ corsOrigins: ['https://bank.example'], limits: { maxWebSocketConnections: 1 } });
    const refused = (url: string, headers = {}) => new TestWebSocket(url, headers).opened;
    await expect(refused(server.webSocketURL, { origin: 'https://evil.example' })).rejects.toThrow('403');
    await expect(refused(`${server.webSocketURL}/other`)).rejects.toThrow('404');
    await open(server, { origin: 'https://bank.example' });
    await expect(refused(server.webSocketURL)).rejects.toThrow('503');
  });
});

describe('subscriptions', () => {
  it('send every new block once, in order, and only after the identifier', async () => {
    const server = await start();
    const client = await open(server);
    const { result: id } = await client.call('eth_subscribe', 'newHeads');
    for (let count = 0; count < 5; count++) server.chain.append([transfer(1n)]);
    for (let height = 5; height <= 9; height++) {
      expect(await client.next()).toMatchObject({
        jsonrpc: '2.0',
        method: 'eth_subscription',
        params: {
          subscription: id,
          result: { number: `0x${height}`, hash: server.chain.header(Height(height))?.hash },
        },
      });
    }
    expect(await client.call('eth_unsubscribe', id)).toMatchObject({ result: true });
    server.chain.append([]);
    expect(await client.call('eth_unsubscribe', id)).toMatchObject({
      error: { code: -32000, message: 'subscription not found' },
    });
  });

  it('send matching logs', async () => {
    const server = await start();
    const client = await open(server);
    const criteria = { address: token, topics: [null, null, addressTopic(bob)] };
    const { result: id } = await client.call('eth_subscribe', 'logs', criteria);
    server.chain.append([transfer(1n, alice), transfer(2n, bob)]);
    server.chain.append([transfer(3n, alice)]);
    server.chain.append([transfer(4n, bob)]);
    expect(await client.next()).toMatchObject({
      params: {
        subscription: id,
        result: { blockNumber: '0x5', logIndex: '0x1', transactionIndex: '0x1', removed: false },
      },
    });
    expect(await client.next()).toMatchObject({ params: { result: { blockNumber: '0x7', logIndex: '0x0' } } });
  });

  it('send waiting transactions, whole if asked', async () => {
    const server = await start();
    const [hashes, whole] = [await open(server), await open(server)];
    await hashes.call('eth_subscribe', 'newPendingTransactions');
    await whole.call('eth_subscribe', 'newPendingTransactions', true);
    const transaction = signed('bob', { nonce: 50n, to: token });
    server.pool.take(transaction);
    expect(await hashes.next()).toMatchObject({ params: { result: transaction.hash } });
    expect(await whole.next()).toMatchObject({ params: { result: { hash: transaction.hash, blockHash: null } } });
  });

  it('belong to their connection, are bounded, and end with it', async () => {
    const server = await start({ limits: { maxSubscriptionsPerConnection: 2, maxSubscriptions: 3 } });
    const [one, two] = [await open(server), await open(server)];
    const { result: id } = await one.call('eth_subscribe', 'newHeads');
    await one.call('eth_subscribe', 'logs', {});
    expect(await one.call('eth_subscribe', 'newHeads')).toMatchObject({ error: { code: -32005 } });
    expect(await two.call('eth_unsubscribe', id)).toMatchObject({ error: { code: -32000 } });
    await two.call('eth_subscribe', 'newHeads');
    expect(await two.call('eth_subscribe', 'newHeads')).toMatchObject({ error: { code: -32005 } });
    one.socket.close();
    await one.closed;
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toContain('hanse_rpc_subscriptions 1');
    expect(metrics).toContain('hanse_rpc_websocket_connections 1');
  });

  it('need a connection and a known kind', async () => {
    const server = await start();
    expect((await server.rpc('eth_subscribe', 'newHeads')).error).toEqual({
      code: -32001,
      message: 'notifications not supported',
    });
    const client = await open(server);
    expect(await client.call('eth_subscribe', 'oldHeads')).toMatchObject({
      error: { code: -32601, message: 'no "oldHeads" subscription in eth namespace' },
    });
    expect(await client.call('eth_subscribe', 'logs', { address: 'x' })).toMatchObject({ error: { code: -32602 } });
  });

  it('drop a client that does not read what it subscribed to', async () => {
    const server = await start({ limits: { maxWebSocketBufferedBytes: 100_000 } });
    const [slow, quick] = [await open(server), await open(server)];
    await slow.call('eth_subscribe', 'logs', {});
    await quick.call('eth_subscribe', 'newHeads');
    slow.socket.pause();
    const large = { address: token, topics: [], data: new Uint8Array(1_000_000) };
    // The kernel's buffers take some megabytes before the program's own begin to fill.
    for (let count = 0; count < 12; count++) {
      server.chain.append([{ transaction: signed('alice', { nonce: nonce++, to: token }), logs: [large] }]);
      expect(await quick.next()).toMatchObject({ method: 'eth_subscription' });
    }
    slow.socket.resume();
    expect(await slow.closed).toBe(1006);
    expect(await (await fetch(`${server.url}/metrics`)).text()).toContain(
      'hanse_rpc_websocket_dropped_total{reason="slow"} 1',
    );
  });

  it('drop the client that has read least when all together hold too much', async () => {
    const server = await start({ limits: { maxResponseBytesTotal: 3_000_000 } });
    const [slow, quick] = [await open(server), await open(server)];
    await slow.call('eth_subscribe', 'logs', {});
    await quick.call('eth_subscribe', 'logs', {});
    slow.socket.pause();
    const large = { address: token, topics: [], data: new Uint8Array(1_000_000) };
    for (let count = 0; count < 12; count++) {
      server.chain.append([{ transaction: signed('alice', { nonce: nonce++, to: token }), logs: [large] }]);
      expect(await quick.next()).toMatchObject({ method: 'eth_subscription' });
    }
    slow.socket.resume();
    expect(await slow.closed).toBe(1006);
    expect(await quick.call('eth_blockNumber')).toMatchObject({ result: expect.anything() });
  });

  it('drop a client that does not answer pings', async () => {
    const clock = new ManualClock();
    const server = await start({ clock, limits: { webSocketPingIntervalMs: 1_000 } });
    const [silent, lively] = [new TestWebSocket(server.webSocketURL), await open(server)];
    await silent.opened;
    silent.socket.pong = () => {};
    (silent.socket as unknown as { _autoPong: boolean })._autoPong = false;
    const pinged = new Promise((resolve) => silent.socket.on('ping', resolve));
    clock.advance(1_000);
    await pinged;
    // The pong of the other is on its way before its next answer.
    expect(await lively.call('eth_chainId')).toMatchObject({ result: '0x13527d2' });
    clock.advance(1_000);
    expect(await silent.closed).toBe(1006);
    expect(await lively.call('eth_chainId')).toMatchObject({ result: '0x13527d2' });
  });
});

it('says goodbye to its clients when it closes', async () => {
  const server = await startTestServer();
  const client = new TestWebSocket(server.webSocketURL);
  await client.opened;
  const [code] = await Promise.all([client.closed, server.close()]);
  expect(code).toBe(1001);
});
