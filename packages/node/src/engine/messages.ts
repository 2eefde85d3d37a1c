import type { ProposalMessage } from '@hanse/consensus';
import {
  bytesToHex,
  bytesToNumber,
  type Certificate,
  decodeCertificate,
  decodeProposal,
  decodeVote,
  Epoch,
  encodeCertificate,
  encodeProposal,
  encodeVote,
  type Hash,
  Height,
  hexToBytes,
  MAX_CERTIFICATE_BYTES,
  MAX_PROPOSAL_BYTES,
  MAX_PROPOSAL_TRANSACTIONS,
  MAX_TRANSACTION_BYTES,
  MAX_VOTE_BYTES,
  type NotarizeStatement,
  numberToBytes,
  ProtocolError,
  View,
  type Vote,
} from '@hanse/protocol';
import { decodeList, encodeList } from './boundedList.ts';

/** The engine's kinds of message; requests are answered on the transport's request path. Numbers never change their meaning. */
export const messageKinds = {
  proposal: 1,
  votes: 2,
  certificates: 3,
  status: 4,
  requestBodies: 16,
  requestProposal: 17,
  requestCertificates: 18,
  requestStatus: 19,
} as const;

export const MAX_INLINE_BYTES = 2 * 1024 * 1024;
/** At most this many certificates justify a proposal or answer a request. */
export const MAX_CERTIFICATES = 256;
export const MAX_VOTES = 256;
/** RLP prefixes and small fields around what is counted. */
const OVERHEAD = 64 * 1024;

/** Largest payload of each message and answer, in bytes: checked before anything is parsed. */
export const messageLimits = {
  proposal:
    MAX_PROPOSAL_BYTES + MAX_VOTE_BYTES + MAX_CERTIFICATES * MAX_CERTIFICATE_BYTES + MAX_INLINE_BYTES + OVERHEAD,
  votes: MAX_VOTES * (MAX_VOTE_BYTES + 4),
  certificates: MAX_CERTIFICATES * (MAX_CERTIFICATE_BYTES + 4),
  status: 8 * MAX_CERTIFICATE_BYTES,
  bodies: MAX_INLINE_BYTES + OVERHEAD,
  requestBodies: MAX_PROPOSAL_TRANSACTIONS * 33 + 16,
  smallRequest: 128,
} as const;

/** A proposal with the transactions that its receiver may lack, as they were signed. */
export interface ProposalEnvelope {
  readonly message: ProposalMessage;
  readonly inline: readonly Uint8Array[];
}

/** Where a member stands; the certificates prove it. */
export interface StatusMessage {
  readonly epoch: Epoch;
  readonly view: View;
  readonly finalizedHeight: Height;
  readonly finalizedView: View;
  /** The newest finalization of the epoch, and the certificate by which the view was entered. At most 4. */
  readonly certificates: readonly Certificate[];
  /** In answers only: votes of the one who asks, newest first, as far as this member remembers. At most 4. */
  readonly yourVotes: readonly Vote[];
}

/** The answer to a request for a proposal: the proposal, or how far its holder has finalized. */
export interface ProposalAnswer {
  readonly finalizedHeight: Height;
  readonly envelope: ProposalEnvelope | undefined;
}

export interface CertificateRequest {
  readonly epoch: Epoch;
  readonly fromView: View;
  readonly toView: View;
}

// Proposal: [proposal, leaderVote, [certificates], [raw transactions]]; the digest is recomputed, never sent.
export function encodeProposalEnvelope({ message, inline }: ProposalEnvelope): Uint8Array {
  return encodeList([
    encodeProposal(message.proposal),
    encodeVote(message.leaderVote),
    encodeCertificates(message.justification),
    encodeList(inline),
  ]);
}

/** `digestOf` computes a proposal's digest. Throws a ProtocolError; signatures are for the verifier. */
export function decodeProposalEnvelope(
  bytes: Uint8Array,
  digestOf: (proposal: ProposalMessage['proposal']) => Hash,
): ProposalEnvelope {
  const [proposalBytes, voteBytes, certificateBytes, inlineBytes] = fields(
    bytes,
    messageLimits.proposal,
    4,
    'proposal',
  );
  const proposal = decodeProposal(proposalBytes!);
  const leaderVote = decodeVote(voteBytes!);
  if (leaderVote.statement.kind !== 'notarize') throw invalid("the leader's vote is not a notarize vote");
  return {
    message: {
      proposal,
      digest: digestOf(proposal),
      leaderVote: leaderVote as Vote<NotarizeStatement>,
      justification: decodeCertificates(certificateBytes!),
    },
    inline: decodeTransactions(inlineBytes!),
  };
}

export function encodeVotes(votes: readonly Vote[]): Uint8Array {
  return encodeList(votes.map(encodeVote));
}

