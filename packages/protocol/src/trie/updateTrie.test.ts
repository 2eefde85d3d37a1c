import { createMPT } from '@ethereumjs/mpt';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesToHex, hexToBytes } from '../bytes.ts';
import { createInternationalSuite } from '../internationalSuite.ts';
import { portablePrimitives } from '../portablePrimitives.ts';
import { MemoryTrie } from './testing/memoryTrie.ts';
import { decodeTrieNode, encodeTrieNode } from './trieNode.ts';
import { orderedTrieRoot, secureTrieRoot, trieOf } from './trieRoot.ts';
import { emptyTrieRoot, type TrieChange, updateTrie } from './updateTrie.ts';

const suite = createInternationalSuite(portablePrimitives);

/** The root of these entries by another implementation. */
async function referenceRoot(entries: ReadonlyMap<string, Uint8Array>): Promise<string> {
  const trie = await createMPT();
  for (const [key, value] of entries) await trie.put(hexToBytes(`0x${key}`), value);
  return bytesToHex(trie.root());
}

/**
 * Keys of few distinct nibbles, so that they share long prefixes: the trie becomes deep, with extensions and with
 * branches that collapse. All of one length, as in a secure trie, or of any length.
 */
const deepKey = (length: { min: number; max: number }) =>
  fc
    .array(fc.constantFrom('00', '01', '10', '11', 'a0'), { minLength: length.min, maxLength: length.max })
    .map((parts) => parts.join(''));

/** Short values make nodes below 32 bytes, which live in their parents; long ones make hashed nodes. */
const value = fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 3 }), fc.uint8Array({ minLength: 30, maxLength: 70 }));

const batches = (length: { min: number; max: number }) =>
  fc.array(fc.array(fc.tuple(deepKey(length), fc.option(value, { nil: undefined })), { maxLength: 24 }), {
    minLength: 1,
    maxLength: 6,
  });

function sorted(batch: readonly (readonly [string, Uint8Array | undefined])[]): TrieChange[] {
  return [...new Map(batch)].sort((a, b) => (a[0] < b[0] ? -1 : 1));
}

