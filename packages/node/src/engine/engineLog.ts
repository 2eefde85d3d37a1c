import {
  type Certificate,
  type Epoch,
  type FinalizeStatement,
  type Hash,
  type Proposal,
  proposalDigest,
  type ValidatorIndex,
  type ValidatorSet,
  View,
  type Vote,
} from '@hanse/protocol';
import type { FinalizedHead } from '../chain/ledger.ts';
import type { Head } from './blockPipeline.ts';
import type { EngineModules, EngineOptions } from './engineOptions.ts';
import {
  decodeEngineRecord,
  type EngineRecord,
  encodeBinding,
  encodeEngineRecord,
  MAX_LOG_RECORD_BYTES,
} from './logRecords.ts';
import type { EngineMetrics } from './metrics.ts';
import type { Signer } from './signer.ts';
import { type LogRecord, WriteAheadLog } from './writeAheadLog.ts';

/** What the log gave back of the present epoch, above the finalized block. */
export interface RecoveredLog {
  readonly votes: readonly Vote[];
  readonly certificates: readonly Certificate[];
  readonly proposals: readonly Extract<EngineRecord, { kind: 'proposal' }>[];
  readonly amnesia: boolean;
}

/**
 * Opens the member's log and reads what is above `head`. A log that is missing although storage shows that the member ran is
 * noted as lost (packages/consensus/spec.md, "Amnesia").
 */
export async function openEngineLog(
  options: EngineOptions,
  modules: EngineModules,
  head: FinalizedHead,
  metrics: EngineMetrics,
): Promise<{ readonly log: WriteAheadLog; readonly recovered: RecoveredLog }> {
  const { epoch } = head.validators;
  const isMember = placeOf(modules.signer, head.validators) !== undefined;
  const mayHaveVoted = head.height > 0 && isMember;
  const opened = await WriteAheadLog.open(modules.disk, {
    folder: options.logFolder,
    binding: encodeBinding(options.genesisHash, modules.signer?.publicKey),
    segmentBytes: options.logSegmentBytes,
    maxRecordBytes: MAX_LOG_RECORD_BYTES,
    // A log that begins says whether one was lost before: or a crash in this very moment would leave one that looks whole.
    first: amnesiaRecord(epoch, !mayHaveVoted),
    monotonicMs: () => modules.clock.monotonicMs(),
    onFlush: (durationMs) => {
      metrics.flushes++;
      metrics.flushMs += durationMs;
      metrics.flushMaxMs = Math.max(metrics.flushMaxMs, durationMs);
    },
  });
  const { log } = opened;
  if (opened.cutBytes > 0)
    modules.logger.log('warn', 'cut a torn write off the end of the log', { bytes: opened.cutBytes });
  const digestOf = (proposal: Proposal): Hash => proposalDigest(options.suite, options.genesisHash, proposal);
  const records = opened.records.map((record) => decodeEngineRecord(record, digestOf));
  const recovered = aboveHead(records, head);
  const amnesia = recovered.amnesia || (opened.fresh && mayHaveVoted);
  // Also when the log says so already: the note must stand in the newest segment, since older ones will be cut.
  if (amnesia) await noteAmnesia(log, epoch);
  else log.carry(amnesiaRecord(epoch, true));
  return { log, recovered: { ...recovered, amnesia } };
}

/** The signer's place in a set, if it is in it. */
export function placeOf(signer: Signer | undefined, set: ValidatorSet): ValidatorIndex | undefined {
  if (signer === undefined) return undefined;
  const index = set.validators.findIndex(({ voteKey }) => voteKey === signer.publicKey);
  return index < 0 ? undefined : index;
}

/** The finalization of the finalized block itself, in the epoch that decides the next one. */
export function certificateOf(head: FinalizedHead): Certificate<FinalizeStatement> | undefined {
  const certificate = head.certificate;
  const names = certificate?.statement.digest === head.digest && certificate.statement.epoch === head.validators.epoch;
  return names ? certificate : undefined;
}

/** The finalized block as the core sees it. The view is that of the certificate, which for an epoch's last block may be later than that of its proposal; 0 if of an earlier epoch. */
export function headOf(head: FinalizedHead): Head {
  const proposedView = head.epoch === head.validators.epoch ? head.view : View(0);
  const view = certificateOf(head)?.statement.view ?? proposedView;
  return { height: head.height, digest: head.digest, view, timeMs: head.timeMs };
}

function aboveHead(records: readonly EngineRecord[], finalized: FinalizedHead): RecoveredLog {
  const { epoch } = finalized.validators;
  const { view } = headOf(finalized);
  const votes: Vote[] = [];
  const certificates: Certificate[] = [];
  const proposals: Extract<EngineRecord, { kind: 'proposal' }>[] = [];
  let amnesia = false;
  for (const record of records) {
    if (record.kind === 'amnesia') {
      if (record.epoch === epoch) amnesia = !record.over;
      continue;
    }
    const { statement } =
      record.kind === 'vote'
        ? record.vote
        : record.kind === 'certificate'
          ? record.certificate
          : record.message.leaderVote;
    if (statement.epoch !== epoch || statement.view <= view) continue;
    if (record.kind === 'vote') votes.push(record.vote);
    else if (record.kind === 'certificate') certificates.push(record.certificate);
    else proposals.push(record);
  }
  return { votes, certificates, proposals, amnesia };
}

/** Says whether the log was lost; carried from segment to segment, so that no log is ever without a record. */
function amnesiaRecord(epoch: Epoch, over: boolean): LogRecord {
  return encodeEngineRecord({ kind: 'amnesia', epoch, over });
}

/** Makes it durable that the log was lost, so that every start until it is over follows the rule. */
export async function noteAmnesia(log: WriteAheadLog, epoch: Epoch): Promise<void> {
  const record = amnesiaRecord(epoch, false);
  log.append(record);
  log.carry(record);
  await log.flushed();
}