export function decodeVotes(bytes: Uint8Array, maxItems = MAX_VOTES): readonly Vote[] {
  bounded(bytes, messageLimits.votes, 'votes');
  return decodeList(bytes, maxItems).map(decodeVote);
}

export function encodeCertificates(certificates: readonly Certificate[]): Uint8Array {
  return encodeList(certificates.map(encodeCertificate));
}

export function decodeCertificates(bytes: Uint8Array, maxItems = MAX_CERTIFICATES): readonly Certificate[] {
  bounded(bytes, messageLimits.certificates, 'certificates');
  return decodeList(bytes, maxItems).map(decodeCertificate);
}

// Status: [epoch, view, finalizedHeight, finalizedView, [certificates], [votes]].
export function encodeStatus(status: StatusMessage): Uint8Array {
  return encodeList([
    numberToBytes(status.epoch),
    numberToBytes(status.view),
    numberToBytes(status.finalizedHeight),
    numberToBytes(status.finalizedView),
    encodeCertificates(status.certificates),
    encodeVotes(status.yourVotes),
  ]);
}

export function decodeStatus(bytes: Uint8Array): StatusMessage {
  const [epoch, view, height, finalizedView, certificates, votes] = fields(bytes, messageLimits.status, 6, 'status');
  return {
    epoch: Epoch(readNumber(epoch!)),
    view: View(readNumber(view!)),
    finalizedHeight: Height(readNumber(height!)),
    finalizedView: View(readNumber(finalizedView!)),
    certificates: decodeCertificates(certificates!, 4),
    yourVotes: decodeVotes(votes!, 4),
  };
}

export function encodeHashes(hashes: readonly Hash[]): Uint8Array {
  return encodeList(hashes.map(hexToBytes));
}

export function decodeHashes(bytes: Uint8Array, maxItems = MAX_PROPOSAL_TRANSACTIONS): readonly Hash[] {
  bounded(bytes, messageLimits.requestBodies, 'request for bodies');
  return decodeList(bytes, maxItems).map((item) => {
    if (item.length !== 32) throw invalid('a hash must be 32 bytes');
    return bytesToHex(item);
  });
}

/** Transactions as they were signed; the answer to a request for bodies is such a list of those at hand. */
export function encodeTransactions(raws: readonly Uint8Array[]): Uint8Array {
  return encodeList(raws);
}

export function decodeTransactions(bytes: Uint8Array): readonly Uint8Array[] {
  bounded(bytes, messageLimits.bodies, 'list of transactions');
  const raws = decodeList(bytes, MAX_PROPOSAL_TRANSACTIONS);
  for (const raw of raws) {
    if (raw.length > MAX_TRANSACTION_BYTES)
      throw new ProtocolError('too-large', `a transaction of ${raw.length} bytes`);
  }
  return raws;
}

// Answer to a request for a proposal: [finalizedHeight, envelope or empty].
export function encodeProposalAnswer(answer: ProposalAnswer): Uint8Array {
  const envelope = answer.envelope === undefined ? new Uint8Array(0) : encodeProposalEnvelope(answer.envelope);
  return encodeList([numberToBytes(answer.finalizedHeight), envelope]);
}

export function decodeProposalAnswer(
  bytes: Uint8Array,
  digestOf: (proposal: ProposalMessage['proposal']) => Hash,
): ProposalAnswer {
  const [height, envelope] = fields(bytes, messageLimits.proposal + 32, 2, 'answer with a proposal');
  return {
    finalizedHeight: Height(readNumber(height!)),
    envelope: envelope!.length === 0 ? undefined : decodeProposalEnvelope(envelope!, digestOf),
  };
}

export function encodeCertificateRequest(request: CertificateRequest): Uint8Array {
  return encodeList([request.epoch, request.fromView, request.toView].map(numberToBytes));
}

export function decodeCertificateRequest(bytes: Uint8Array): CertificateRequest {
  const [epoch, from, to] = fields(bytes, messageLimits.smallRequest, 3, 'request for certificates');
  return { epoch: Epoch(readNumber(epoch!)), fromView: View(readNumber(from!)), toView: View(readNumber(to!)) };
}

function fields(bytes: Uint8Array, maxBytes: number, count: number, what: string): Uint8Array[] {
  bounded(bytes, maxBytes, what);
  const items = decodeList(bytes, count);
  if (items.length !== count) throw invalid(`a ${what} has ${count} fields, not ${items.length}`);
  return items;
}

function bounded(bytes: Uint8Array, maxBytes: number, what: string): void {
  if (bytes.length > maxBytes)
    throw new ProtocolError('too-large', `a ${what} of ${bytes.length} bytes is over the limit of ${maxBytes}`);
}

function readNumber(bytes: Uint8Array): number {
  if (bytes.length > 7 || bytes[0] === 0) throw invalid('a number must be canonical and below 2^53');
  return bytesToNumber(bytes);
}

function invalid(reason: string): ProtocolError {
  return new ProtocolError('invalid-message', reason);
}
