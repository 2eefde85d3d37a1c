import { randomBytes } from 'node:crypto';
import type { Random } from './random.ts';

/** The operating system's generator. */
export function createRealRandom(): Random {
  return { bytes: (length: number): Uint8Array => new Uint8Array(randomBytes(length)) };
}
