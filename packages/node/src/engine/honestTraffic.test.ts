import { createHash } from 'node:crypto';
import { bytesToHex, createInternationalSuite, hexToBytes, portablePrimitives, type Suite } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { type Delivery, EngineCluster } from './testing/engineCluster.ts';

const sha256 = (...parts: Uint8Array[]): Uint8Array => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
};

/** Signatures that cost a hash and prove nothing: 31 members verify some hundred thousand of them here. */
const real = createInternationalSuite(portablePrimitives);
const signed = (publicKey: Uint8Array, message: Uint8Array): Uint8Array =>
  new Uint8Array([...sha256(publicKey, message), ...sha256(message, publicKey)]);
const suite: Suite = {
  ...real,
  publicKey: (key) => bytesToHex(new Uint8Array([2, ...key])),
  sign: (key, message) => signed(new Uint8Array([2, ...key]), message),
  verify: (key, message, signature) => Buffer.compare(signed(hexToBytes(key), message), signature) === 0,
};

const MEMBERS = 31;
const everybody = Array.from({ length: MEMBERS }, (_, index) => index);

/** The largest share of each budget that any member's peers used, over all lives of the members that run now. */
function worstUse(cluster: EngineCluster): Record<string, number> {
  const worst: Record<string, number> = {};
  for (const { engine } of cluster.members) {
    for (const [name, share] of Object.entries(engine?.load().worstUse ?? {}))
      worst[name] = Math.max(worst[name] ?? 0, share);
  }
  return worst;
}

describe('31 honest validators', { timeout: 300_000 }, () => {
  it('stay far within what each may send, under load, after a partition, busy with something else, and restarting in a loop', async () => {
    const cluster = new EngineCluster(suite, MEMBERS);
    let sent = 0;
    const load = async (durationMs: number, at = everybody): Promise<void> => {
      for (let passedMs = 0; passedMs < durationMs; passedMs += 200) {
        cluster.submit(`transaction ${sent++}`, at);
        await cluster.run(200);
      }
    };
    await cluster.startAll();
    await load(2_000);

    // Two halves that do not hear each other, and then all of it at once.
    cluster.interfere = ({ from, to, payload }) => (from < 16 === to < 16 ? payload : undefined);
    await load(3_000);
    cluster.interfere = ({ payload }) => payload;
    await load(2_000);

    // One is busy with something else for seconds, and then finds everything that was sent to it meanwhile.
    const BUSY = 5;
    const waiting: Delivery[] = [];
    cluster.interfere = (delivery) => {
      if (delivery.to !== BUSY || delivery.request) return delivery.payload;
      waiting.push(delivery);
      return undefined;
    };
    await load(
      4_000,
      everybody.filter((index) => index !== BUSY),
    );
    cluster.interfere = ({ payload }) => payload;
    for (const { from, kind, payload } of waiting) cluster.member(BUSY).engine!.receive(from, kind, payload);
    await load(1_000);

    // One starts again and again, and asks everybody each time.
    for (let restart = 0; restart < 4; restart++) {
      cluster.kill(9);
      await cluster.start(9);
      await load(400);
    }
    await cluster.run(5_000);
    expect(cluster.members.flatMap(({ blamed }) => blamed)).toEqual([]);
    expect(cluster.members.flatMap(({ alarms }) => alarms)).toEqual([]);
    expect(cluster.member(0).engine!.state().view).toBeGreaterThan(20);
    for (const [name, share] of Object.entries(worstUse(cluster)))
      expect([name, share < 0.1 ? 'little' : share]).toEqual([name, 'little']);
  });
});
