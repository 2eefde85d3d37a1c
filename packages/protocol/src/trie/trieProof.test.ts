import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createInternationalSuite } from '../internationalSuite.ts';
import { portablePrimitives } from '../portablePrimitives.ts';
import { MemoryTrie } from './testing/memoryTrie.ts';
import { createTrieProof, verifyTrieProof } from './trieProof.ts';
import { orderedTrie, orderedTrieKey } from './trieRoot.ts';
import { emptyTrieRoot, type TrieChange } from './updateTrie.ts';

const suite = createInternationalSuite(portablePrimitives);

const key = fc
  .array(fc.constantFrom('00', '01', '10', 'a0', 'ff'), { minLength: 1, maxLength: 5 })
  .map((k) => k.join(''));
const value = fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 4 }), fc.uint8Array({ minLength: 30, maxLength: 60 }));
const entries = fc.array(fc.tuple(key, value), { maxLength: 30 });

function trieWith(all: readonly (readonly [string, Uint8Array])[]): MemoryTrie {
  const trie = new MemoryTrie(suite);
  trie.update([...new Map(all)].sort((a, b) => (a[0] < b[0] ? -1 : 1)) as TrieChange[]);
  return trie;
}

const prove = (trie: MemoryTrie, k: string) => createTrieProof((path) => trie.nodes.get(path), trie.root, k, suite);

describe('trie proofs', () => {
  it('give every key its value, and every other key none', () => {
    fc.assert(
      fc.property(entries, fc.array(key, { maxLength: 10 }), (all, others) => {
        const trie = trieWith(all);
        const values = new Map(all);
        for (const k of [...values.keys(), ...others]) {
          expect(verifyTrieProof(trie.root, k, prove(trie, k), suite)).toEqual(values.get(k));
        }
      }),
      { seed: 20233, numRuns: 150 },
    );
  });

  it('are refused with a node more, a node fewer, nodes swapped, or for another root', () => {
    fc.assert(
      fc.property(entries, key, fc.nat(), (all, k, place) => {
        const trie = trieWith(all);
        const proof = prove(trie, k);
        const verify = (nodes: readonly Uint8Array[], root = trie.root) => verifyTrieProof(root, k, nodes, suite);
        expect(() => verify([...proof, Uint8Array.of(0x80)])).toThrow('does not need');
        if (proof.length === 0) return;
        expect(() => verify([...proof, proof.at(-1)!])).toThrow('does not need');
        expect(() => verify(proof.slice(0, -1))).toThrow('ends before');
        expect(() => verify(proof.toSpliced(place % proof.length, 1))).toThrow('proof');
        if (proof.length > 1) expect(() => verify(proof.toReversed())).toThrow('not the one');
        expect(() => verify(proof, `0x${'ab'.repeat(32)}`)).toThrow('not the one');
      }),
      { seed: 20234, numRuns: 150 },
    );
  });

  it('fail with any single bit flipped', () => {
    const trie = trieWith([
      ['0000', new Uint8Array(40).fill(7)],
      ['0001', new Uint8Array(2).fill(7)],
      ['0100', new Uint8Array(40).fill(9)],
      ['ff00', new Uint8Array(33).fill(9)],
    ]);
    for (const k of ['0000', '0001', '0100', 'ff00', 'ff01', '0101']) {
      const proof = prove(trie, k);
      for (let node = 0; node < proof.length; node++) {
        for (let bit = 0; bit < proof[node]!.length * 8; bit++) {
          const flipped = proof.map((bytes) => bytes.slice());
          flipped[node]![bit >> 3]! ^= 1 << (bit & 7);
          expect(() => verifyTrieProof(trie.root, k, flipped, suite)).toThrow('not the one');
        }
      }
    }
  });

  it('of the empty trie are empty', () => {
    expect(verifyTrieProof(emptyTrieRoot(suite), '00', [], suite)).toBeUndefined();
    expect(() => verifyTrieProof(emptyTrieRoot(suite), '00', [Uint8Array.of(0x80)], suite)).toThrow('does not need');
  });

  it('refuse a node that hashes rightly but is no canonical node', () => {
    for (const node of ['c28080', 'c3808080', 'c3208101', 'c22080', 'c0', 'd2', 'c4822a0001']) {
      const bytes = Uint8Array.from(Buffer.from(node, 'hex'));
      expect(() => verifyTrieProof(suite.hashHex(bytes), '00', [bytes], suite)).toThrow('a trie node');
    }
  });

  it("prove a transaction's place in its block", () => {
    const values = Array.from({ length: 200 }, (_, i) => new Uint8Array(100 + i).fill(i + 1));
    const { root, nodes } = orderedTrie(values, suite);
    for (const index of [0, 1, 127, 128, 199, 200]) {
      const place = orderedTrieKey(index);
      const proof = createTrieProof((path) => nodes.get(path), root, place, suite);
      expect(verifyTrieProof(root, place, proof, suite)).toEqual(values[index]);
    }
  });
});
