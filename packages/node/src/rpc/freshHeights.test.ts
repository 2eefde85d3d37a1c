import { describe, expect, it } from 'vitest';
import { ManualClock } from '../runtime/manualClock.ts';
import { signed, token } from './testing/testChain.ts';
import { startTestServer, type TestServer } from './testing/testServer.ts';
import { TestWebSocket } from './testing/webSocketClient.ts';

// What ethers 6 does for every transaction, and what would happen to it otherwise, stands at `FreshHeights`.

const transaction = signed('bob', { nonce: 2n, to: token });
const raw = `0x${Buffer.from(transaction.raw).toString('hex')}`;
const height = { jsonrpc: '2.0', id: 1, method: 'eth_blockNumber', params: [] };
const sending = { jsonrpc: '2.0', id: 2, method: 'eth_sendRawTransaction', params: [raw] };

/** Resolves once the pool has the transaction. */
const taken = (server: TestServer): Promise<void> => new Promise((resolve) => server.pool.onPending(() => resolve()));

/** Lets the event loop turn until the manual clock holds what the server armed. */
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};

async function withServer(test: (server: TestServer, clock: ManualClock) => Promise<void>): Promise<void> {
  const clock = new ManualClock();
  const server = await startTestServer({ clock });
  try {
    await test(server, clock);
  } finally {
    await server.close();
  }
}

describe('a height that is asked for beside a transaction', () => {
  it('is given after the transaction is final, with the block that holds it', () =>
    withServer(async (server, clock) => {
      const before = server.chain.headHeight();
      const pending = taken(server);
      const answered = server.post(JSON.stringify([height, sending]));
      await pending;
      server.chain.append([{ transaction }]);
      await turns();
      clock.advance(300);
      const answers = (await (await answered).json()) as { id: number; result: string }[];
      expect(answers.map(({ id }) => id)).toEqual([1, 2]);
      expect(Number(answers[0]?.result)).toBe(before + 1);
      expect(answers[1]?.result).toBe(transaction.hash);
    }));

  it('is given after half a second even if the transaction is not final', () =>
    withServer(async (server, clock) => {
      const pending = taken(server);
      const answered = server.post(JSON.stringify([height, sending]));
      await pending;
      await turns();
      clock.advance(500);
      const [first] = (await (await answered).json()) as { result: string }[];
      expect(Number(first?.result)).toBe(server.chain.headHeight());
    }));

  it('is given at once if the transaction is refused, or if there is none', () =>
    withServer(async (server) => {
      server.pool.refusal = { code: 'nonce-too-low', message: 'nonce too low' };
      const refused = (await (await server.post(JSON.stringify([height, sending]))).json()) as { error?: object }[];
      expect(refused[1]?.error).toBeDefined();
      expect(await (await server.post(JSON.stringify([height]))).json()).toHaveLength(1);
    }));

  it('waits over a WebSocket too, where both come as messages of their own', () =>
    withServer(async (server, clock) => {
      const socket = new TestWebSocket(server.webSocketURL);
      await socket.opened;
      const before = server.chain.headHeight();
      const pending = taken(server);
      socket.send(height);
      socket.send(sending);
      await pending;
      expect((await socket.next()).id).toBe(2);
      clock.advance(2);
      await turns();
      server.chain.append([{ transaction }]);
      clock.advance(300);
      await turns();
      const answer = await socket.next();
      expect([answer.id, Number(answer.result)]).toEqual([1, before + 1]);
      socket.socket.terminate();
    }));
});
