import {
  type Certificate,
  type Epoch,
  type FinalizeStatement,
  type Hash,
  type Proposal,
  proposalDigest,
  type Statement,
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
import { type LogRecord, type Position, WriteAheadLog } from './writeAheadLog.ts';

/** What the log gave back of the present epoch, above the finalized block. */
export interface RecoveredLog {
  readonly votes: readonly Vote[];
  readonly certificates: readonly Certificate[];
  readonly proposals: readonly Extract<EngineRecord, { kind: 'proposal' }>[];
  readonly amnesia: boolean;
  /** Storage is older than it was when votes up to this view of the epoch were cut off; 0 if not. */
  readonly floor: View;
}

/** What opening a log needs besides its options. */
export interface EngineLogModules {
  readonly disk: EngineModules['disk'];
  readonly clock: EngineModules['clock'];
  readonly logger: EngineModules['logger'];
  readonly metrics: EngineMetrics;
}

/** What a log said when it was opened. */
interface LogContent {
  readonly records: readonly EngineRecord[];
  readonly lost: boolean;
  readonly floor: Position;
}

/** The log of one vote key. It outlives the engines that write to it, one an epoch. */
export class EngineLog {
  readonly log: WriteAheadLog;
  readonly signer: Signer | undefined;
  /** Records that were read at the start and no engine has taken yet. */
  #records: readonly EngineRecord[];
  /** What the key signed may not all be here: no vote in any epoch before the rule of amnesia was followed once. */
  #lost: boolean;

  /** Up to where records were cut off. */
  readonly #floor: Position;
  /** The recoveries that were signed while this log was there. */
  readonly #recoveries: Set<Hash>;

  constructor(log: WriteAheadLog, signer: Signer | undefined, opened: LogContent) {
    this.log = log;
    this.signer = signer;
    this.#records = opened.records;
    this.#lost = opened.lost;
    this.#floor = opened.floor;
    this.#recoveries = new Set(
      opened.records.flatMap((record) => (record.kind === 'recovery' ? [record.recovery] : [])),
    );
  }

  /**
   * What the log holds of the epoch that follows `head`, above it. A log that was lost says so again in its newest
   * segment, since older ones will be cut.
   */
  async recover(head: FinalizedHead): Promise<RecoveredLog> {
    const { epoch } = head.validators;
    const recovered = aboveHead(this.#records, head);
    // Those of later epochs wait for their engine: the ledger beside the log may be older than the log.
    this.#records = this.#records.filter((record) => epochOf(record) > epoch);
    const amnesia =
      this.#lost && placeOf(this.signer, head.validators) !== undefined && !(await this.#isClearedBy(head));
    if (amnesia) await noteAmnesia(this.log, epoch);
    return { ...recovered, amnesia, floor: this.#floorAbove(head) };
  }

  /**
   * Whether the epoch began by a recovery that this log knows of: what was lost before is of older epochs, and of this one it holds everything.
   * Durable at once, so that the note of the recovery may be cut later.
   */
  async #isClearedBy({ begunBy, validators }: FinalizedHead): Promise<boolean> {
    if (begunBy === undefined || !this.#recoveries.has(begunBy)) return false;
    this.log.append(encodeEngineRecord(this.noteFound(validators.epoch)));
    await this.log.flushed();
    return true;
  }

  /** Notes that the log is whole as far as the epoch of a recovery is concerned, before the member signs that recovery. */
  async noteRecovery(epoch: Epoch, recovery: Hash): Promise<void> {
    this.#recoveries.add(recovery);
    this.log.append(encodeEngineRecord({ kind: 'recovery', epoch, recovery }));
    await this.log.flushed();
  }

  /** Nothing was cut off that storage did not hold; so if storage is below that now, it is not what it was. */
  #floorAbove(head: FinalizedHead): View {
    const { epoch } = head.validators;
    if (this.#floor.epoch < epoch) return View(0);
    if (this.#floor.epoch > epoch) return View(Number.MAX_SAFE_INTEGER);
    return this.#floor.view > headOf(head).view ? View(this.#floor.view) : View(0);
  }

  /** Another vote of the key turned up. */
  async noteLost(epoch: Epoch): Promise<void> {
    this.#lost = true;
    await noteAmnesia(this.log, epoch);
  }

  /** The rule of amnesia was followed to its end: every later start begins above all that the lost log held. Gives the record that says so. */
  noteFound(epoch: Epoch): EngineRecord {
    this.#lost = false;
    this.log.carry(amnesiaRecord(epoch, true));
    return { kind: 'amnesia', epoch, over: true };
  }
}

/** Where the log of a vote key lies, named by its last 8 bytes, or that of an observer. */
export function logFolderOf(options: Pick<EngineOptions, 'logFolder'>, signer: Signer | undefined): string {
  return `${options.logFolder}/${signer === undefined ? 'observer' : signer.publicKey.slice(-16)}`;
}

/**
 * Opens the log of a vote key, or begins one. A log that is missing although the key was used, or although the key reigns and storage
 * shows that its holder ran, is noted as lost (packages/consensus/spec.md, "Amnesia"). Rejects with a WriteAheadLogError.
 */
export async function openEngineLog(
  options: EngineOptions,
  folder: string,
  signer: Signer | undefined,
  head: FinalizedHead,
  modules: EngineLogModules,
): Promise<EngineLog> {
  const { disk, clock, logger, metrics } = modules;
  const { epoch } = head.validators;
  const usedBefore = (await signer?.usage?.wasUsed()) ?? false;
  const reigns = head.height > 0 && placeOf(signer, head.validators) !== undefined;
  const mayHaveVoted = usedBefore || reigns;
  const opened = await WriteAheadLog.open(disk, {
    folder,
    binding: encodeBinding(options.genesisHash, signer?.publicKey),
    segmentBytes: options.logSegmentBytes,
    maxRecordBytes: MAX_LOG_RECORD_BYTES,
    // A log that begins says whether one was lost before: or a crash in this very moment would leave one that looks whole.
    first: amnesiaRecord(epoch, !mayHaveVoted),
    monotonicMs: () => clock.monotonicMs(),
    onFlush: (durationMs) => {
      metrics.flushes++;
      metrics.flushMs += durationMs;
      metrics.flushMaxMs = Math.max(metrics.flushMaxMs, durationMs);
    },
  });
  if (opened.cutBytes > 0) logger.log('warn', 'cut a torn write off the end of the log', { bytes: opened.cutBytes });
  const digestOf = (proposal: Proposal): Hash => proposalDigest(options.suite, options.genesisHash, proposal);
  const records = opened.records.map((record) => decodeEngineRecord(record, digestOf));
  const lost = opened.fresh ? mayHaveVoted : isNotedAsLost(records);
  const note = amnesiaRecord(epoch, !lost);
  opened.log.carry(note);
  if (opened.bare) {
    // Older segments will be cut, and a log without a record would look like none.
    opened.log.append(note);
    await opened.log.flushed();
  }
  // Only now that the log is durable: without one, the next start must not take the key for a used one.
  if (!usedBefore) await signer?.usage?.markUsed();
  return new EngineLog(opened.log, signer, { records, lost, floor: opened.floor });
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

/** The finalized block as the core of the epoch that follows it sees it. The view is that of the certificate, which for an epoch's last block may be later than that of its proposal; 0 if of an earlier epoch. */
export function headOf(head: FinalizedHead): Head {
  const proposedView = head.epoch === head.validators.epoch ? head.view : View(0);
  const view = certificateOf(head)?.statement.view ?? proposedView;
  return { height: head.height, digest: head.digest, view, timeMs: head.timeMs, closesEpoch: false };
}

function aboveHead(
  records: readonly EngineRecord[],
  finalized: FinalizedHead,
): Omit<RecoveredLog, 'amnesia' | 'floor'> {
  const { epoch } = finalized.validators;
  const { view } = headOf(finalized);
  const votes: Vote[] = [];
  const certificates: Certificate[] = [];
  const proposals: Extract<EngineRecord, { kind: 'proposal' }>[] = [];
  for (const record of records) {
    if (record.kind === 'recovery') continue;
    if (record.kind === 'amnesia' || epochOf(record) !== epoch || viewOf(record) <= view) continue;
    if (record.kind === 'vote') votes.push(record.vote);
    else if (record.kind === 'certificate') certificates.push(record.certificate);
    else proposals.push(record);
  }
  return { votes, certificates, proposals };
}

/** The newest note counts, whatever its epoch: an epoch that went by without a vote settles nothing. */
function isNotedAsLost(records: readonly EngineRecord[]): boolean {
  const note = records.findLast((record) => record.kind === 'amnesia');
  return note !== undefined && !note.over;
}

type SignedRecord = Exclude<EngineRecord, { kind: 'amnesia' | 'recovery' }>;

function statementOf(record: SignedRecord): Statement {
  if (record.kind === 'vote') return record.vote.statement;
  return record.kind === 'certificate' ? record.certificate.statement : record.message.leaderVote.statement;
}

const epochOf = (record: EngineRecord): number =>
  record.kind === 'amnesia' || record.kind === 'recovery' ? record.epoch : statementOf(record).epoch;
const viewOf = (record: SignedRecord): number => statementOf(record).view;

/** Says whether the log was lost; carried from segment to segment, so that no log is ever without a record. */
function amnesiaRecord(epoch: Epoch, over: boolean): LogRecord {
  return encodeEngineRecord({ kind: 'amnesia', epoch, over });
}

/** Makes it durable that the log was lost, so that every start until it is over follows the rule. */
async function noteAmnesia(log: WriteAheadLog, epoch: Epoch): Promise<void> {
  const record = amnesiaRecord(epoch, false);
  log.append(record);
  log.carry(record);
  await log.flushed();
}
