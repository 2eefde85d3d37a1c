import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../runtime/manualClock.ts';
import { alice, bob, signed, standardChain, token, transferLog } from './testing/testChain.ts';
import { startTestServer, type TestServer } from './testing/testServer.ts';
import { TestWebSocket } from './testing/webSocketClient.ts';

let server: TestServer;
afterEach(() => server.close());

let nonce = 10n;
const transfer = () => ({
  transaction: signed('alice', { nonce: nonce++, to: token }),
  logs: [transferLog(alice, bob, nonce)],
});
const result = async (method: string, ...params: unknown[]) => (await server.rpc(method, ...params)).result;
const code = async (method: string, ...params: unknown[]) => (await server.rpc(method, ...params)).error?.code;

describe('filters', () => {
  it('give new logs once', async () => {
    server = await startTestServer();
    const id = await result('eth_newFilter', { address: token, fromBlock: '0x0' });
    expect(await result('eth_getFilterChanges', id)).toEqual([]);
    server.chain.append([transfer(), transfer()]);
    expect(await result('eth_getFilterChanges', id)).toMatchObject([{ logIndex: '0x0' }, { logIndex: '0x1' }]);
    expect(await result('eth_getFilterChanges', id)).toEqual([]);
    expect(await result('eth_getFilterLogs', id)).toHaveLength(6);
    expect(await result('eth_uninstallFilter', id)).toBe(true);
    expect(await result('eth_uninstallFilter', id)).toBe(false);
    expect((await server.rpc('eth_getFilterChanges', id)).error).toEqual({ code: -32000, message: 'filter not found' });
  });

  it('give what does not fit one answer with the next', async () => {
    server = await startTestServer({ limits: { maxLogResults: 2 } });
    const id = await result('eth_newFilter', {});
    server.chain.append([transfer(), transfer(), transfer()]);
    server.chain.append([transfer()]);
    const pages = [];
    for (let page = 0; page < 3; page++) pages.push(await result('eth_getFilterChanges', id));
    const places = pages.map((page) =>
      (page as { blockNumber: string; logIndex: string }[]).map((log) => log.blockNumber + log.logIndex),
    );
    expect(places).toEqual([['0x50x0', '0x50x1'], ['0x50x2', '0x60x0'], []]);
    expect(await code('eth_getLogs', { fromBlock: '0x5' })).toBe(-32005);
  });

  it('keep to the range that was asked for', async () => {
    server = await startTestServer();
    const id = await result('eth_newFilter', { fromBlock: '0x6', toBlock: '0x7' });
    for (let height = 5; height <= 8; height++) server.chain.append([transfer()]);
    expect(await result('eth_getFilterChanges', id)).toMatchObject([{ blockNumber: '0x6' }, { blockNumber: '0x7' }]);
    server.chain.append([transfer()]);
    expect(await result('eth_getFilterChanges', id)).toEqual([]);
  });

  it('give hashes of new blocks and of waiting transactions', async () => {
    server = await startTestServer({ limits: { maxFilterBacklog: 2 } });
    const blocks = await result('eth_newBlockFilter');
    const pending = await result('eth_newPendingTransactionFilter');
    const heights = [server.chain.append([transfer()]), server.chain.append([])];
    expect(await result('eth_getFilterChanges', blocks)).toEqual(
      heights.map((height) => server.chain.header(height)?.hash),
    );
    expect(await result('eth_getFilterChanges', blocks)).toEqual([]);
    const waiting = [20n, 21n, 22n].map((next) => signed('bob', { nonce: next, to: token }));
    for (const transaction of waiting) server.pool.take(transaction);
    // Only the newest are remembered.
    expect(await result('eth_getFilterChanges', pending)).toEqual(waiting.slice(1).map(({ hash }) => hash));
    expect(await result('eth_getFilterChanges', pending)).toEqual([]);
    expect(await code('eth_getFilterLogs', blocks)).toBe(-32000);
  });

  it('are removed when nobody asks for five minutes', async () => {
    const clock = new ManualClock();
    server = await startTestServer({ clock });
    const [used, unused] = [await result('eth_newBlockFilter'), await result('eth_newBlockFilter')];
    for (let minute = 0; minute < 6; minute++) {
      clock.advance(60_000);
      expect(await code('eth_getFilterChanges', used)).toBeUndefined();
    }
    expect(await code('eth_getFilterChanges', unused)).toBe(-32000);
  });

  it('are bounded in number, and end with the connection that made them', async () => {
    server = await startTestServer({ limits: { maxFilters: 3, maxFiltersPerConnection: 2 } });
    const client = new TestWebSocket(server.webSocketURL);
    await client.opened;
    await client.call('eth_newBlockFilter');
    await client.call('eth_newBlockFilter');
    expect(await client.call('eth_newBlockFilter')).toMatchObject({ error: { code: -32005 } });
    expect(await code('eth_newBlockFilter')).toBeUndefined();
    expect(await code('eth_newBlockFilter')).toBe(-32005);
    client.socket.close();
    await client.closed;
    expect(await code('eth_newBlockFilter')).toBeUndefined();
  });

  it('bound the span of a query', async () => {
    const chain = standardChain();
    server = await startTestServer({ chain, limits: { maxLogBlocks: 3 } });
    expect((await server.rpc('eth_getLogs', { fromBlock: '0x0' })).error).toEqual({
      code: -32005,
      message: 'limit exceeded: query spans 5 blocks, at most 3 are allowed',
    });
    expect(await code('eth_getLogs', { fromBlock: '0x2' })).toBeUndefined();
  });
});
