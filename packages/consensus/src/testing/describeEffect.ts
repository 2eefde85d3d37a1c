import type { Certificate, Hash, Statement, Vote } from '@hanse/protocol';
import type { Effect } from '../types.ts';

/** An effect as a line of a scenario, with names for hashes; a `record` is left out beside a `broadcast` of the same. */
export function describeEffect(
  effect: Effect,
  all: readonly Effect[],
  name: (hash: Hash) => string,
): string | undefined {
  const say = (statement: Statement): string => {
    const { kind, view } = statement;
    if (kind === 'nullify') return `nullify v=${view}`;
    if (kind === 'notarize') return `notarize v=${view} ${name(statement.digest)} on v=${statement.parentView}`;
    return `finalize v=${view} ${name(statement.digest)} height=${statement.height} ${name(statement.blockHash)}`;
  };
  const proof = ({ statement, signatures }: Certificate): string => {
    const noun = { notarize: 'notarization', nullify: 'nullification', finalize: 'finalization' }[statement.kind];
    const what = statement.kind === 'nullify' ? '' : ` ${name(statement.digest)}`;
    return `${noun} v=${statement.view}${what} by ${signatures.map(({ signer }) => signer).join(',')}`;
  };
  const proofs = (certificates: readonly Certificate[]): string => `[${certificates.map(proof).join('; ')}]`;
  const votes = (ownVotes: readonly Vote[]): string =>
    `[${ownVotes.map(({ statement }) => say(statement)).join('; ')}]`;
  switch (effect.type) {
    case 'vote':
      return `vote ${say(effect.statement)}${effect.flushWith.length > 0 ? ` flushed with ${proofs(effect.flushWith)}` : ''}`;
    case 'propose':
      return `propose ${say(effect.statement)} justified by ${proofs(effect.justification)}`;
    case 'record':
      if (all.some((other) => other.type === 'broadcast' && other.certificate === effect.certificate)) return undefined;
      return `record ${proof(effect.certificate)}`;
    case 'broadcast':
      return `broadcast ${proof(effect.certificate)}`;
    case 'send':
      return `send to ${effect.to} ${proofs(effect.certificates)} ${votes(effect.ownVotes)}`;
    case 'resend':
      return `resend ${proofs(effect.certificates)} ${votes(effect.ownVotes)}${effect.proposal ? ` and the proposal ${name(effect.proposal.digest)}` : ''}`;
    case 'check':
      return `check v=${effect.view} ${name(effect.message.digest)}`;
    case 'execute':
      return `execute ${name(effect.digest)} of v=${effect.view} held by [${effect.holders.join(',')}]`;
    case 'build':
      return `build v=${effect.view} on ${name(effect.parentDigest)}${effect.empty ? ' empty' : ''} not before ${effect.notBeforeMs}`;
    case 'finalize':
      return `finalize ${name(effect.digest)} by ${proof(effect.certificate)}`;
    case 'fetchCertificates':
      return `fetch certificates of v=${effect.fromView}..${effect.toView} from ${effect.preferred}`;
    case 'behind':
      return `behind ${proof(effect.certificate)}, ask ${effect.preferred}`;
    case 'evidence':
      return `evidence against ${effect.first.signer}: ${say(effect.first.statement)} and ${say(effect.second.statement)}`;
    case 'wakeAt':
      return `wake at ${effect.atMs}`;
    case 'enteredView':
      return `enter v=${effect.view}`;
    case 'alarm':
      return `alarm ${effect.kind}${effect.stop ? ' and stop' : ''}: ${effect.detail.replaceAll(/0x[0-9a-f]{64}/g, (hash) => name(hash as Hash))}`;
  }
}
