import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { splitEPCISJson } from '@hanse/formats';
import { bytesToHex, type Hash } from '@hanse/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CLIError } from '../cliError.ts';
import {
  type AnchoredEvent,
  isGenuine,
  keepAnchoredEvents,
  openCommitment,
  readAnchoredEvents,
} from './anchoredEvent.ts';

// Any hash of 32 bytes will do here; the story takes the one of the network's suite.
const hash = (data: Uint8Array): Uint8Array => new Uint8Array(createHash('sha512-256').update(data).digest());
const events = splitEPCISJson(
  readFileSync(new URL('../../data/seafood/traceback_tests.jsonld', import.meta.url), 'utf8'),
);

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'hanse-story-')), 'farm');
});
afterEach(() => {
  rmSync(join(folder, '..'), { recursive: true, force: true });
});

/** A chain that knows what the farm anchored. */
function chainOf(anchored: readonly AnchoredEvent[]): (commitment: Hash) => Promise<boolean> {
  const known = new Set(anchored.map((entry) => openCommitment(entry, hash).commitment));
  return async (commitment) => known.has(commitment);
}

describe('the files of the farm', () => {
  it('hold every event as it was, with a salt of its own, for their owner only', () => {
    const kept = keepAnchoredEvents(folder, events);
    expect(readAnchoredEvents(folder)).toEqual(kept);
    expect(kept.map(({ event }) => event)).toEqual(events);
    expect(new Set(kept.map(({ salt }) => salt)).size).toBe(21);
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('stay when the story is told again, so that the same commitments are anchored', () => {
    const first = keepAnchoredEvents(folder, events);
    rmSync(join(folder, 'event-07.json'));
    const again = keepAnchoredEvents(folder, events);
    expect(again.filter(({ salt }, index) => salt !== first[index]?.salt)).toEqual([again[6]]);
  });

  it('say which of them is damaged', () => {
    keepAnchoredEvents(folder, events);
    writeFileSync(join(folder, 'event-03.json'), '{"event":"x","salt":"0x12"}');
    expect(() => readAnchoredEvents(folder)).toThrow(CLIError);
    expect(() => readAnchoredEvents(folder)).toThrow(/event-03\.json is damaged/);
    writeFileSync(join(folder, 'event-03.json'), '{');
    expect(() => readAnchoredEvents(folder)).toThrow(/event-03\.json cannot be read/);
  });
});

describe('checking a handed-over event', () => {
  it('finds every genuine event, and one whose members were only put in another order', async () => {
    const kept = keepAnchoredEvents(folder, events);
    const isAnchored = chainOf(kept);
    for (const anchored of kept) expect(await isGenuine(anchored, hash, isAnchored)).toBe(true);
    const [first] = kept as readonly [AnchoredEvent];
    const reordered = JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(first.event)).reverse()));
    expect(await isGenuine({ ...first, event: reordered }, hash, isAnchored)).toBe(true);
  });

  it('refuses another quantity, place, time or certificate, another salt, and what is no event', async () => {
    const kept = keepAnchoredEvents(folder, events);
    const isAnchored = chainOf(kept);
    const catchOfTuna = kept[5] as AnchoredEvent;
    const changes: readonly (readonly [from: string, to: string])[] = [
      ['"quantity":9876', '"quantity":9877'],
      ['08600031303.1.1', '08600031303.3.1'],
      ['2022-01-22T10:57:24.1560000', '2022-01-21T10:57:24.1560000'],
      ['harvestCert', 'harvestCoC'],
      ['VESSEL1', 'VESSEL2'],
      ['"type":"ObjectEvent"', '"type":"Invoice"'],
      ['{', ''],
    ];
    for (const [from, to] of changes) {
      const event = catchOfTuna.event.replace(from, to);
      expect(event).not.toBe(catchOfTuna.event);
      expect(await isGenuine({ ...catchOfTuna, event }, hash, isAnchored)).toBe(false);
    }
    const salt = bytesToHex(new Uint8Array(32).fill(7));
    expect(await isGenuine({ ...catchOfTuna, salt }, hash, isAnchored)).toBe(false);
  });

  it('lets a failing chain fail, instead of calling the event forged', async () => {
    const [first] = keepAnchoredEvents(folder, events) as readonly [AnchoredEvent];
    const unreachable = (): Promise<boolean> => Promise.reject(new Error('no answer'));
    await expect(isGenuine(first, hash, unreachable)).rejects.toThrow('no answer');
  });
});
