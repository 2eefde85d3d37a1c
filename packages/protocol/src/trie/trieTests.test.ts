import { describe, expect, it } from 'vitest';
import { ethereumJson } from '../../test/ethereumData.ts';
import { hexToBytes, utf8ToBytes } from '../bytes.ts';
import { createInternationalSuite } from '../internationalSuite.ts';
import { portablePrimitives } from '../portablePrimitives.ts';
import { MemoryTrie } from './testing/memoryTrie.ts';
import { trieKey } from './trieNode.ts';
import type { TrieChange } from './updateTrie.ts';

const suite = createInternationalSuite(portablePrimitives);

type Step = readonly [string, string | null];
interface TrieTest {
  readonly in: readonly Step[] | Readonly<Record<string, string | null>>;
  readonly root: string;
}
interface NextPrevTest {
  readonly in: readonly string[];
  readonly tests: readonly (readonly [string, string, string])[];
}

function load<T>(file: string): [string, T][] {
  return Object.entries(ethereumJson<Record<string, T>>(`ethereum-tests/TrieTests/${file}`));
}

const bytes = (text: string): Uint8Array => (text.startsWith('0x') ? hexToBytes(text) : utf8ToBytes(text));

function steps(test: TrieTest, secure: boolean): TrieChange[] {
  const all: readonly Step[] = Array.isArray(test.in) ? (test.in as Step[]) : Object.entries(test.in);
  return all.map(([key, value]) => [
    trieKey(secure ? suite.hash(bytes(key)) : bytes(key)),
    value === null || value === '' ? undefined : bytes(value),
  ]);
}

const sorted = (changes: readonly TrieChange[]): TrieChange[] =>
  [...new Map(changes)].sort((a, b) => (a[0] < b[0] ? -1 : 1));

describe('ethereum/tests TrieTests', () => {
  describe.each([
    ['trieanyorder.json', false],
    ['trietest.json', false],
    ['trieanyorder_secureTrie.json', true],
    ['trietest_secureTrie.json', true],
    ['hex_encoded_securetrie_test.json', true],
  ])('%s', (file, secure) => {
    const cases = load<TrieTest>(file);
    it.each(cases)('%s: step by step, and in one batch', (_, test) => {
      const changes = steps(test, secure);
      const single = new MemoryTrie(suite);
      for (const change of changes) single.update([change]);
      expect(single.root).toBe(test.root);
      const batched = new MemoryTrie(suite);
      batched.update(sorted(changes));
      expect(batched.root).toBe(test.root);
      expect(batched.nodes).toEqual(single.nodes);
    });
  });

  it('trietestnextprev.json: the keys lie in the order of bytes', () => {
    for (const [, test] of load<NextPrevTest>('trietestnextprev.json')) {
      const trie = new MemoryTrie(suite);
      trie.update(sorted(test.in.map((key) => [trieKey(bytes(key)), Uint8Array.of(1)])));
      const keys = trie.entries().map(([key]) => key);
      const text = (key: string | undefined): string => (key === undefined ? '' : Buffer.from(key, 'hex').toString());
      for (const [at, previous, next] of test.tests) {
        const key = trieKey(bytes(at));
        expect(text(keys.findLast((other) => other < key))).toBe(previous);
        expect(text(keys.find((other) => other > key))).toBe(next);
      }
    }
  });
});
