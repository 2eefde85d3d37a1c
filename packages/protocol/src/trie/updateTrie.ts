import { bytesToHex, equalBytes } from '../bytes.ts';
import type { Hash } from '../types.ts';
import { BranchNode, type Replacement } from './branchNode.ts';
import {
  decodeTrieNode,
  type ExtensionNode,
  encodeTrieNode,
  type LeafNode,
  type Nibbles,
  nibbleAt,
  nibbleDigit,
  type TrieChild,
  type TrieHasher,
  type TrieNode,
  type TrieReference,
} from './trieNode.ts';

/**
 * The stored encoding of the node at a place, or undefined. A node is stored under the nibbles that lead to it from the
 * root, '' for the root itself. Nodes whose encoding is shorter than 32 bytes live inside their parent (the root never does).
 */
export type TrieNodeReader = (path: Nibbles) => Uint8Array | undefined;

/** A new value for a key, or undefined to remove the key. A value is never empty. */
export type TrieChange = readonly [key: Nibbles, value: Uint8Array | undefined];

export interface TrieUpdate {
  readonly root: Hash;
  /** What changed in the store: the new encoding at a place, or undefined where a stored node is gone. */
  readonly nodes: ReadonlyMap<Nibbles, Uint8Array | undefined>;
}

const emptyRoots = new WeakMap<TrieHasher, Hash>();

/** The root of a trie without keys: H(RLP('')) (Yellow Paper, appendix D). Hashed once a hasher. */
export function emptyTrieRoot(hasher: TrieHasher): Hash {
  let root = emptyRoots.get(hasher);
  if (root === undefined) {
    root = bytesToHex(hasher.hash(Uint8Array.of(0x80)));
    emptyRoots.set(hasher, root);
  }
  return root;
}

/**
 * Applies a batch of changes to Ethereum's Merkle Patricia trie (Yellow Paper, appendix D) and gives the new root and the
 * nodes to store. Every node on the way is read once, and every changed one is encoded and hashed once, however many keys below it
 * change. `changes` is in strictly ascending order of keys; keys may be prefixes of one another.
 *
 * Throws if the changes are out of order, or if the store lacks a node or holds a root other than `root`: it is damaged,
 * or it is not the state that `root` names.
 */
export function updateTrie(
  reader: TrieNodeReader,
  root: Hash,
  changes: readonly TrieChange[],
  hasher: TrieHasher,
): TrieUpdate {
  assertAscending(changes);
  const nodes = new Map<Nibbles, Uint8Array | undefined>();
  const before = loadRoot(reader, root, hasher);
  if (changes.length === 0) return { root, nodes };
  const writer = new TrieWriter(reader, hasher, nodes);
  const after = writer.apply(before, 0, changes, 0, changes.length);
  if (after === before) return { root, nodes };
  if (after === undefined) {
    nodes.set('', undefined);
    return { root: emptyTrieRoot(hasher), nodes };
  }
  const encoded = writer.encode(after, '');
  nodes.set('', encoded);
  return { root: bytesToHex(hasher.hash(encoded)), nodes };
}

/** The root node, checked against the root's hash; undefined for the empty trie. */
export function loadRoot(reader: TrieNodeReader, root: Hash, hasher: TrieHasher): TrieNode | undefined {
  if (root === emptyTrieRoot(hasher)) return undefined;
  const encoded = reader('');
  if (encoded === undefined) throw new Error(`The store has no root node for the trie ${root}.`);
  const found = bytesToHex(hasher.hash(encoded));
  if (found !== root) throw new Error(`The store holds the trie ${found} instead of ${root}.`);
  return decodeTrieNode(encoded);
}

function assertAscending(changes: readonly TrieChange[]): void {
  for (let i = 0; i < changes.length; i++) {
    if (i > 0 && changes[i - 1]![0] >= changes[i]![0]) throw new Error('The changes of a trie must ascend by key.');
    if (changes[i]![1]?.length === 0) throw new Error('A trie cannot hold an empty value.');
  }
}

/**
 * Two passes. `apply` goes down with the changes and rebuilds what they touch as nodes in memory; a stored node that is
 * replaced is marked as gone. `encode` then goes down the new nodes and encodes them from the leaves up; a node that
 * ends at a place marked as gone overwrites the mark. A function that changes nothing returns the very node it was given.
 */
class TrieWriter {
  readonly #reader: TrieNodeReader;
  readonly #hasher: TrieHasher;
  readonly #nodes: Map<Nibbles, Uint8Array | undefined>;

