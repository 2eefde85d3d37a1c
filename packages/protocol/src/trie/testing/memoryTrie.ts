import type { Hash } from '../../types.ts';
import { decodeTrieNode, type Nibbles, nibbleDigit, type TrieHasher } from '../trieNode.ts';
import { emptyTrieRoot, type TrieChange, updateTrie } from '../updateTrie.ts';

/** A trie whose store is a map, with what tests want to see of it. */
export class MemoryTrie {
  readonly nodes = new Map<Nibbles, Uint8Array>();
  root: Hash;
  readonly #hasher: TrieHasher;

  constructor(hasher: TrieHasher) {
    this.#hasher = hasher;
    this.root = emptyTrieRoot(hasher);
  }

  update(changes: readonly TrieChange[]): void {
    const { root, nodes } = updateTrie((path) => this.nodes.get(path), this.root, changes, this.#hasher);
    for (const [path, node] of nodes) {
      if (node === undefined) this.nodes.delete(path);
      else this.nodes.set(path, node);
    }
    this.root = root;
  }

  /** All keys with their values, in order, read from the nodes. */
  entries(): [Nibbles, Uint8Array][] {
    const found: [Nibbles, Uint8Array][] = [];
    this.#walk((key, value) => found.push([key, value]));
    return found;
  }

  /** The places of all stored nodes that the root leads to. */
  reachablePaths(): Nibbles[] {
    const paths: Nibbles[] = [];
    this.#walk(
      () => {},
      (path) => paths.push(path),
    );
    return paths;
  }

  #walk(onValue: (key: Nibbles, value: Uint8Array) => void, onStored: (path: Nibbles) => void = () => {}): void {
    const visit = (reference: Uint8Array | undefined, path: Nibbles): void => {
      const stored = reference === undefined || reference.length === 32;
      if (stored) onStored(path);
      const node = decodeTrieNode(stored ? this.nodes.get(path)! : reference);
      if (node.kind === 'leaf') {
        onValue(path + node.nibbles, node.value);
      } else if (node.kind === 'extension') {
        visit(node.child as Uint8Array, path + node.nibbles);
      } else {
        if (node.value !== undefined) onValue(path, node.value);
        for (let nibble = 0; nibble < 16; nibble++) {
          const child = node.child(nibble);
          if (child !== undefined) visit(child as Uint8Array, path + nibbleDigit(nibble));
        }
      }
    };
    if (this.root !== emptyTrieRoot(this.#hasher)) visit(undefined, '');
  }
}
