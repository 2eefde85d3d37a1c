import { createHash } from 'node:crypto';
import { connect as connectTls } from 'node:tls';
import type { Hex } from '@hanse/protocol';
import { afterEach, describe, expect, it } from 'vitest';
import { createSilentLogger } from '../runtime/consoleLogger.ts';
import { parseEndpoint } from '../runtime/endpoint.ts';
import { encodeFrameHeader, FRAME_DATA } from '../runtime/frameDecoder.ts';
import { createRealClock } from '../runtime/realClock.ts';
import { createRealRandom } from '../runtime/realRandom.ts';
import { TlsNetwork } from '../runtime/tlsNetwork.ts';
import { createTransportIdentity, transportPublicKey } from '../runtime/transportKey.ts';
import { encodeEnvelope } from './envelope.ts';
import { encodeHello, MIN_PROTOCOL_VERSION, PROTOCOL_VERSION } from './hello.ts';
import type { PeerMember } from './peer.ts';
import type { PeerLimits } from './peerLimits.ts';
import { PeerNetwork } from './peers.ts';
import { GENESIS_HASH } from './testing/peerCluster.ts';

const KIND = 0x0101;
const privateKey = (name: string): Hex => `0x${createHash('sha256').update(name).digest('hex')}`;
const clock = createRealClock();
const running: PeerNetwork[] = [];
afterEach(async () => {
  for (const peers of running.splice(0)) await peers.close();
});

/** A member on a port of its own; others learn of it by `setMembers`. */
async function startMember(
  name: string,
  listen = '127.0.0.1:0',
  limits: Partial<PeerLimits> = {},
  keys: readonly string[] = [name],
): Promise<PeerNetwork> {
  const logger = createSilentLogger();
  const [present = '', ...further] = keys.map(privateKey);
  const network = new TlsNetwork({ privateKey: present, furtherKeys: () => further }, { clock, logger });
  const peers = new PeerNetwork(
    {
      self: { name, transportKey: network.publicKey },
      genesisHash: GENESIS_HASH,
      chainId: 7,
      listen,
      members: [],
      headHeight: 0,
      limits: {
        dialBackoffMs: 5,
        maxDialBackoffMs: 20,
        dialCourtesyMs: 5,
        penaltyMs: 3_600_000,
        maxPenaltyMs: 3_600_000,
        ...limits,
      },
    },
    { network, clock, random: createRealRandom(), logger },
  );
  running.push(peers);
  peers.onRequest(KIND, async (_peer, payload) => payload, 'consensus');
  await peers.start();
  return peers;
}

function memberOf(name: string, peers: PeerNetwork | undefined): PeerMember {
  return {
    name,
    transportKey: transportPublicKey(privateKey(name)),
    endpoints: peers?.endpoint === undefined ? [] : [peers.endpoint],
  };
}

const connectedTo = (peers: PeerNetwork, count: number): Promise<void> =>
  new Promise((resolve) => {
    const check = (): void => {
      if (peers.connected().length >= count) resolve();
    };
    peers.onConnected(check);
    check();
  });

