import { createHash, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { Hex } from '@hanse/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { createSilentLogger } from './consoleLogger.ts';
import { parseEndpoint } from './endpoint.ts';
import { encodeFrameHeader, FRAME_ADMITTED, FRAME_DATA } from './frameDecoder.ts';
import type { HandshakeLimits } from './handshakeGate.ts';
import { ManualClock } from './manualClock.ts';
import type { Connection } from './network.ts';
import { createRealClock } from './realClock.ts';
import { TlsNetwork } from './tlsNetwork.ts';
import { createTransportIdentity, transportPublicKey } from './transportKey.ts';

const privateKey = (name: string): Hex => `0x${createHash('sha256').update(name).digest('hex')}`;
const cleanUp: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

function member(name: string, handshake: Partial<HandshakeLimits> = {}, clock = createRealClock()): TlsNetwork {
  return new TlsNetwork(
    { privateKey: privateKey(name), maxFrameBytes: 1_000, handshake },
    { clock, logger: createSilentLogger() },
  );
}

/** A listener that notes every connection and every frame that reaches it. */
async function server(network: TlsNetwork, endpoint = '127.0.0.1:0', allowed?: ReadonlySet<Hex>) {
  const frames: Uint8Array[] = [];
  const connections: Connection[] = [];
  const closed: string[] = [];
  let onClosed = (): void => undefined;
  const listener = await network.listen(endpoint, {
    refusal: (key) => (allowed === undefined || allowed.has(key) ? undefined : 'no member of this network'),
    accepted: (connection) => {
      connections.push(connection);
      connection.onFrame((frame) => {
        frames.push(frame);
        connection.send(frame);
      });
      connection.onClose((reason) => {
        closed.push(reason);
        onClosed();
      });
    },
  });
  cleanUp.push(() => listener.close());
  const nextClose = (): Promise<void> => new Promise((resolve) => (onClosed = resolve));
  return {
    ...parseEndpoint(listener.endpoint),
    endpoint: listener.endpoint,
    listener,
    frames,
    connections,
    closed,
    nextClose,
  };
}

/** The proof that the listener still serves members: an echo. */
async function echo(network: TlsNetwork, endpoint: string, expected: Hex): Promise<Uint8Array> {
  const connection = await network.dial(endpoint, expected);
  cleanUp.push(() => connection.close('done'));
  return new Promise((resolve) => {
    connection.onFrame(resolve);
    connection.send(Uint8Array.of(1, 2, 3));
  });
}

/** Resolves when the socket is gone, whether with an error or without. */
function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

function rawSocket(port: number): Socket {
  const socket = connectTcp(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  cleanUp.push(() => void socket.destroy());
  return socket;
}

function tlsAs(name: string, port: number, more: ConnectionOptions = {}) {
  const identity = createTransportIdentity(privateKey(name));
  const socket = connectTls({
    host: '127.0.0.1',
    port,
    key: identity.privateKeyPem,
    cert: identity.certificatePem,
    rejectUnauthorized: false,
    ALPNProtocols: ['hanse/1'],
    ...more,
  });
  socket.on('error', () => undefined);
  cleanUp.push(() => void socket.destroy());
  return socket;
}

const dataFrame = (length: number, payload: Uint8Array): Buffer =>
  Buffer.concat([encodeFrameHeader(FRAME_DATA, length), payload]);

describe('the TLS network', () => {
  it('drops a stranger before any of its application bytes is handed over', async () => {
    const [alice, bob] = [member('alice'), member('bob')];
    const { port, endpoint, frames, connections } = await server(alice, '127.0.0.1:0', new Set([bob.publicKey]));
    const stranger = tlsAs('mallory', port);
    // The client may write before the server has seen its certificate (RFC 8446, 4.4.4): this must not reach anybody.
    stranger.write(dataFrame(3, Uint8Array.of(6, 6, 6)));
    stranger.resume();
    await closing(stranger);
    expect(await echo(bob, endpoint, alice.publicKey)).toEqual(Uint8Array.of(1, 2, 3));
    expect(connections.map(({ peerKey }) => peerKey)).toEqual([bob.publicKey]);
    expect(frames).toEqual([Uint8Array.of(1, 2, 3)]);
  });

  it('refuses a client without a certificate, with another protocol and with none', async () => {
    const alice = member('alice');
    const { port, connections } = await server(alice);
    const noCertificate = connectTls({
      host: '127.0.0.1',
      port,
      rejectUnauthorized: false,
      ALPNProtocols: ['hanse/1'],
    });
    noCertificate.on('error', () => undefined);
    noCertificate.resume();
    await closing(noCertificate);
    const otherProtocol = tlsAs('bob', port, { ALPNProtocols: ['h2'] });
    await closing(otherProtocol);
    const identity = createTransportIdentity(privateKey('bob'));
    const withoutAlpn = connectTls({
      host: '127.0.0.1',
      port,
      key: identity.privateKeyPem,
      cert: identity.certificatePem,
      rejectUnauthorized: false,
    });
    withoutAlpn.on('error', () => undefined);
    withoutAlpn.resume();
    await closing(withoutAlpn);
    expect(connections).toEqual([]);
  });

  it('refuses TLS 1.2', async () => {
    const alice = member('alice');
    const { port, connections } = await server(alice);
    const old = tlsAs('bob', port, { maxVersion: 'TLSv1.2' });
    await closing(old);
    expect(connections).toEqual([]);
  });

  it('drops garbage instead of a handshake and goes on', async () => {
    const [alice, bob] = [member('alice'), member('bob')];
    const { port, endpoint, connections } = await server(alice);
    for (const garbage of ['GET / HTTP/1.1\r\n\r\n', Buffer.alloc(70_000, 0xff), Buffer.from('1603010200', 'hex')]) {
      const socket = rawSocket(port);
      socket.end(garbage);
      await closing(socket);
    }
    expect(connections).toEqual([]);
    expect(await echo(bob, endpoint, alice.publicKey)).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('drops a member that sends garbage after the handshake', async () => {
    const alice = member('alice');
    const { port, closed, nextClose, frames } = await server(alice);
    const socket = tlsAs('bob', port);
    const gone = nextClose();
    socket.write(Buffer.alloc(64, 0xee));
    socket.resume();
    await gone;
    expect(closed).toEqual(['unknown frame type 238']);
    expect(frames).toEqual([]);
  });

  it('drops an oversized frame at its header, before its bytes', async () => {
    const alice = member('alice');
    const { port, closed, nextClose, frames } = await server(alice);
    const socket = tlsAs('bob', port);
    const gone = nextClose();
    socket.write(dataFrame(1_001, new Uint8Array(0)));
    socket.resume();
    await gone;
    expect(closed).toEqual(['a frame of 1001 bytes is over the limit of 1000']);
    expect(frames).toEqual([]);
  });

  it("drops a peer that sends the listener's own frames", async () => {
    const alice = member('alice');
    const { port, closed, nextClose } = await server(alice);
    const socket = tlsAs('bob', port);
    const gone = nextClose();
    socket.write(encodeFrameHeader(FRAME_ADMITTED, 0));
    socket.resume();
    await gone;
    expect(closed).toEqual(['a frame of type 1 out of place']);
  });

  it('gives a slow handshake its time and no more, while members come and go', async () => {
    const clock = new ManualClock();
    const alice = member('alice', { timeoutMs: 5_000 }, clock);
    const bob = member('bob');
    const { port, endpoint } = await server(alice);
    const slow = rawSocket(port);
    await once(slow, 'connect');
    slow.write(Buffer.from('160301', 'hex'));
    expect(await echo(bob, endpoint, alice.publicKey)).toEqual(Uint8Array.of(1, 2, 3));
    clock.advance(4_999);
    expect(await echo(bob, endpoint, alice.publicKey)).toEqual(Uint8Array.of(1, 2, 3));
    expect(slow.destroyed).toBe(false);
    const closed = closing(slow);
    clock.advance(1);
    await closed;
  });

  it('times out a dial to a listener that never answers', async () => {
    const clock = new ManualClock();
    const silent = await import('node:net').then(({ createServer }) =>
      createServer((socket) => void sockets.push(socket)),
    );
    const sockets: Socket[] = [];
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    cleanUp.push(() => {
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
    const { port } = silent.address() as { port: number };
    const dial = member('bob', {}, clock).dial(`127.0.0.1:${port}`, privateKey('alice'));
    const rejected = expect(dial).rejects.toThrow(`127.0.0.1:${port}: timed out`);
    await once(silent, 'connection');
    clock.advance(10_000);
    await rejected;
  });

  it('lets a crowd of unproved connections push out only its own oldest', async () => {
    const [alice, bob] = [member('alice', { maxPerAddress: 3 }), member('bob')];
    const { port, endpoint } = await server(alice);
    const crowd: Socket[] = [];
    for (let count = 0; count < 3; count++) {
      const socket = rawSocket(port);
      await once(socket, 'connect');
      crowd.push(socket);
    }
    const oldestGone = closing(crowd[0]!);
    expect(await echo(bob, endpoint, alice.publicKey)).toEqual(Uint8Array.of(1, 2, 3));
    await oldestGone;
    expect(crowd.map(({ destroyed }) => destroyed)).toEqual([true, false, false]);
  });

  it('stops answering an address that begins handshakes in vain, but does not count members', async () => {
    const alice = member('alice', { attemptsPerSecond: 1, attemptsBurst: 3 }, new ManualClock());
    const bob = member('bob');
    const { port, endpoint } = await server(alice);
    for (let count = 0; count < 8; count++) await echo(bob, endpoint, alice.publicKey);
    for (let count = 0; count < 3; count++) {
      const socket = rawSocket(port);
      socket.end('garbage that is no TLS record');
      await closing(socket);
    }
    await expect(bob.dial(endpoint, alice.publicKey)).rejects.toThrow(
      /closed during the handshake|ECONNRESET|disconnected/,
    );
  });

  it('reaches DNS names and IPv6 addresses', async () => {
    const [alice, bob] = [member('alice'), member('bob')];
    const four = await server(alice);
    expect(await echo(bob, `localhost:${four.port}`, alice.publicKey)).toEqual(Uint8Array.of(1, 2, 3));
    const six = await server(alice, '[::1]:0').catch(() => undefined);
    // A machine without IPv6 cannot listen there.
    if (six !== undefined) expect(await echo(bob, six.endpoint, alice.publicKey)).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('proves the key that the other side expects, if it is one of its own, and the one that it is told to', async () => {
    const keys = ['old', 'new'].map((name) => transportPublicKey(privateKey(name)));
    const ring = { privateKey: privateKey('new'), furtherKeys: () => [privateKey('old')] };
    const alice = new TlsNetwork(ring, { clock: createRealClock(), logger: createSilentLogger() });
    const bob = member('bob');
    const { endpoint } = await server(alice);
    for (const key of keys) expect(await echo(bob, endpoint, key)).toEqual(Uint8Array.of(1, 2, 3));
    await expect(bob.dial(endpoint, transportPublicKey(privateKey('carol')))).rejects.toThrow(
      `proved the key ${keys[1]}, expected`,
    );
    const strict = await server(bob, '127.0.0.1:0', new Set([keys[0]!]));
    await expect(alice.dial(strict.endpoint, bob.publicKey)).rejects.toThrow('no member of this network');
    const connection = await alice.dial(strict.endpoint, bob.publicKey, keys[0]);
    connection.close('done');
    expect(strict.connections.map(({ peerKey }) => peerKey)).toEqual([keys[0]]);
    await expect(alice.dial(strict.endpoint, bob.publicKey, bob.publicKey)).rejects.toThrow('is not held here');
  });

  it("fails to listen on a taken port with the system's reason", async () => {
    const { endpoint } = await server(member('alice'));
    await expect(server(member('bob'), endpoint)).rejects.toThrow(/EADDRINUSE/);
  });
});

describe('a transport identity', () => {
  it('comes from PKCS#8 as well as from the raw key, always with the same certificate', () => {
    const { privateKey: key } = generateKeyPairSync('ed25519');
    const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
    const raw: Hex = `0x${key.export({ type: 'pkcs8', format: 'der' }).subarray(16).toString('hex')}`;
    expect(createTransportIdentity(pem)).toEqual(createTransportIdentity(raw));
  });

  it('has the public key of RFC 8032, test 1', () => {
    const identity = createTransportIdentity('0x9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60');
    expect(identity.publicKey).toBe('0xd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
  });

  it('refuses other keys without repeating them', () => {
    const { privateKey: ec } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    for (const wrong of ['0x1234', 'secret words', ec.export({ type: 'pkcs8', format: 'pem' }).toString()]) {
      expect(() => createTransportIdentity(wrong)).toThrow(
        /^the transport key must be an Ed25519 private key: [^-]*PEM$/,
      );
    }
  });
});
