import type { Log } from './block.ts';
import { hexToBytes } from './bytes.ts';

/** Whatever has Keccak: a suite, or its primitives. */
export interface Keccak256 {
  keccak256(data: Uint8Array): Uint8Array;
}

/** The length of a logs bloom. */
export const BLOOM_BYTES = 256;

/** The logs bloom of one receipt (Yellow Paper, section 4.4.3): three bits of 2,048 for every address and topic. */
export function logsBloom(hasher: Keccak256, logs: readonly Log[]): Uint8Array {
  const bloom = new Uint8Array(BLOOM_BYTES);
  for (const log of logs) {
    addToBloom(hasher, bloom, hexToBytes(log.address));
    for (const topic of log.topics) addToBloom(hasher, bloom, hexToBytes(topic));
  }
  return bloom;
}

/** Sets the bits of a block's bloom to the union of its receipts' blooms. */
export function mergeBlooms(blooms: readonly Uint8Array[]): Uint8Array {
  const merged = new Uint8Array(BLOOM_BYTES);
  for (const bloom of blooms) {
    for (let i = 0; i < BLOOM_BYTES; i++) merged[i] = merged[i]! | bloom[i]!;
  }
  return merged;
}

/** Whether an address (20 bytes) or topic (32 bytes) may be among the logs; false is certain. */
export function bloomMayContain(hasher: Keccak256, bloom: Uint8Array, item: Uint8Array): boolean {
  const hash = hasher.keccak256(item);
  for (let pair = 0; pair < 6; pair += 2) {
    const bit = bitOf(hash, pair);
    if ((bloom[BLOOM_BYTES - 1 - (bit >> 3)]! & (1 << (bit & 7))) === 0) return false;
  }
  return true;
}

function addToBloom(hasher: Keccak256, bloom: Uint8Array, item: Uint8Array): void {
  const hash = hasher.keccak256(item);
  for (let pair = 0; pair < 6; pair += 2) {
    const bit = bitOf(hash, pair);
    const at = BLOOM_BYTES - 1 - (bit >> 3);
    bloom[at] = bloom[at]! | (1 << (bit & 7));
  }
}

/** The low eleven bits of a pair of bytes of the hash. */
function bitOf(hash: Uint8Array, pair: number): number {
  return ((hash[pair]! << 8) | hash[pair + 1]!) & 2047;
}
