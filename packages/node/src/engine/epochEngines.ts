import type { Certificate, Epoch, FinalizeStatement, Hash, Height, ValidatorSet } from '@hanse/protocol';
import { View } from '@hanse/protocol';
import type { FinalizedHead, Ledger } from '../chain/ledger.ts';
import { alarmKindOf } from '../runtime/diskFailure.ts';
import { Engine } from './engine.ts';
import type { EngineLoad } from './engineLoad.ts';
import { type EngineLog, logFolderOf, openEngineLog, placeOf } from './engineLog.ts';
import type { EngineModules, EngineOptions, EngineState } from './engineOptions.ts';
import { EpochTransport, type MemberTransport } from './memberTransport.ts';
import { encodeCertificates, encodeProposalAnswer, encodeStatus, messageKinds } from './messages.ts';
import { createEngineMetrics, type EngineMetrics } from './metrics.ts';
import { NextEpochBuffer } from './nextEpochBuffer.ts';
import type { EngineBodies, EngineEvents } from './ports.ts';
import type { Signer } from './signer.ts';
import { MemberBudgets, ValidatorBudgets } from './validatorBudgets.ts';

/** The alarm of a member that could not enter the next epoch: another start tries again. */
export const EPOCH_FAILED = 'epoch-failed';

/** Where transactions come from, with members by name. */
export type MemberBodies = Omit<EngineBodies, 'knownTo'> & {
  /** Whether a member is known to have a transaction. */
  knownTo(peer: string, hash: Hash): boolean;
};

export interface EpochEvents extends Omit<EngineEvents, 'behind' | 'epochCloses' | 'epochClosed' | 'enteredView'> {
  /** See `EngineEvents.behind`; with the name of the member that showed it. */
  behind(height: Height, peer: string): void;
  /** An engine for this set runs from now on. */
  epochEntered(validators: ValidatorSet): void;
}

export interface EpochModules extends Pick<EngineModules, 'disk' | 'clock' | 'logger'> {
  readonly ledger: Ledger;
  readonly transport: MemberTransport;
  readonly bodies: MemberBodies;
  readonly events: EpochEvents;
  /** The vote keys that this member holds now; one of them reigns, or none. Asked again at each new epoch. */
  readonly signers: () => readonly Signer[];
  /** The finalization of the block that closed an epoch, from storage. */
  readonly closingCertificate: (epoch: Epoch) => Certificate<FinalizeStatement> | undefined;
}

/**
 * Runs the engine of the present epoch and replaces it when storage holds the block that closes it (packages/consensus/spec.md,
 * "Epochs"). What comes from older epochs is answered with the finalization that closed them, what comes from the next one
 * waits here, bounded.
 */
export class EpochEngines {
  readonly metrics: EngineMetrics;
  readonly #options: EngineOptions;
  readonly #modules: EpochModules;
  readonly #logs = new Map<string, EngineLog>();
  readonly #early = new NextEpochBuffer();
  readonly #budgets: MemberBudgets;
  /** When each member that speaks of older epochs was answered last. */
  readonly #answeredAtMs = new Map<string, number>();
  /** When each member that is in a later epoch was asked last how this one ended. */
  readonly #askedAtMs = new Map<string, number>();
  #validators: ValidatorSet;
  #transport: EpochTransport;
  #engine: Engine;
  #pendingHandler: () => void = () => undefined;
  #turning: Promise<void> | undefined;
  /** One log after another, whoever asks. */
  #beginning: Promise<void> = Promise.resolve();
  #turnAgain = false;
  #started = false;
  #silenced = false;
  #closed = false;

