import type { ProposalMessage } from '@hanse/consensus';
import {
  bytesToHex,
  bytesToNumber,
  type Certificate,
  decodeCertificate,
  decodeVote,
  encodeCertificate,
  encodeVote,
  type Hash,
  type Hex,
  hexToBytes,
  numberToBytes,
  type Proposal,
  utf8ToBytes,
  type Vote,
} from '@hanse/protocol';
import { decodeList, encodeList } from './boundedList.ts';
import { decodeProposalEnvelope, encodeProposalEnvelope, messageLimits } from './messages.ts';
import type { LogRecord } from './writeAheadLog.ts';

/** The newest format of the log's records. A log of another format is refused. */
export const LOG_FORMAT = 1;

/** Room for the largest proposal with its bodies. */
export const MAX_LOG_RECORD_BYTES = messageLimits.proposal;

/**
 * This member's log was lost (packages/consensus/spec.md, "Amnesia"): every start until `over` follows the rule again. It is
 * over when storage holds a finalization at or above the first view in which the member voted again.
 */
export interface AmnesiaNote {
  readonly kind: 'amnesia';
  readonly epoch: number;
  readonly over: boolean;
}

/**
 * This log was whole, as far as the epoch is concerned that the recovery with this hash begins: the member had not signed the recovery
 * yet, so nobody could be in that epoch (packages/consensus/spec.md, "Loss of the quorum").
 */
export interface RecoveryNote {
  readonly kind: 'recovery';
  readonly epoch: number;
  readonly recovery: Hash;
}

export type EngineRecord =
  | { readonly kind: 'vote'; readonly vote: Vote }
  | { readonly kind: 'certificate'; readonly certificate: Certificate }
  /** A proposal with all its transactions, in order, as they were signed. */
  | { readonly kind: 'proposal'; readonly message: ProposalMessage; readonly transactions: readonly Uint8Array[] }
  | AmnesiaNote
  | RecoveryNote;

const types = { vote: 2, certificate: 3, proposal: 4, amnesia: 5, recovery: 6 } as const;

/** The header's payload: [tag, format, genesis hash, vote key]. Without a key it is an observer's log. */
export function encodeBinding(genesisHash: Hash, voteKey: Hex | undefined): Uint8Array {
  return encodeList([
    utf8ToBytes('hanse/write-ahead-log'),
    numberToBytes(LOG_FORMAT),
    hexToBytes(genesisHash),
    voteKey === undefined ? new Uint8Array(0) : hexToBytes(voteKey),
  ]);
}

export function encodeEngineRecord(record: EngineRecord): LogRecord {
  switch (record.kind) {
    case 'vote': {
      const { epoch, view } = record.vote.statement;
      return { type: types.vote, epoch, view, payload: encodeVote(record.vote) };
    }
    case 'certificate': {
      const { epoch, view } = record.certificate.statement;
      return { type: types.certificate, epoch, view, payload: encodeCertificate(record.certificate) };
    }
    case 'proposal': {
      const { epoch, view } = record.message.leaderVote.statement;
      const payload = encodeProposalEnvelope({ message: record.message, inline: record.transactions });
      return { type: types.proposal, epoch, view, payload };
    }
    case 'amnesia': {
      const payload = encodeList([numberToBytes(record.epoch), numberToBytes(record.over ? 1 : 0)]);
      return { type: types.amnesia, epoch: record.epoch, view: 0, payload };
    }
    case 'recovery': {
      const payload = encodeList([numberToBytes(record.epoch), hexToBytes(record.recovery)]);
      return { type: types.recovery, epoch: record.epoch, view: 0, payload };
    }
  }
}

/** Reads a record that passed the log's checksum; anything wrong with it is a bug or a format that this program does not know, and throws. */
export function decodeEngineRecord(record: LogRecord, digestOf: (proposal: Proposal) => Hash): EngineRecord {
  switch (record.type) {
    case types.vote:
      return { kind: 'vote', vote: decodeVote(record.payload) };
    case types.certificate:
      return { kind: 'certificate', certificate: decodeCertificate(record.payload) };
    case types.proposal: {
      const { message, inline } = decodeProposalEnvelope(record.payload, digestOf);
      return { kind: 'proposal', message, transactions: inline };
    }
    case types.amnesia: {
      const [epoch, over] = decodeList(record.payload, 2);
      return { kind: 'amnesia', epoch: bytesToNumber(epoch!), over: bytesToNumber(over!) === 1 };
    }
    case types.recovery: {
      const [epoch, recovery] = decodeList(record.payload, 2);
      return { kind: 'recovery', epoch: bytesToNumber(epoch!), recovery: bytesToHex(recovery!) };
    }
    default:
      throw new Error(`the write-ahead log holds a record of type ${record.type}, which this program does not know`);
  }
}
