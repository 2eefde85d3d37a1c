import { bytesToHex, CompiledAbi, hexToBytes, utf8ToBytes, ZERO_ADDRESS, ZERO_HASH } from '@hanse/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anchorAddress } from '../abi/addresses.ts';
import { anchorAbi } from '../abi/anchorAbi.ts';
import { commitment, MAX_PROOF_STEPS, merkleProof, merkleRoot, verifyMerkleProof } from '../anchorCommitment.ts';
import { TestChain, testAccounts, testGenesis, testSuite } from '../testing/testChain.ts';

const { farm, alice, stranger } = testAccounts;
const hash = (data: Uint8Array) => testSuite.hash(data);
const leafOf = (text: string) => hash(utf8ToBytes(text));
const events = new CompiledAbi(anchorAbi, testSuite);

function start() {
  const chain = new TestChain(testGenesis('open'));
  return { chain, anchor: chain.at(anchorAbi, anchorAddress) };
}

const one = bytesToHex(leafOf('one'));
const two = bytesToHex(leafOf('two'));

describe('anchor', () => {
  it('records who and when', () => {
    const { chain, anchor } = start();
    chain.height = 9;
    anchor(alice, 'anchor', one);
    expect(events.event('Anchored').decode(chain.logs[0]!)).toEqual({ commitment: one, account: alice, member: 2 });
    const record = { account: alice, member: 2, count: 0, height: 9, time: 1_700_000_009 };
    expect(anchor(stranger, 'getAnchor', one)).toEqual(record);
    expect(anchor(stranger, 'getAnchorBy', one, alice)).toEqual(record);
    expect(anchor(stranger, 'getAnchorBy', one, farm)).toMatchObject({ account: ZERO_ADDRESS, height: 0 });
    expect(anchor(stranger, 'getAnchor', two)).toMatchObject({ account: ZERO_ADDRESS });
    anchor(stranger, 'anchor', two);
    expect(anchor(stranger, 'getAnchor', two)).toMatchObject({ account: stranger, member: 0 });
  });

  it('repeated by the same account changes nothing and says nothing', () => {
    const { chain, anchor } = start();
    anchor(alice, 'anchor', one);
    chain.height = 20;
    anchor(alice, 'anchor', one);
    expect(chain.logs).toHaveLength(0);
    expect(anchor(alice, 'getAnchor', one).height).toBe(1);
    expect(() => anchor(alice, 'anchorBatch', one, 3)).toThrow(`AnchoredDifferently(${one}, 0)`);
  });

  it('of another account is a record of its own, so that nobody can be forestalled', () => {
    const { chain, anchor } = start();
    anchor(stranger, 'anchor', one);
    chain.height = 2;
    anchor(alice, 'anchor', one);
    anchor(alice, 'anchor', one);
    expect(anchor(farm, 'getAnchor', one)).toMatchObject({ account: stranger, height: 1 });
    expect(anchor(farm, 'getAnchorBy', one, stranger)).toMatchObject({ account: stranger, height: 1 });
    expect(anchor(farm, 'getAnchorBy', one, alice)).toMatchObject({ account: alice, height: 2 });
  });

  it('takes many at once, within bounds', () => {
    const { chain, anchor } = start();
    anchor(farm, 'anchorMany', [one, two, one]);
    expect(chain.logs).toHaveLength(2);
    expect(() => anchor(farm, 'anchorMany', new Array(257).fill(one))).toThrow('TooMany(257, 256)');
    expect(() => anchor(farm, 'anchorMany', [ZERO_HASH])).toThrow('InvalidCommitment()');
  });

  it('anchors a batch by its root, in which each commitment is proved', () => {
    const { chain, anchor } = start();
    const leaves = ['a', 'b', 'c', 'd', 'e'].map(leafOf);
    const root = bytesToHex(merkleRoot(hash, leaves));
    anchor(farm, 'anchorBatch', root, leaves.length);
    expect(events.event('BatchAnchored').decode(chain.logs[0]!)).toEqual({ root, account: farm, member: 3, count: 5 });
    leaves.forEach((leaf, i) => {
      const proof = merkleProof(hash, leaves, i).map(bytesToHex);
      expect(anchor(stranger, 'verifyInBatch', root, proof, bytesToHex(leaf))).toBe(true);
      expect(anchor(stranger, 'verifyInBatch', root, proof, one)).toBe(false);
    });
    expect(() => anchor(farm, 'anchorBatch', root, 0)).toThrow('InvalidCount()');
    const long = new Array(MAX_PROOF_STEPS + 1).fill(one);
    expect(() => anchor(farm, 'verifyInBatch', root, long, one)).toThrow('TooMany(33, 32)');
  });
});

describe('commitments', () => {
  it('are the hash of salt and content hash', () => {
    const salt = new Uint8Array(32).fill(7);
    const content = leafOf('document');
    expect(commitment(hash, salt, content)).toEqual(hash(Uint8Array.of(...salt, ...content)));
    expect(() => commitment(hash, salt.subarray(1), content)).toThrow(RangeError);
  });

  it('have proofs in trees of every size, and only for their own leaf', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(), (count, pick) => {
        const leaves = Array.from({ length: count }, (_, i) => leafOf(`leaf ${i}`));
        const root = merkleRoot(hash, leaves);
        const index = pick % count;
        const proof = merkleProof(hash, leaves, index);
        expect(verifyMerkleProof(hash, root, proof, leaves[index]!)).toBe(true);
        expect(verifyMerkleProof(hash, root, proof, leafOf('another'))).toBe(false);
        expect(verifyMerkleProof(hash, root, proof.slice(1), leaves[index]!)).toBe(proof.length === 0);
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  it('hash leaves and nodes with their tags, as a frozen root computed otherwise shows', () => {
    const root = merkleRoot(hash, ['a', 'b', 'c'].map(leafOf));
    expect(bytesToHex(root)).toBe('0xf8bc034c0d42cf169d651a1433188d24c51e2e81fc0b9904cf66f28dc03974c2');
  });

  it('cannot be forged from inner nodes or repeated leaves', () => {
    const leaves = ['a', 'b', 'c'].map(leafOf);
    const root = merkleRoot(hash, leaves);
    const inner = merkleRoot(hash, leaves.slice(0, 2));
    const partner = merkleProof(hash, leaves, 0).at(-1)!;
    expect(verifyMerkleProof(hash, root, [partner], inner)).toBe(false);
    expect(verifyMerkleProof(hash, root, [], root)).toBe(false);
    expect(merkleRoot(hash, [...leaves, leaves[2]!])).not.toEqual(root);
    expect(verifyMerkleProof(hash, root, [hexToBytes('0x01')], leaves[0]!)).toBe(false);
  });
});
