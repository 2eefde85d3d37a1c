import type { Hex } from '@hanse/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { createSilentLogger } from './consoleLogger.ts';
import { MemoryHub } from './memoryNetwork.ts';
import type { Acceptor, Connection, Listener, Network } from './network.ts';
import { createRealClock } from './realClock.ts';
import { TlsNetwork } from './tlsNetwork.ts';
import { transportPublicKey } from './transportKey.ts';

interface Member {
  readonly key: Hex;
  readonly network: Network;
}

/** What an implementation must offer to be put through the contract. */
interface Implementation {
  readonly name: string;
  readonly listenAt: string;
  /** Members numbered from 1, with frames of at most 64 KiB and send buffers of 64 KiB. */
  create(): (number: number) => Member;
}

const privateKey = (number: number): Hex => `0x${number.toString(16).padStart(64, '0')}`;
const LIMITS = { maxFrameBytes: 65_536, sendBufferBytes: 65_536 };

const implementations: readonly Implementation[] = [
  {
    name: 'TLS',
    listenAt: '127.0.0.1:0',
    create: () => (number) => {
      const modules = { clock: createRealClock(), logger: createSilentLogger() };
      const network = new TlsNetwork({ privateKey: privateKey(number), ...LIMITS }, modules);
      return { key: network.publicKey, network };
    },
  },
  {
    name: 'memory',
    listenAt: 'member:0',
    create: () => {
      const hub = new MemoryHub(LIMITS);
      return (number) => {
        const key = transportPublicKey(privateKey(number));
        return { key, network: hub.network(key) };
      };
    },
  },
];

const cleanUp: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

/** Collects what comes, and lets a test wait for the n-th. */
class Received<T> {
  readonly items: T[] = [];
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  readonly add = (item: T): void => {
    this.items.push(item);
    const ready = this.#waiting.filter(({ count }) => count <= this.items.length);
    this.#waiting = this.#waiting.filter(({ count }) => count > this.items.length);
    for (const { resolve } of ready) resolve();
  };

  async first(count: number): Promise<readonly T[]> {
    if (this.items.length < count) await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
    return this.items.slice(0, count);
  }
}

