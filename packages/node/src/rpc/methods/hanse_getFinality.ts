import {
  bytesToHex,
  type Certificate,
  type Epoch,
  encodeCertificate,
  encodeHeader,
  type FinalityProof,
  type FinalizeStatement,
  type Hash,
  type Header,
  Height,
  type Hex,
  headerExtraData,
  validatorSetHash,
} from '@hanse/protocol';
import { rpcError } from '../codes.ts';
import { data } from '../hexEncoding.ts';
import { defineMethod, type MethodContext } from '../method.ts';
import { BLOCK_FORM, readBlockReference, required } from '../parameters.ts';

export const hanse_getFinality = defineMethod({
  name: 'hanse_getFinality',
  summary:
    'What proves a block final to somebody who knows the validators of its epoch: the certificate of the block, or of its nearest certified descendant with the headers between. `verifyFinality` of the SDK checks it. The genesis is final by definition: alone on its chain it has no certificate.',
  parameters: [required('block', BLOCK_FORM, 'Which block.', readBlockReference)],
  result:
    'null if there is no such block; otherwise `headers` (RLP, from the block to the certified one), `certificate` (RLP), `nextSetHash` (opens `extraData` of the certified header), and for people `height`, `certifiedHeight`, `epoch`, `view`, `signers`',
  example: ['0x1'],
  handler: async (context, reference) => {
    const { blocks, limits, turns } = context;
    const target = blocks.resolve(reference);
    if (target === undefined) return null;
    const last = Math.min(blocks.headHeight(), target + limits.maxFinalityHeaders);
    const headers: Hex[] = [];
    for (let height: number = target; height <= last; height++) {
      const turn = turns.pause();
      if (turn !== undefined) await turn;
      const head = blocks.head(Height(height));
      if (head === undefined) break;
      headers.push(data(encodeHeader(head.header)));
      const certificate = blocks.ledger.certificate(Height(height));
      if (certificate !== undefined) return describe(context, { target, headers, certificate, header: head.header });
    }
    throw rpcError('not-certified', `none of the ${headers.length} blocks from ${target} on has a certificate here`);
  },
});

interface Found {
  readonly target: Height;
  readonly headers: readonly Hex[];
  readonly certificate: Certificate<FinalizeStatement>;
  readonly header: Header;
}

function describe(
  context: MethodContext,
  { target, headers, certificate, header }: Found,
): FinalityProof & Record<string, unknown> {
  const { statement, signatures } = certificate;
  const validators = context.network.validators(statement.epoch)?.validators;
  return {
    headers,
    certificate: bytesToHex(encodeCertificate(certificate)),
    nextSetHash: nextSetHash(context, certificate, header),
    height: target,
    certifiedHeight: statement.height,
    epoch: statement.epoch,
    view: statement.view,
    signers: signatures.map(({ signer }) => validators?.[signer]?.name ?? String(signer)),
  };
}

/** The set after the certified block is its epoch's own, unless the block closes the epoch; the header says which. */
function nextSetHash(
  { network, suite }: MethodContext,
  { statement }: Certificate<FinalizeStatement>,
  header: Header,
): Hash {
  for (const epoch of [statement.epoch, (statement.epoch + 1) as Epoch]) {
    const set = network.validators(epoch);
    if (set === undefined) continue;
    const hash = validatorSetHash(suite, set);
    if (headerExtraData(suite, statement.digest, statement.epoch, hash) === header.extraData) return hash;
  }
  throw new Error(`no known validator set opens extraData of block ${header.number}`);
}
