import type { Hash, Proposal, SignedTransaction } from '@hanse/protocol';
import type { ExecutedBlock } from '../execution/blockExecutor.ts';
import type { StateOverlay } from '../storage/stateOverlay.ts';

/** A proposal above the finalized head, valid on its parent; executed or not yet. */
export interface BlockNode {
  readonly digest: Hash;
  readonly proposal: Proposal;
  readonly transactions: readonly SignedTransaction[];
  execution:
    | { readonly block: ExecutedBlock; readonly overlay: StateOverlay; readonly milliseconds: number }
    | undefined;
}

/** The unfinalized blocks that this member holds, by digest: a tree whose root is the finalized head. */
export class BlockTree {
  readonly #nodes = new Map<Hash, BlockNode>();

  get size(): number {
    return this.#nodes.size;
  }

  get(digest: Hash): BlockNode | undefined {
    return this.#nodes.get(digest);
  }

  add(node: BlockNode): void {
    if (!this.#nodes.has(node.digest)) this.#nodes.set(node.digest, node);
  }

  delete(digest: Hash): void {
    this.#nodes.delete(digest);
  }

  /** The nodes from just above `root` up to `digest`, in height order; undefined if they do not link. */
  pathFrom(root: Hash, digest: Hash): readonly BlockNode[] | undefined {
    const path: BlockNode[] = [];
    for (let at = digest; at !== root; ) {
      const node = this.#nodes.get(at);
      if (node === undefined) return undefined;
      path.push(node);
      at = node.proposal.parentDigest;
    }
    return path.reverse();
  }

  children(parent: Hash): readonly BlockNode[] {
    return [...this.#nodes.values()].filter((node) => node.proposal.parentDigest === parent);
  }

  /** Removes every node that does not descend from `root`; a node of `root` itself goes too. */
  keepDescendantsOf(root: Hash): void {
    const kept = new Set<Hash>();
    const open = [root];
    for (let parent = open.pop(); parent !== undefined; parent = open.pop()) {
      for (const child of this.children(parent)) {
        kept.add(child.digest);
        open.push(child.digest);
      }
    }
    for (const digest of this.#nodes.keys()) if (!kept.has(digest)) this.#nodes.delete(digest);
  }
}
