import type { TrieChild, TrieNode, TrieReference } from './trieNode.ts';
import {
  EMPTY_STRING,
  HASH_STRING,
  invalid,
  LIST,
  prefixLength,
  type RlpSpan,
  readItem,
  referenceAt,
  referenceLength,
  stringLength,
  writePrefix,
  writeReference,
  writeString,
} from './trieRlp.ts';

/** What takes a child's place: another child, or null for none; undefined leaves what was there. */
export type Replacement = TrieChild | null | undefined;

/**
 * A branch: 16 children by nibble, and a value in tries whose keys may be prefixes of one another (never in a secure trie).
 *
 * It keeps the encoding that it was read from and what replaces single children. A block changes one child of most
 * branches that it comes through; the others are neither looked at nor copied one by one.
 */
export class BranchNode {
  readonly kind = 'branch';
  readonly value: Uint8Array | undefined;
  readonly #rlp: Uint8Array;
  /** Where each of the 17 items begins in the encoding, and where the last one ends. */
  readonly #heads: readonly number[];
  readonly #replaced: readonly Replacement[] | undefined;

  private constructor(
    rlp: Uint8Array,
    heads: readonly number[],
    replaced: readonly Replacement[] | undefined,
    value: Uint8Array | undefined,
  ) {
    this.#rlp = rlp;
    this.#heads = heads;
    this.#replaced = replaced;
    this.value = value;
  }

  /** A new branch; `children` are 16. */
  static of(children: readonly (TrieChild | undefined)[], value: Uint8Array | undefined): BranchNode {
    return new BranchNode(NO_CHILDREN, NO_CHILDREN_HEADS, children, value);
  }

  /** Reads a branch whose items start at `first`; throws `invalid-rlp`. */
  static decode(rlp: Uint8Array, first: number): BranchNode {
    const span: RlpSpan = { start: 0, end: first, isList: false };
    const heads: number[] = [first];
    for (let nibble = 0; nibble < 16; nibble++) {
      const head = span.end;
      readItem(rlp, head, rlp.length, span);
      const prefix = rlp[head]!;
      if (prefix !== HASH_STRING && prefix !== EMPTY_STRING) referenceAt(rlp, head, span.end);
      heads.push(span.end);
    }
    readItem(rlp, span.end, rlp.length, span);
    if (span.end !== rlp.length) throw invalid('does not have 2 or 17 items');
    if (span.isList) throw invalid('has a list for a value');
    heads.push(span.end);
    const value = span.start === span.end ? undefined : rlp.subarray(span.start, span.end);
    return new BranchNode(rlp, heads, undefined, value);
  }

  child(nibble: number): TrieChild | undefined {
    const replaced = this.#replaced?.[nibble];
    if (replaced !== undefined) return replaced ?? undefined;
    return referenceAt(this.#rlp, this.#heads[nibble]!, this.#heads[nibble + 1]!);
  }

  hasChild(nibble: number): boolean {
    const replaced = this.#replaced?.[nibble];
    return replaced === undefined ? this.#rlp[this.#heads[nibble]!] !== EMPTY_STRING : replaced !== null;
  }

  /** The branch with some children replaced (16 places), or none, and with this value. */
  replace(replacements: readonly Replacement[] | undefined, value: Uint8Array | undefined): BranchNode {
    let replaced = replacements ?? this.#replaced;
    if (replacements !== undefined && this.#replaced !== undefined) {
      const before = this.#replaced;
      replaced = replacements.map((child, nibble) => (child === undefined ? before[nibble] : child));
    }
    return new BranchNode(this.#rlp, this.#heads, replaced, value);
  }

  /** The RLP; `reference` encodes a child that is still a node. */
  encode(reference: (child: TrieNode, nibble: number) => TrieReference): Uint8Array {
    const references: (TrieReference | null | undefined)[] = [];
    let payload = this.value === undefined ? 1 : stringLength(this.value);
    for (let nibble = 0; nibble < 16; nibble++) {
      const child = this.#replaced?.[nibble];
      const ready =
        child === undefined || child === null || child instanceof Uint8Array ? child : reference(child, nibble);
      references.push(ready);
      if (ready === undefined) payload += this.#heads[nibble + 1]! - this.#heads[nibble]!;
      else payload += ready === null ? 1 : referenceLength(ready);
    }
    const target = new Uint8Array(prefixLength(payload) + payload);
    let at = writePrefix(target, 0, LIST, payload);
    for (let nibble = 0; nibble < 16; nibble++) {
      const ready = references[nibble];
      if (ready === undefined) at = this.#copyItem(nibble, target, at);
      else if (ready === null) target[at++] = EMPTY_STRING;
      else at = writeReference(target, at, ready);
    }
    if (this.value === undefined) target[at] = EMPTY_STRING;
    else writeString(target, at, this.value);
    return target;
  }

  #copyItem(nibble: number, target: Uint8Array, at: number): number {
    const rlp = this.#rlp;
    const end = this.#heads[nibble + 1]!;
    let to = at;
    for (let from = this.#heads[nibble]!; from < end; from++) target[to++] = rlp[from]!;
    return to;
  }
}

const NO_CHILDREN = new Uint8Array(18).fill(EMPTY_STRING);
NO_CHILDREN[0] = LIST + 17;
const NO_CHILDREN_HEADS: readonly number[] = Array.from({ length: 18 }, (_, i) => i + 1);