describe('updateTrie', () => {
  it.each([
    ['keys of one length', { min: 5, max: 5 }],
    ['keys that are prefixes of one another', { min: 1, max: 6 }],
  ])('agrees with another implementation after every batch, stores exactly the reachable nodes: %s', async (_, length) => {
    await fc.assert(
      fc.asyncProperty(batches(length), async (all) => {
        const trie = new MemoryTrie(suite);
        const entries = new Map<string, Uint8Array>();
        for (const batch of all) {
          const changes = sorted(batch);
          trie.update(changes);
          for (const [key, changed] of changes) {
            if (changed === undefined) entries.delete(key);
            else entries.set(key, changed);
          }
          expect(trie.root).toBe(await referenceRoot(entries));
          expect(trie.entries()).toEqual([...entries].sort((a, b) => (a[0] < b[0] ? -1 : 1)));
          expect([...trie.nodes.keys()].sort()).toEqual(trie.reachablePaths().sort());
        }
      }),
      { seed: 20231, numRuns: 150 },
    );
  });

  it('gives the same nodes whether the changes come one by one or in one batch', () => {
    fc.assert(
      fc.property(batches({ min: 3, max: 3 }), (all) => {
        const single = new MemoryTrie(suite);
        const batched = new MemoryTrie(suite);
        for (const batch of all) {
          const changes = sorted(batch);
          for (const change of changes) single.update([change]);
          batched.update(changes);
        }
        expect(batched.root).toBe(single.root);
        expect(batched.nodes).toEqual(single.nodes);
      }),
      { seed: 20232, numRuns: 200 },
    );
  });

  it('changes nothing when keys are set to what they are, or removed where they are not', () => {
    const trie = new MemoryTrie(suite);
    trie.update([
      ['0011', Uint8Array.of(1)],
      ['0012', new Uint8Array(40).fill(2)],
      ['0112', new Uint8Array(40).fill(3)],
    ]);
    const update = updateTrie(
      (path) => trie.nodes.get(path),
      trie.root,
      [
        ['0000', undefined],
        ['0011', Uint8Array.of(1)],
        ['0012', new Uint8Array(40).fill(2)],
        ['00120000', undefined],
        ['ff', undefined],
      ],
      suite,
    );
    expect(update.root).toBe(trie.root);
    expect(update.nodes.size).toBe(0);
  });

  it('is empty again when everything is removed', () => {
    const trie = new MemoryTrie(suite);
    const keys = Array.from({ length: 300 }, (_, i) => bytesToHex(suite.hash(Uint8Array.of(i >> 8, i))).slice(2));
    trie.update(sorted(keys.map((key) => [key, new Uint8Array(33).fill(1)] as const)));
    expect(trie.nodes.size).toBeGreaterThan(300);
    trie.update(sorted(keys.map((key) => [key, undefined] as const)));
    expect(trie.root).toBe(emptyTrieRoot(suite));
    expect(trie.nodes.size).toBe(0);
  });

  it('refuses changes out of order, empty values, a missing node and a root that is not there', () => {
    const trie = new MemoryTrie(suite);
    const long = new Uint8Array(40).fill(1);
    trie.update([
      ['00', long],
      ['10', long],
      ['11', long],
    ]);
    const update = (changes: TrieChange[], root = trie.root) =>
      updateTrie((path) => trie.nodes.get(path), root, changes, suite);
    expect(() =>
      update([
        ['10', long],
        ['00', long],
      ]),
    ).toThrow('ascend');
    expect(() =>
      update([
        ['10', long],
        ['10', long],
      ]),
    ).toThrow('ascend');
    expect(() => update([['10', new Uint8Array(0)]])).toThrow('empty value');
    expect(() => update([['10', long]], `0x${'11'.repeat(32)}`)).toThrow('instead of');
    trie.nodes.delete('1');
    expect(() => update([['12', long]])).toThrow("lacks the trie node at '1'");
  });
});

describe('trie nodes', () => {
  it('decode only what they encode to', () => {
    const trie = new MemoryTrie(suite);
    trie.update([
      ['0011', Uint8Array.of(1)],
      ['0012', new Uint8Array(40).fill(2)],
      ['01', Uint8Array.of(0x80)],
      ['0112', new Uint8Array(70).fill(3)],
    ]);
    for (const encoded of trie.nodes.values()) {
      expect(encodeTrieNode(decodeTrieNode(encoded))).toEqual(encoded);
      for (let bit = 0; bit < encoded.length * 8; bit++) {
        const flipped = encoded.slice();
        flipped[bit >> 3]! ^= 1 << (bit & 7);
        let again: Uint8Array;
        try {
          again = encodeTrieNode(decodeTrieNode(flipped));
        } catch {
          continue;
        }
        expect(again).toEqual(flipped);
      }
    }
  });
});

describe('the roots of whole tries', () => {
  it('gives the empty root for no values', () => {
    const empty = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421';
    expect(emptyTrieRoot(suite)).toBe(empty);
    expect(orderedTrieRoot([], suite)).toBe(empty);
    expect(secureTrieRoot([], suite)).toBe(empty);
    expect(trieOf([], suite).nodes.size).toBe(0);
  });

  it('keys ordered values by the RLP of their index, across its change of length', async () => {
    for (const count of [1, 2, 127, 128, 129, 256, 257, 300]) {
      const values = Array.from({ length: count }, (_, i) => suite.hash(Uint8Array.of(i & 0xff, i >> 8)));
      const entries = new Map(
        values.map((bytes, i) => {
          const key = i === 0 ? '80' : i < 128 ? hex(i) : i < 256 ? `81${hex(i)}` : `82${hex(i >> 8)}${hex(i & 0xff)}`;
          return [key, bytes] as const;
        }),
      );
      expect(orderedTrieRoot(values, suite)).toBe(await referenceRoot(entries));
    }
  });
});

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