  constructor(reader: TrieNodeReader, hasher: TrieHasher, nodes: Map<Nibbles, Uint8Array | undefined>) {
    this.#reader = reader;
    this.#hasher = hasher;
    this.#nodes = nodes;
  }

  /** The changes [from, to) share their first `depth` nibbles, which lead to `node`. */
  apply(
    node: TrieNode | undefined,
    depth: number,
    changes: readonly TrieChange[],
    from: number,
    to: number,
  ): TrieNode | undefined {
    if (node === undefined) return build(puts(changes, from, to), depth);
    switch (node.kind) {
      case 'leaf':
        return this.#applyToLeaf(node, depth, changes, from, to);
      case 'extension':
        return this.#applyToExtension(node, depth, changes, from, to);
      case 'branch':
        return this.#applyToBranch(node, depth, changes, from, to);
    }
  }

  /** Encodes a node whose place is `path`, after its changed children. */
  encode(node: TrieNode, path: Nibbles): Uint8Array {
    if (node.kind === 'leaf') return encodeTrieNode(node);
    if (node.kind === 'extension') {
      return encodeTrieNode({ ...node, child: this.#reference(node.child, path + node.nibbles) });
    }
    return node.encode((child, nibble) => this.#reference(child, path + nibbleDigit(nibble)));
  }

  #reference(child: TrieChild, path: Nibbles): TrieReference {
    if (child instanceof Uint8Array) return child;
    const encoded = this.encode(child, path);
    if (encoded.length < 32) return encoded;
    this.#nodes.set(path, encoded);
    return this.#hasher.hash(encoded);
  }

  #load(reference: TrieReference, path: Nibbles): TrieNode {
    if (reference.length !== 32) return decodeTrieNode(reference);
    const encoded = this.#reader(path);
    if (encoded === undefined) throw new Error(`The store lacks the trie node at '${path}'.`);
    return decodeTrieNode(encoded);
  }

  /** Like `apply`, for a child by reference: returns the reference itself if nothing changes. */
  #applyToChild(
    child: TrieChild | undefined,
    depth: number,
    changes: readonly TrieChange[],
    from: number,
    to: number,
  ): TrieChild | undefined {
    if (!(child instanceof Uint8Array)) return this.apply(child, depth, changes, from, to);
    const path = changes[from]![0].slice(0, depth);
    const before = this.#load(child, path);
    const after = this.apply(before, depth, changes, from, to);
    if (after === before) return child;
    if (child.length === 32) this.#nodes.set(path, undefined);
    return after;
  }

  #applyToLeaf(
    leaf: LeafNode,
    depth: number,
    changes: readonly TrieChange[],
    from: number,
    to: number,
  ): TrieNode | undefined {
    const key = changes[from]![0].slice(0, depth) + leaf.nibbles;
    const entries: Entry[] = [];
    let placed = false;
    for (let i = from; i < to; i++) {
      const [changedKey, value] = changes[i]!;
      if (!placed && changedKey >= key) {
        placed = true;
        if (changedKey !== key) entries.push([key, leaf.value]);
      }
      if (value !== undefined) entries.push([changedKey, value]);
    }
    if (!placed) entries.push([key, leaf.value]);
    const [only] = entries;
    if (entries.length === 1 && only![0] === key && equalBytes(only![1], leaf.value)) return leaf;
    return build(entries, depth);
  }

  #applyToExtension(
    extension: ExtensionNode,
    depth: number,
    changes: readonly TrieChange[],
    from: number,
    to: number,
  ): TrieNode | undefined {
    const { nibbles } = extension;
    let shared = sharedWithAll(nibbles, depth, changes, from, to);
    if (shared < nibbles.length) {
      // Removing a key that the extension does not lead to changes nothing, and must not split it.
      const target = changes[from]![0].slice(0, depth) + nibbles;
      changes = changes.slice(from, to).filter(([key, value]) => value !== undefined || key.startsWith(target));
      if (changes.length === 0) return extension;
      from = 0;
      to = changes.length;
      shared = sharedWithAll(nibbles, depth, changes, from, to);
    }
    if (shared === nibbles.length) {
      const child = this.#applyToChild(extension.child, depth + shared, changes, from, to);
      if (child === extension.child) return extension;
      return child === undefined ? undefined : prepend(nibbles, child as TrieNode);
    }
    const rest = nibbles.slice(shared + 1);
    const children: (TrieChild | undefined)[] = new Array(16).fill(undefined);
    children[nibbleAt(nibbles, shared)] =
      rest === '' ? extension.child : { kind: 'extension', nibbles: rest, child: extension.child };
    const split = BranchNode.of(children, undefined);
    const after = this.#applyToBranch(split, depth + shared, changes, from, to);
    return after === undefined ? undefined : prepend(nibbles.slice(0, shared), after);
  }

  #applyToBranch(
    branch: BranchNode,
    depth: number,
    changes: readonly TrieChange[],
    from: number,
    to: number,
  ): TrieNode | undefined {
    let replacements: Replacement[] | undefined;
    let { value } = branch;
    let at = from;
    if (changes[at]![0].length === depth) {
      const change = changes[at]![1];
      at++;
      if (change === undefined || value === undefined || !equalBytes(change, value)) value = change;
    }
    while (at < to) {
      const start = at;
      const nibble = nibbleAt(changes[at]![0], depth);
      do at++;
      while (at < to && nibbleAt(changes[at]![0], depth) === nibble);
      const before = branch.child(nibble);
      const after = this.#applyToChild(before, depth + 1, changes, start, at);
      if (after === before) continue;
      replacements ??= new Array<Replacement>(16).fill(undefined);
      replacements[nibble] = after ?? null;
    }
    if (replacements === undefined && value === branch.value) return branch;
    return this.#normalize(branch.replace(replacements, value), changes[from]![0], depth);
  }

  /** A branch with fewer than two of children and value is no branch: it becomes what it has left. */
  #normalize(branch: BranchNode, key: Nibbles, depth: number): TrieNode | undefined {
    let only = -1;
    for (let nibble = 0; nibble < 16; nibble++) {
      if (!branch.hasChild(nibble)) continue;
      if (only !== -1 || branch.value !== undefined) return branch;
      only = nibble;
    }
    if (only === -1) {
      return branch.value === undefined ? undefined : { kind: 'leaf', nibbles: '', value: branch.value };
    }
    const digit = nibbleDigit(only);
    const child = branch.child(only)!;
    if (!(child instanceof Uint8Array)) return prepend(digit, child);
    const path = key.slice(0, depth) + digit;
    const node = this.#load(child, path);
    if (node.kind === 'branch') return { kind: 'extension', nibbles: digit, child };
    if (child.length === 32) this.#nodes.set(path, undefined);
    return prepend(digit, node);
  }
}

