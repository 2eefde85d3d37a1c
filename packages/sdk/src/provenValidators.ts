import { membersAbi, membersAddress } from '@hanse/modules/abi';
import {
  type Address,
  type Epoch,
  type Hash,
  ProtocolError,
  type Suite,
  type ValidatorSet,
  validatorSetHash,
  verifyFinality,
} from '@hanse/protocol';
import type { HanseConnection } from './hanseConnection.ts';

export interface ProvenValidatorsOptions {
  readonly suite: Suite;
  readonly genesisHash: Hash;
  /** The validators of epoch 0, from the genesis document (`genesisValidatorSet`). */
  readonly genesisSet: ValidatorSet;
}

/**
 * The validators of an epoch, proved from those of the genesis: the block that closes an epoch is finalized by its validators and
 * binds the hash of the next set (packages/consensus/spec.md, "Light client"). Nothing that the asked member says is believed; a false answer
 * throws a ProtocolError. Asks three questions an epoch.
 */
export async function provenValidators(
  { publicClient }: Pick<HanseConnection, 'publicClient'>,
  epoch: number,
  { suite, genesisHash, genesisSet }: ProvenValidatorsOptions,
): Promise<ValidatorSet> {
  const contract = { address: membersAddress, abi: membersAbi } as const;
  let set = genesisSet;
  for (let next = 1; next <= epoch; next++) {
    const args = [BigInt(next)] as const;
    const [height, validators] = await Promise.all([
      publicClient.readContract({ ...contract, functionName: 'epochStart', args }),
      publicClient.readContract({ ...contract, functionName: 'validatorSet', args }),
    ]);
    const proof = await publicClient.request({ method: 'hanse_getFinality', params: [`0x${height.toString(16)}`] });
    if (proof === null)
      throw new ProtocolError('invalid-proof', `there is no block ${height}, which should close epoch ${next - 1}`);
    const { nextSetHash } = verifyFinality(suite, genesisHash, set, proof);
    const claimed: ValidatorSet = {
      epoch: next as Epoch,
      validators: validators.map(({ name, account, voteKey }) => ({
        name,
        address: account.toLowerCase() as Address,
        voteKey,
      })),
    };
    if (validatorSetHash(suite, claimed) !== nextSetHash)
      throw new ProtocolError(
        'invalid-proof',
        `the validators of epoch ${next} are not those that epoch ${next - 1} chose`,
      );
    set = claimed;
  }
  return set;
}
