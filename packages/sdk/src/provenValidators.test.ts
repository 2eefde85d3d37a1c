import {
  bytesToHex,
  constantHeaderFields,
  createInternationalSuite,
  Epoch,
  emptyHashes,
  encodeCertificate,
  encodeHeader,
  type FinalityProof,
  type Hash,
  type Header,
  Height,
  headerExtraData,
  headerHash,
  hexToBytes,
  portablePrimitives,
  quorum,
  statementBytes,
  type ValidatorSet,
  View,
  validatorSetHash,
  ZERO_ADDRESS,
  ZERO_HASH,
} from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import type { HanseConnection } from './hanseConnection.ts';
import { provenValidators } from './provenValidators.ts';

const suite = createInternationalSuite(portablePrimitives);
const genesisHash: Hash = `0x${'47'.repeat(32)}`;
const digest: Hash = `0x${'d1'.repeat(32)}`;

/** Four validators whose keys are 32 bytes of `seed` to `seed` + 3. */
function validatorsOf(
  epoch: number,
  seed: number,
): { readonly set: ValidatorSet; readonly keys: readonly Uint8Array[] } {
  const keys = Array.from({ length: 4 }, (_, index) => new Uint8Array(32).fill(seed + index));
  const validators = keys.map((key, index) => {
    const voteKey = suite.publicKey(key);
    return { name: `member-${index}`, address: suite.addressOf(hexToBytes(voteKey))!, voteKey };
  });
  return { set: { epoch: Epoch(epoch), validators }, keys };
}

type Validators = ReturnType<typeof validatorsOf>;

/** The proof of the block that closes an epoch, certified by some validators, choosing the next ones. */
function closing(height: number, epoch: number, by: Validators, next: ValidatorSet): FinalityProof {
  const { trieRoot } = emptyHashes(suite);
  const nextSetHash = validatorSetHash(suite, next);
  const header: Header = {
    ...constantHeaderFields(suite),
    parentHash: ZERO_HASH,
    beneficiary: ZERO_ADDRESS,
    stateRoot: trieRoot,
    transactionsRoot: trieRoot,
    receiptsRoot: trieRoot,
    logsBloom: `0x${'00'.repeat(256)}`,
    number: Height(height),
    gasLimit: 60_000_000n,
    gasUsed: 0n,
    timestamp: 1_700_000_000 + height,
    extraData: headerExtraData(suite, digest, Epoch(epoch), nextSetHash),
    mixHash: ZERO_HASH,
    baseFeePerGas: 0n,
  };
  const blockHash = headerHash(suite, header);
  const statement = {
    kind: 'finalize',
    epoch: Epoch(epoch),
    view: View(9),
    digest,
    height: Height(height),
    blockHash,
  } as const;
  const message = statementBytes(genesisHash, statement);
  const signatures = by.keys
    .slice(0, quorum(4))
    .map((key, signer) => ({ signer, signature: suite.sign(key, message) }));
  return {
    headers: [bytesToHex(encodeHeader(header))],
    certificate: bytesToHex(encodeCertificate({ statement, signatures })),
    nextSetHash,
  };
}

const epochs = [validatorsOf(0, 1), validatorsOf(1, 11), validatorsOf(2, 21)] as const;
const HEIGHTS = [0, 10, 20];

/** A member that answers from these sets and proofs, by the epoch that begins. */
function member(
  sets: readonly ValidatorSet[],
  proofs: readonly (FinalityProof | null)[],
): Pick<HanseConnection, 'publicClient'> {
  const publicClient = {
    readContract: async ({ functionName, args: [epoch] }: { functionName: string; args: readonly [bigint] }) => {
      if (functionName === 'epochStart') return HEIGHTS[Number(epoch)];
      return sets[Number(epoch)]!.validators.map(({ name, address, voteKey }) => ({ name, account: address, voteKey }));
    },
    request: async ({ params: [height] }: { params: readonly [string] }) => proofs[HEIGHTS.indexOf(Number(height))],
  };
  return { publicClient } as unknown as Pick<HanseConnection, 'publicClient'>;
}

const sets = epochs.map(({ set }) => set);
const proofs = [null, closing(10, 0, epochs[0], sets[1]!), closing(20, 1, epochs[1], sets[2]!)];
const prove = (asked: Pick<HanseConnection, 'publicClient'>, epoch = 2) =>
  provenValidators(asked, epoch, { suite, genesisHash, genesisSet: epochs[0].set });

describe('the validators of a later epoch', () => {
  it('are proved from those of the genesis, one epoch after another', async () => {
    expect(await prove(member(sets, proofs), 0)).toEqual(sets[0]);
    expect(await prove(member(sets, proofs))).toEqual(sets[2]);
  });

  it('are not believed when a member makes them up', async () => {
    const forged = validatorsOf(1, 31);
    const lies = [sets[0]!, forged.set, sets[2]!];
    await expect(prove(member(lies, proofs))).rejects.toThrow('are not those that epoch 0 chose');
    // The forged validators certify themselves, and all that follows.
    const selfMade = [null, closing(10, 0, forged, forged.set), closing(20, 1, forged, sets[2]!)];
    await expect(prove(member(lies, selfMade))).rejects.toThrow('the certificate is not valid');
    await expect(prove(member(sets, [null, proofs[2]!, proofs[2]!]))).rejects.toThrow('the certificate is not valid');
    await expect(prove(member(sets, [null, null, null]))).rejects.toThrow('there is no block 10');
  });
});