describe('members over TLS', () => {
  it('connect all to all, exchange messages and answer requests', async () => {
    const names = ['authority', 'bank', 'farm', 'market'];
    const members = await Promise.all(names.map((name) => startMember(name)));
    const received: string[] = [];
    const all = new Promise<void>((resolve) => {
      for (const [index, peers] of members.entries()) {
        peers.onMessage(KIND, (peer, payload) => {
          received.push(`${peer} to ${names[index]}: ${payload.join()}`);
          if (received.length === 12) resolve();
        });
      }
    });
    const list = names.map((name, index) => memberOf(name, members[index]));
    for (const peers of members) peers.setMembers(list);
    await Promise.all(members.map((peers) => connectedTo(peers, 3)));
    for (const [index, peers] of members.entries())
      peers.broadcast(KIND, Uint8Array.of(index), { priority: 'consensus', droppable: true });
    await all;
    const expected = names.flatMap((to) =>
      names.filter((from) => from !== to).map((from) => `${from} to ${to}: ${names.indexOf(from)}`),
    );
    expect(received.toSorted()).toEqual(expected.toSorted());
    const large = new Uint8Array(3_000_000).fill(7);
    const echoed = await members[0]!.request('market', KIND, large, 10_000, 'sync');
    expect(Buffer.compare(echoed, large)).toBe(0);
  });

  it('come back to a member that was restarted on the same endpoint', async () => {
    const [authority, bank] = [await startMember('authority'), await startMember('bank')];
    const list = [memberOf('authority', authority), memberOf('bank', bank)];
    for (const peers of [authority, bank]) peers.setMembers(list);
    await connectedTo(authority, 1);
    const gone = new Promise<string>((resolve) => authority.onDisconnected((_peer, reason) => resolve(reason)));
    await bank.close();
    expect(await gone).toBe('the member stops');
    const again = await startMember('bank', bank.endpoint);
    again.setMembers(list);
    await Promise.all([connectedTo(authority, 1), connectedTo(again, 1)]);
    expect(await again.request('authority', KIND, Uint8Array.of(9), 10_000, 'consensus')).toEqual(Uint8Array.of(9));
  });

  it('let in one that was away while its key and theirs changed, by a key that it holds and does not use yet', async () => {
    const keysOf = (name: string, ...keys: string[]) => startMember(name, '127.0.0.1:0', {}, keys);
    // The bank knows that both have new keys; the farm, which has the files of its new key already, knows neither.
    const bank = await keysOf('bank', 'bank 2', 'bank 1');
    const farm = await keysOf('farm', 'farm 1', 'farm 2');
    const entry = (name: string, key: string, peers: PeerNetwork): PeerMember => ({
      ...memberOf(name, peers),
      transportKey: transportPublicKey(privateKey(key)),
    });
    bank.setMembers([entry('bank', 'bank 2', bank), entry('farm', 'farm 2', farm)]);
    farm.setMembers([entry('bank', 'bank 1', bank), entry('farm', 'farm 1', farm)]);
    await Promise.all([connectedTo(bank, 1), connectedTo(farm, 1)]);
    expect(await farm.request('bank', KIND, Uint8Array.of(9), 10_000, 'sync')).toEqual(Uint8Array.of(9));
    expect(await bank.request('farm', KIND, Uint8Array.of(8), 10_000, 'sync')).toEqual(Uint8Array.of(8));
  });

  it("drop a member that floods while another one's round trips go on", async () => {
    const [authority, bank] = [
      await startMember('authority', '127.0.0.1:0', { messagesPerSecond: 1_000, messagesBurst: 5_000 }),
      await startMember('bank'),
    ];
    const list = [memberOf('authority', authority), memberOf('bank', bank), memberOf('farm', undefined)];
    for (const peers of [authority, bank]) peers.setMembers(list);
    await connectedTo(bank, 1);
    const logger = createSilentLogger();
    const farm = new TlsNetwork({ privateKey: privateKey('farm') }, { clock, logger });
    const connection = await farm.dial(authority.endpoint!, transportPublicKey(privateKey('authority')));
    const dropped = new Promise<string>((resolve) => connection.onClose(resolve));
    connection.onFrame(() => undefined);
    connection.send(
      encodeHello({
        minVersion: MIN_PROTOCOL_VERSION,
        version: PROTOCOL_VERSION,
        genesisHash: GENESIS_HASH,
        chainId: 7,
        memberName: 'farm',
        headHeight: 0,
        instance: '0x0000000000000001',
      }),
    );
    const flood = encodeEnvelope({ type: 'message', kind: KIND, payload: new Uint8Array(64) });
    let over = false;
    void dropped.then(() => (over = true));
    let roundTrips = 0;
    while (!over) {
      for (let count = 0; count < 500 && connection.bufferedBytes < 100_000; count++) connection.send(flood);
      await bank.request('authority', KIND, Uint8Array.of(1), 10_000, 'consensus');
      roundTrips++;
    }
    expect(await dropped).toBe('over its budget of messages');
    expect(roundTrips).toBeGreaterThan(0);
    expect(authority.connected()).toEqual(['bank']);
    await expect(farm.dial(authority.endpoint!, transportPublicKey(privateKey('authority')))).rejects.toThrow(
      /not before a while/,
    );
  });

  it('hear nothing of a stranger, who learns no more than that it is none of them', async () => {
    const authority = await startMember('authority');
    const heard: string[] = [];
    authority.onMessage(KIND, (peer) => heard.push(peer));
    authority.onConnected((peer) => heard.push(peer));
    const identity = createTransportIdentity(privateKey('stranger'));
    const { port } = parseEndpoint(authority.endpoint!);
    const socket = connectTls({
      host: '127.0.0.1',
      port,
      key: identity.privateKeyPem,
      cert: identity.certificatePem,
      rejectUnauthorized: false,
      ALPNProtocols: ['hanse/1'],
    });
    const answer: Buffer[] = [];
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => answer.push(chunk));
    const envelope = encodeEnvelope({ type: 'message', kind: KIND, payload: new Uint8Array(3) });
    socket.write(Buffer.concat([encodeFrameHeader(FRAME_DATA, envelope.length), envelope]));
    await new Promise<void>((resolve) => socket.once('close', () => resolve()));
    expect(heard).toEqual([]);
    expect(Buffer.concat(answer).subarray(5).toString()).toBe('the key is no member of this network');
  });
});
