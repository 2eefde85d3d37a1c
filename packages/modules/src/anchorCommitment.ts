import { compareBytes, concatBytes, equalBytes } from '@hanse/protocol';

/** The suite's hash, as it is passed in. */
export type HashFunction = (data: Uint8Array) => Uint8Array;

// Leaves, nodes and commitments hash 33, 65 and 64 bytes, the first two with a tag: none can be taken for another (RFC 6962, section 2.1).
const LEAF_TAG = Uint8Array.of(0);
const NODE_TAG = Uint8Array.of(1);

/** The longest proof: a batch counts its leaves in 32 bits. */
export const MAX_PROOF_STEPS = 32;

/**
 * H(salt . contentHash), both of 32 bytes: what is anchored for a document. The salt must be random and stay with the data;
 * without it nobody can find out what the commitment stands for, not even by guessing.
 */
export function commitment(hash: HashFunction, salt: Uint8Array, contentHash: Uint8Array): Uint8Array {
  if (salt.length !== 32 || contentHash.length !== 32) throw new RangeError('salt and content hash have 32 bytes each');
  return hash(concatBytes(salt, contentHash));
}

const leafHash = (hash: HashFunction, leaf: Uint8Array): Uint8Array => hash(concatBytes(LEAF_TAG, leaf));

const nodeHash = (hash: HashFunction, a: Uint8Array, b: Uint8Array): Uint8Array =>
  compareBytes(a, b) <= 0 ? hash(concatBytes(NODE_TAG, a, b)) : hash(concatBytes(NODE_TAG, b, a));

function nextLevel(hash: HashFunction, level: readonly Uint8Array[]): Uint8Array[] {
  const next: Uint8Array[] = [];
  for (let i = 0; i < level.length; i += 2) {
    const right = level[i + 1];
    // A node without a partner moves up unchanged; doubling it would let two lists have one root.
    next.push(right === undefined ? level[i]! : nodeHash(hash, level[i]!, right));
  }
  return next;
}

function checkLeaves(leaves: readonly Uint8Array[]): void {
  if (leaves.length === 0) throw new RangeError('a batch has at least one commitment');
  if (leaves.some((leaf) => leaf.length !== 32)) throw new RangeError('a commitment has 32 bytes');
}

/** The Merkle root of commitments (32 bytes each, at least one), to anchor as a batch. */
export function merkleRoot(hash: HashFunction, leaves: readonly Uint8Array[]): Uint8Array {
  checkLeaves(leaves);
  let level = leaves.map((leaf) => leafHash(hash, leaf));
  while (level.length > 1) level = nextLevel(hash, level);
  return level[0]!;
}

/** What proves that the leaf at `index` is in the tree: the partners on its way to the root. */
export function merkleProof(hash: HashFunction, leaves: readonly Uint8Array[], index: number): Uint8Array[] {
  checkLeaves(leaves);
  if (leaves[index] === undefined) throw new RangeError('no such leaf');
  const proof: Uint8Array[] = [];
  let level = leaves.map((leaf) => leafHash(hash, leaf));
  for (let at = index; level.length > 1; at >>= 1) {
    const partner = level[at ^ 1];
    if (partner !== undefined) proof.push(partner);
    level = nextLevel(hash, level);
  }
  return proof;
}

/** Whether `leaf` is in the tree with this root. Takes anything of any length and never throws. */
export function verifyMerkleProof(
  hash: HashFunction,
  root: Uint8Array,
  proof: readonly Uint8Array[],
  leaf: Uint8Array,
): boolean {
  if (leaf.length !== 32 || proof.length > MAX_PROOF_STEPS) return false;
  let node = leafHash(hash, leaf);
  for (const partner of proof) {
    if (partner.length !== 32) return false;
    node = nodeHash(hash, node, partner);
  }
  return equalBytes(node, root);
}
