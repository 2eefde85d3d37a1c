import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EPCISEvent, eventHash, FormatError, parseEPCISJson } from '@hanse/formats';
import { commitment, type HashFunction } from '@hanse/modules/abi';
import { bytesToHex, type Hash, hexToBytes, isHash } from '@hanse/protocol';
import { writeJsonAtomically } from '../atomicFile.ts';
import { CLIError } from '../cliError.ts';

/** An event with the salt that opens its commitment: what the owner keeps, and hands to whoever may check it. */
export interface AnchoredEvent {
  /** The event as JSON text by itself, exactly as its owner has it. */
  readonly event: string;
  /** 32 random bytes. Without them nobody can tell, or guess, what the commitment stands for. */
  readonly salt: Hash;
}

const sha256 = (data: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(data).digest());

/** Prepares an event for anchoring, with a fresh salt. */
export const saltEvent = (event: string): AnchoredEvent => ({ event, salt: bytesToHex(randomBytes(32)) });

export interface OpenedCommitment {
  readonly event: EPCISEvent;
  /** The event's CBV 2.0 hash: `ni:///sha-256;...?ver=CBV2.0`. */
  readonly eventHash: string;
  /** H(salt, event hash): what stands on the chain. */
  readonly commitment: Hash;
}

/** Computes what an event and its salt commit to, from nothing but the two. `hash` is the suite's. */
export function openCommitment({ event: text, salt }: AnchoredEvent, hash: HashFunction): OpenedCommitment {
  const [event, ...others] = parseEPCISJson(text).events;
  if (event === undefined || others.length > 0) throw new RangeError('one event is expected');
  const { id, digest } = eventHash(event, sha256);
  return { event, eventHash: id, commitment: bytesToHex(commitment(hash, hexToBytes(salt), digest)) };
}

/** `event-07.json`: one file an event, readable by its owner only. */
const fileName = (index: number): string => `event-${String(index + 1).padStart(2, '0')}.json`;

/**
 * The events with their salts from a folder; events that are not there yet get a salt and a file. So whoever begins again
 * after an interruption anchors the same commitments again, which changes nothing on the chain.
 */
export function keepAnchoredEvents(folder: string, events: readonly string[]): readonly AnchoredEvent[] {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return events.map((event, index) => {
    const path = join(folder, fileName(index));
    const kept = existsSync(path) ? readAnchoredEvent(path) : undefined;
    if (kept?.event === event) return kept;
    const salted = saltEvent(event);
    writeJsonAtomically(path, salted, 0o600);
    return salted;
  });
}

/** All events of a folder, in their order. Throws a CLIError for a damaged file. */
export function readAnchoredEvents(folder: string): readonly AnchoredEvent[] {
  const names = readdirSync(folder).filter((name) => /^event-[0-9]+\.json$/.test(name));
  return names.sort().map((name) => readAnchoredEvent(join(folder, name)));
}

function readAnchoredEvent(path: string): AnchoredEvent {
  let content: Partial<AnchoredEvent>;
  try {
    content = JSON.parse(readFileSync(path, 'utf8')) as Partial<AnchoredEvent>;
  } catch (error) {
    throw new CLIError(`${path} cannot be read: ${(error as Error).message}`);
  }
  const { event, salt } = content;
  if (typeof event !== 'string' || !isHash(salt))
    throw new CLIError(`${path} is damaged: an event and a salt of 32 bytes are expected.`);
  return { event, salt };
}

/**
 * Whether an event is the one that was anchored: `isAnchored` asks the chain for a commitment. False for a changed event, a
 * changed salt, and a text that is no event any more.
 */
export async function isGenuine(
  anchored: AnchoredEvent,
  hash: HashFunction,
  isAnchored: (commitment: Hash) => Promise<boolean>,
): Promise<boolean> {
  let opened: OpenedCommitment;
  try {
    opened = openCommitment(anchored, hash);
  } catch (error) {
    if (error instanceof FormatError || error instanceof RangeError) return false;
    throw error;
  }
  return await isAnchored(opened.commitment);
}