type Entry = readonly [key: Nibbles, value: Uint8Array];

function puts(changes: readonly TrieChange[], from: number, to: number): Entry[] {
  const entries: Entry[] = [];
  for (let i = from; i < to; i++) {
    const [key, value] = changes[i]!;
    if (value !== undefined) entries.push([key, value]);
  }
  return entries;
}

/** The trie of these entries, which ascend and share their first `depth` nibbles. */
function build(entries: readonly Entry[], depth: number, from = 0, to = entries.length): TrieNode | undefined {
  if (from === to) return undefined;
  const [first, value] = entries[from]!;
  if (to - from === 1) return { kind: 'leaf', nibbles: first.slice(depth), value };
  // Between the first and the last in order, every other key shares at least what these two share.
  const shared = sharedLength(first, entries[to - 1]![0], depth);
  const children: (TrieChild | undefined)[] = new Array(16).fill(undefined);
  const below = depth + shared;
  let at = first.length === below ? from + 1 : from;
  while (at < to) {
    const start = at;
    const nibble = nibbleAt(entries[at]![0], below);
    do at++;
    while (at < to && nibbleAt(entries[at]![0], below) === nibble);
    children[nibble] = build(entries, below + 1, start, at);
  }
  return prepend(first.slice(depth, below), BranchNode.of(children, first.length === below ? value : undefined));
}

/** The node with nibbles put before it; short nodes take them up, since none may follow another. */
function prepend(nibbles: Nibbles, node: TrieNode): TrieNode {
  if (nibbles === '') return node;
  if (node.kind === 'branch') return { kind: 'extension', nibbles, child: node };
  return { ...node, nibbles: nibbles + node.nibbles };
}

/** How many nibbles from `depth` on two keys share. */
function sharedLength(a: Nibbles, b: Nibbles, depth: number): number {
  const end = Math.min(a.length, b.length);
  let at = depth;
  while (at < end && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  return at - depth;
}

/** How many of the nibbles all the changes share, reading them from `depth` on. The keys ascend, so the outer two tell. */
function sharedWithAll(
  nibbles: Nibbles,
  depth: number,
  changes: readonly TrieChange[],
  from: number,
  to: number,
): number {
  const shared = (key: Nibbles): number => {
    let count = 0;
    while (count < nibbles.length && key.charCodeAt(depth + count) === nibbles.charCodeAt(count)) count++;
    return count;
  };
  return Math.min(shared(changes[from]![0]), shared(changes[to - 1]![0]));
}