describe.each(implementations)('a network over $name', ({ create, listenAt }) => {
  async function listening(member: Member, refusal: Acceptor['refusal'] = () => undefined) {
    const accepted = new Received<Connection>();
    const frames = new Received<Uint8Array>();
    const closed = new Received<string>();
    const listener: Listener = await member.network.listen(listenAt, {
      refusal,
      accepted: (connection) => {
        connection.onFrame(frames.add);
        connection.onClose(closed.add);
        accepted.add(connection);
      },
    });
    cleanUp.push(() => listener.close());
    return { endpoint: listener.endpoint, accepted, frames, closed, listener };
  }

  async function dialled(from: Member, endpoint: string, key: Hex) {
    const connection = await from.network.dial(endpoint, key);
    const frames = new Received<Uint8Array>();
    const closed = new Received<string>();
    connection.onFrame(frames.add);
    connection.onClose(closed.add);
    cleanUp.push(() => connection.close('the test is over'));
    return { connection, frames, closed };
  }

  it('shows each side the key that the other one proved', async () => {
    const member = create();
    const [a, b] = [member(1), member(2)];
    const server = await listening(a);
    const { connection } = await dialled(b, server.endpoint, a.key);
    expect(connection.peerKey).toBe(a.key);
    expect((await server.accepted.first(1))[0]?.peerKey).toBe(b.key);
    expect(connection.remoteEndpoint).toBe(server.endpoint);
  });

  it('carries frames of every size whole and in order, both ways', async () => {
    const member = create();
    const [a, b] = [member(1), member(2)];
    const server = await listening(a);
    const { connection, frames } = await dialled(b, server.endpoint, a.key);
    const sizes = [0, 1, 200, 4_095, 4_096, 4_097, 65_535, 65_536, 3];
    const sent = sizes.map((size, index) => new Uint8Array(size).fill(index + 1));
    for (const frame of sent) connection.send(frame);
    expect(await server.frames.first(sizes.length)).toEqual(sent);
    const [accepted] = await server.accepted.first(1);
    for (const frame of sent) accepted?.send(frame);
    expect(await frames.first(sizes.length)).toEqual(sent);
  });

  it('keeps frames that came before anybody listened', async () => {
    const member = create();
    const [a, b] = [member(1), member(2)];
    const accepted = new Received<Connection>();
    const listener = await a.network.listen(listenAt, { refusal: () => undefined, accepted: accepted.add });
    cleanUp.push(() => listener.close());
    const { connection } = await dialled(b, listener.endpoint, a.key);
    connection.send(Uint8Array.of(1));
    connection.send(Uint8Array.of(2));
    const [late] = await accepted.first(1);
    const frames = new Received<Uint8Array>();
    late?.onFrame(frames.add);
    expect(await frames.first(2)).toEqual([Uint8Array.of(1), Uint8Array.of(2)]);
  });

  it('refuses a frame over the bound where it is sent', async () => {
    const member = create();
    const [a, b] = [member(1), member(2)];
    const server = await listening(a);
    const { connection } = await dialled(b, server.endpoint, a.key);
    expect(() => connection.send(new Uint8Array(65_537))).toThrow(/65537 bytes is over the limit of 65536/);
  });

  it('does not admit a peer whose key is refused, and says why', async () => {
    const member = create();
    const [a, b] = [member(1), member(2)];
    const server = await listening(a, (key) => (key === b.key ? 'no member of this network' : undefined));
    await expect(b.network.dial(server.endpoint, a.key)).rejects.toThrow(
      /refused by the other side: no member of this network/,
    );
    expect(server.accepted.items).toEqual([]);
    await dialled(member(3), server.endpoint, a.key);
    expect(await server.accepted.first(1)).toHaveLength(1);
  });

  it('does not talk to a listener that holds another key than expected', async () => {
    const member = create();
    const [a, b, c] = [member(1), member(2), member(3)];
    const server = await listening(a);
    await expect(b.network.dial(server.endpoint, c.key)).rejects.toThrow(`proved the key ${a.key}, expected ${c.key}`);
    expect(server.frames.items).toEqual([]);
  });

  it('rejects a dial when nobody listens', async () => {
    const member = create();
    const [a, b] = [member(1), member(2)];
    const server = await listening(a);
    await server.listener.close();
    await expect(b.network.dial(server.endpoint, a.key)).rejects.toThrow(/ECONNREFUSED/);
  });

  it('delivers what was sent before a close, then the reason, once on each side', async () => {
    const member = create();
    const [a, b] = [member(1), member(2)];
    const server = await listening(a);
    const { connection, closed } = await dialled(b, server.endpoint, a.key);
    connection.send(Uint8Array.of(7));
    connection.close('enough said');
    connection.close('said twice');
    expect(await server.closed.first(1)).toEqual(['enough said']);
    expect(server.frames.items).toEqual([Uint8Array.of(7)]);
    expect(await closed.first(1)).toEqual(['enough said']);
    expect(connection.send(Uint8Array.of(8))).toBe(false);
    expect([server.closed.items, closed.items]).toEqual([['enough said'], ['enough said']]);
  });

  it('holds frames back while paused and goes on in order after resume', async () => {
    const member = create();
    const [a, b] = [member(1), member(2)];
    const server = await listening(a);
    const { connection, frames } = await dialled(b, server.endpoint, a.key);
    const [accepted] = await server.accepted.first(1);
    const numbers: number[] = [];
    const all = new Received<number>();
    accepted?.onFrame((frame) => {
      numbers.push(frame[0]!);
      all.add(frame[0]!);
      if (frame[0] === 2) {
        accepted.pause();
        accepted.send(Uint8Array.of(99));
      }
    });
    for (let number = 1; number <= 5; number++) connection.send(Uint8Array.of(number));
    // The answer to 2 came back: had the pause not held, 3 to 5 would have been handed over with it.
    await frames.first(1);
    expect(numbers).toEqual([1, 2]);
    accepted?.resume();
    expect(await all.first(5)).toEqual([1, 2, 3, 4, 5]);
  });

  it('says false when the send buffer is past its bound and calls back when it drained', async () => {
    const member = create();
    const [a, b] = [member(1), member(2)];
    const server = await listening(a);
    const { connection } = await dialled(b, server.endpoint, a.key);
    const drained = new Received<true>();
    connection.onDrain(() => drained.add(true));
    let sent = 0;
    while (connection.send(new Uint8Array(65_536))) sent++;
    expect(connection.bufferedBytes).toBeGreaterThanOrEqual(LIMITS.sendBufferBytes);
    await drained.first(1);
    expect(await server.frames.first(sent + 1)).toHaveLength(sent + 1);
    expect(connection.send(Uint8Array.of(1))).toBe(true);
  });

  it('cuts off a sender that does not hold back', async () => {
    const member = create();
    const [a, b] = [member(1), member(2)];
    const server = await listening(a);
    const { connection, closed } = await dialled(b, server.endpoint, a.key);
    (await server.accepted.first(1))[0]?.pause();
    for (let count = 0; count < 1_000 && closed.items.length === 0; count++) connection.send(new Uint8Array(65_536));
    expect(await closed.first(1)).toEqual(['the send buffer overran']);
  });
});