  /** Opens the logs of all vote keys and makes the engine, which does nothing until `start`. Rejects with a WriteAheadLogError. */
  static async open(options: EngineOptions, modules: EpochModules): Promise<EpochEngines> {
    const metrics = createEngineMetrics();
    const head = await modules.ledger.finalizedHead();
    const logs = new Map<string, EngineLog>();
    for (const signer of [...modules.signers(), undefined]) {
      if (signer === undefined && logs.size > 0) break;
      const folder = logFolderOf(options, signer);
      logs.set(folder, await openEngineLog(options, folder, signer, head, { ...modules, metrics }));
    }
    const log = reigningLog(logs, head.validators);
    const recovered = await log.recover(head);
    const budgets = new MemberBudgets(() => modules.clock.monotonicMs());
    return new EpochEngines(options, modules, { metrics, logs, head, budgets }, (engineModules, transport) => {
      const places = new ValidatorBudgets(budgets, (place) => transport.nameOf(place));
      const beginning = { log, metrics, head, recovered, budgets: places, enteredAnew: false };
      return new Engine(options, engineModules, beginning);
    });
  }

  private constructor(
    options: EngineOptions,
    modules: EpochModules,
    parts: {
      metrics: EngineMetrics;
      logs: ReadonlyMap<string, EngineLog>;
      head: FinalizedHead;
      budgets: MemberBudgets;
    },
    createEngine: (modules: EngineModules, transport: EpochTransport) => Engine,
  ) {
    this.#options = options;
    this.#modules = modules;
    this.#budgets = parts.budgets;
    this.metrics = parts.metrics;
    this.#logs = new Map(parts.logs);
    this.#validators = parts.head.validators;
    this.#transport = new EpochTransport(parts.head.validators, modules.transport);
    this.#engine = createEngine(this.#engineModules(this.#transport), this.#transport);
    modules.bodies.onPending(() => this.#pendingHandler());
  }

  start(): void {
    this.#started = true;
    this.#engine.start();
    this.#modules.events.epochEntered(this.#validators);
  }

  /** The validators of the present epoch. */
  get validators(): ValidatorSet {
    return this.#validators;
  }

  state(): EngineState {
    return this.#engine.state();
  }

  /** See `Engine.load`; with what waits for the next epoch. */
  load(): EngineLoad {
    const { retained, worstUse } = this.#engine.load();
    const { messages, bytes } = this.#early.size;
    return { retained: { ...retained, earlyMessages: messages, earlyBytes: bytes }, worstUse };
  }

  /** A message from a member, of the epoch that it says. Never throws. */
  receive(peer: string, epoch: Epoch, kind: number, payload: Uint8Array): void {
    const { epoch: present } = this.#validators;
    if (this.#closed) return;
    if (epoch < present) this.#answerOld(peer, epoch);
    else if (epoch === present && this.#turning === undefined) {
      this.#engine.receive(this.#transport.placeOf(peer), kind, payload);
    } else if (epoch > present) {
      if (epoch === present + 1) this.#early.put({ peer, epoch, kind, payload });
      this.#askHowItEnded(peer);
    }
  }

  /** A request from a member. Rejects if it is malformed, too much, or this member is not where the asker is. */
  async serve(peer: string, epoch: Epoch, kind: number, payload: Uint8Array): Promise<Uint8Array> {
    const { epoch: present } = this.#validators;
    if (epoch < present && kind !== messageKinds.requestBodies) return this.#serveOld(peer, epoch, kind);
    if (epoch > present) this.#askHowItEnded(peer);
    if (epoch > present || this.#turning !== undefined) throw new Error(`not in epoch ${epoch} yet`);
    return this.#engine.serve(this.#transport.placeOf(peer), kind, payload);
  }

  peerConnected(peer: string): void {
    if (this.#transport.isValidator(peer)) this.#engine.peerConnected(this.#transport.placeOf(peer));
  }

  peerDisconnected(peer: string): void {
    if (this.#transport.isValidator(peer)) this.#engine.peerDisconnected(this.#transport.placeOf(peer));
  }

  /** Blocks were imported into the ledger up to `head`. */
  synced(head: FinalizedHead): void {
    if (this.#closed) return;
    if (head.validators.epoch === this.#validators.epoch && this.#turning === undefined) this.#engine.synced(head);
    else this.#turn();
  }

  /** See `Engine.silence`. No later epoch makes up for it. */
  silence(kind: string, detail: string): void {
    this.#silenced = true;
    this.#engine.silence(kind, detail);
  }

  /**
   * Begins the logs of vote keys that were put beside the others while the member ran. To be awaited before storage takes a block that
   * may close an epoch: a key that reigns and has no log is one whose log was lost. Rejects with a WriteAheadLogError.
   */
  beginLogs(): Promise<void> {
    this.#beginning = this.#beginning
      .catch(() => undefined)
      .then(async () => {
        if (!this.#closed) for (const signer of this.#modules.signers()) await this.#openLog(signer);
      });
    return this.#beginning;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#engine.stopped();
    await this.#turning;
    await this.#beginning.catch(() => undefined);
    for (const { log } of this.#logs.values()) await log.close();
  }

  /** The epoch is over: the engine ends at once, and another one begins where storage stands. */
  #turn(): void {
    if (this.#closed) return;
    if (this.#turning !== undefined) {
      this.#turnAgain = true;
      return;
    }
    // A member that was stopped for a contradiction stays silent, whoever reigns.
    if (this.#engine.state().voting === 'stopped') this.#silenced = true;
    this.#engine.retire();
    this.#turning = this.#enterNext()
      .catch((error: unknown) => {
        const detail = `the next epoch could not be entered: ${error instanceof Error ? error.message : String(error)}`;
        this.#modules.events.alarm(alarmKindOf(error, EPOCH_FAILED), detail);
      })
      .finally(() => {
        this.#turning = undefined;
        const again = this.#turnAgain;
        this.#turnAgain = false;
        if (again) void this.#modules.ledger.finalizedHead().then((head) => this.synced(head));
        else this.#replay();
      });
  }

  async #enterNext(): Promise<void> {
    const { ledger, events, logger } = this.#modules;
    await this.beginLogs();
    const head = await ledger.finalizedHead();
    const log = reigningLog(this.#logs, head.validators);
    const recovered = await log.recover(head);
    if (this.#closed) return;
    const nothingSigned = recovered.votes.length === 0 && recovered.proposals.length === 0;
    // A ledger that was lost or put back leads through epochs in which the log, cut since, says nothing of what the key signed.
    const enteredAnew = nothingSigned && !recovered.amnesia && recovered.floor === 0;
    this.#validators = head.validators;
    this.#transport = new EpochTransport(head.validators, this.#modules.transport);
    const modules = this.#engineModules(this.#transport);
    const transport = this.#transport;
    const budgets = new ValidatorBudgets(this.#budgets, (place) => transport.nameOf(place));
    const beginning = { log, metrics: this.metrics, head, recovered, budgets, enteredAnew };
    this.#engine = new Engine(this.#options, modules, beginning);
    const names = head.validators.validators.map(({ name }) => name);
    logger.log('info', 'epoch entered', {
      epoch: head.validators.epoch,
      height: head.height,
      validators: names.join(),
    });
    if (this.#started) this.#engine.start();
    if (this.#silenced) this.#engine.silence('stopped', 'this member was stopped in an earlier epoch');
    events.alarmOver(EPOCH_FAILED);
    events.epochEntered(head.validators);
  }

  async #openLog(signer: Signer): Promise<void> {
    const folder = logFolderOf(this.#options, signer);
    if (this.#logs.has(folder)) return;
    const head = await this.#modules.ledger.finalizedHead();
    const modules = { ...this.#modules, metrics: this.metrics };
    this.#logs.set(folder, await openEngineLog(this.#options, folder, signer, head, modules));
  }

  #replay(): void {
    for (const { peer, epoch, kind, payload } of this.#early.take()) {
      // Blocks that were imported may have ended that epoch too, and in the present one its places are others'.
      if (epoch === this.#validators.epoch) this.#engine.receive(this.#transport.placeOf(peer), kind, payload);
    }
  }

  /** Whoever is still in a closed epoch gets what ended it, once a resend interval. */
  #answerOld(peer: string, epoch: Epoch): void {
    if (!this.#isDue(this.#answeredAtMs, peer)) return;
    const certificate = this.#modules.closingCertificate(epoch);
    if (certificate === undefined) return;
    this.#modules.transport.send(peer, epoch, messageKinds.certificates, encodeCertificates([certificate]));
  }

  #serveOld(peer: string, epoch: Epoch, kind: number): Uint8Array {
    if (!this.#budgets.take(peer, 'pastRequests', 1)) {
      throw new Error('too many requests of an epoch that is over, try again later');
    }
    const certificate = this.#modules.closingCertificate(epoch);
    const { finalizedHeight } = this.#engine.state();
    switch (kind) {
      case messageKinds.requestCertificates:
        return encodeCertificates(certificate === undefined ? [] : [certificate]);
      case messageKinds.requestProposal:
        return encodeProposalAnswer({ finalizedHeight, envelope: undefined });
      case messageKinds.requestStatus: {
        if (certificate === undefined) throw new Error(`epoch ${epoch} is over`);
        const { view, height } = certificate.statement;
        return encodeStatus({
          epoch,
          view: View(view + 1),
          finalizedHeight: height,
          finalizedView: view,
          certificates: [certificate],
          yourVotes: [],
        });
      }
      default:
        throw new Error(`epoch ${epoch} is over`);
    }
  }

  /** A member that is in a later epoch holds the finalization that ended this one. */
  #askHowItEnded(peer: string): void {
    if (this.#started && this.#turning === undefined && this.#isDue(this.#askedAtMs, peer)) this.peerConnected(peer);
  }

  #isDue(times: Map<string, number>, peer: string): boolean {
    const nowMs = this.#modules.clock.monotonicMs();
    if (nowMs < (times.get(peer) ?? Number.NEGATIVE_INFINITY) + this.#options.resendIntervalMs) return false;
    times.set(peer, nowMs);
    return true;
  }

  #engineModules(transport: EpochTransport): EngineModules {
    const { ledger, bodies, events, disk, clock, logger } = this.#modules;
    return {
      ledger,
      transport,
      bodies: {
        get: (hashes) => bodies.get(hashes),
        accept: (raws) => bodies.accept(raws),
        candidates: (limits) => bodies.candidates(limits),
        hasPending: (exclude) => bodies.hasPending(exclude),
        // The pool keeps its handlers for ever; an engine is let go with its epoch.
        onPending: (handler) => {
          this.#pendingHandler = handler;
        },
        knownTo: (place, hash) => bodies.knownTo(transport.nameOf(place), hash),
        rejected: (rejections) => bodies.rejected(rejections),
      },
      events: {
        finalized: (blocks) => events.finalized(blocks),
        behind: (height, from) => events.behind(height, transport.nameOf(from)),
        alarm: (kind, detail) => events.alarm(kind, detail),
        alarmOver: (kind) => events.alarmOver(kind),
        evidence: (first, second) => events.evidence(first, second),
        enteredView: () => undefined,
        epochCloses: () => this.beginLogs(),
        epochClosed: () => this.#turn(),
      },
      disk,
      clock,
      logger,
    };
  }
}

/** The log of the key that is in the set; the first one if none is, for an observer keeps a log too. */
function reigningLog(logs: ReadonlyMap<string, EngineLog>, validators: ValidatorSet): EngineLog {
  const all = [...logs.values()];
  const reigning = all.find(({ signer }) => placeOf(signer, validators) !== undefined) ?? all[0];
  if (reigning === undefined) throw new Error('a member has at least one log');
  return reigning;
}
