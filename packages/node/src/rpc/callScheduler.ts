import type { Clock } from '../runtime/clock.ts';
import { rpcError } from './codes.ts';
import type { CallService } from './dependencies.ts';

export interface CallSchedulerOptions {
  /** What a call may take at first. One that needs longer is stopped and begins anew behind all that have not had so much. */
  readonly sliceMs: number;
  /** From its admission on, waiting and earlier attempts included, a call has so long. */
  readonly timeoutMs: number;
  readonly maxQueued: number;
  readonly maxQueuedPerClient: number;
  /** What the requests that wait hold. */
  readonly maxQueuedBytes: number;
}

export interface CallSchedulerModules {
  /** Each runs one call at a time, on a thread of its own. */
  readonly services: readonly CallService[];
  readonly clock: Clock;
}

/** A call to be run. `work` may be asked several times, because a call keeps nothing. */
export interface ScheduledCall<T> {
  /** Who asks: calls of different clients take turns. */
  readonly client: string;
  readonly bytes: number;
  /** Throws when nobody waits for the answer any more. */
  readonly throwIfAborted: () => void;
  /** Milliseconds that the whole request may still take. */
  readonly remainingMs: () => number;
  readonly work: (service: CallService, timeoutMs: number) => Promise<T>;
}

type Attempt = 0 | 1 | 2;

interface Job {
  readonly client: Client;
  readonly bytes: number;
  readonly order: number;
  readonly deadlineMs: number;
  attempt: Attempt;
  /** What it was given in vain: less than that is no use. */
  triedMs: number;
  readonly start: (service: CallService, timeoutMs: number) => Promise<'done' | 'timeout'>;
  readonly giveUp: (error?: unknown) => void;
  readonly throwIfAborted: () => void;
}

interface Client {
  /** Time of the threads that the client used, on the scale of `#virtualMs`. */
  virtualMs: number;
  queued: number;
  jobs: number;
}

/** Attempts after the first may take so many times the slice, and then all that is left. */
const SECOND_ATTEMPT = 10;

/**
 * Shares a few threads between calls of which nobody knows how long they take. A call gets a short slice first; only what is not done by
 * then waits for the last thread, with a longer slice and then with the rest of its time. So calls of usual length go past those that never
 * end, whoever sent them (a feedback queue whose jobs begin anew, because the EVM cannot be paused). Among calls of the same attempt the client that used the
 * least goes first (start-time fair queueing), and when the queue is full the client with the most in it gives way.
 */
export class CallScheduler {
  readonly #options: CallSchedulerOptions;
  readonly #clock: Clock;
  /** Threads without a call. The last of them is for calls that need long, and for others when there are none. */
  readonly #idle: Set<CallService>;
  readonly #patient: CallService;
  readonly #alone: boolean;
  readonly #clients = new Map<string, Client>();
  readonly #waiting = new Set<Job>();
  #waitingBytes = 0;
  #running = 0;
  #admitted = 0;
  #virtualMs = 0;

  constructor(options: CallSchedulerOptions, { services, clock }: CallSchedulerModules) {
    const patient = services.at(-1);
    if (patient === undefined) throw new Error('calls need a service');
    this.#options = options;
    this.#clock = clock;
    this.#patient = patient;
    this.#alone = services.length === 1;
    this.#idle = new Set(services);
  }

  get running(): number {
    return this.#running;
  }

  get queued(): number {
    return this.#waiting.size;
  }

  /** The outcome of a call, which is `timeout` when its time was over; throws `limit-exceeded` when the queue has no place for it. */
  async run<T extends { readonly status: string }>(
    call: ScheduledCall<T>,
  ): Promise<T | { readonly status: 'timeout' }> {
    const client = this.#enter(call.client);
    try {
      this.#makeRoom(client, call.bytes);
      return await this.#admit(call, client);
    } finally {
      client.jobs--;
      if (client.jobs === 0) this.#clients.delete(call.client);
    }
  }

  #admit<T extends { readonly status: string }>(
    call: ScheduledCall<T>,
    client: Client,
  ): Promise<T | { readonly status: 'timeout' }> {
    return new Promise((resolve, reject) => {
      this.#enqueue({
        client,
        bytes: call.bytes,
        order: this.#admitted++,
        deadlineMs: this.#clock.monotonicMs() + Math.min(this.#options.timeoutMs, call.remainingMs()),
        attempt: 0,
        triedMs: 0,
        throwIfAborted: call.throwIfAborted,
        start: async (service, timeoutMs) => {
          const outcome = await call.work(service, timeoutMs);
          if (outcome.status === 'timeout') return 'timeout';
          resolve(outcome);
          return 'done';
        },
        giveUp: (error) => (error === undefined ? resolve({ status: 'timeout' }) : reject(error)),
      });
      this.#dispatch();
    });
  }

  /** Who was idle begins where the others are now: what was not used is no credit. */
  #enter(name: string): Client {
    let client = this.#clients.get(name);
    if (client === undefined) {
      client = { virtualMs: this.#virtualMs, queued: 0, jobs: 0 };
      this.#clients.set(name, client);
    }
    client.jobs++;
    return client;
  }

  #makeRoom(client: Client, bytes: number): void {
    const { maxQueued, maxQueuedPerClient, maxQueuedBytes } = this.#options;
    if (client.queued >= maxQueuedPerClient) {
      throw rpcError('limit-exceeded', `${maxQueuedPerClient} calls of this client wait already, try again later`);
    }
    while (this.#waiting.size >= maxQueued || (this.#waiting.size > 0 && this.#waitingBytes + bytes > maxQueuedBytes)) {
      const full = rpcError('limit-exceeded', `${this.#waiting.size} calls wait already, try again later`);
      let newest: Job | undefined;
      for (const job of this.#waiting)
        if (newest === undefined || job.client.queued >= newest.client.queued) newest = job;
      if (newest === undefined || newest.client.queued <= client.queued + 1) throw full;
      this.#dequeue(newest);
      newest.giveUp(full);
    }
  }

  #enqueue(job: Job): void {
    this.#waiting.add(job);
    this.#waitingBytes += job.bytes;
    job.client.queued++;
  }

  #dequeue(job: Job): void {
    this.#waiting.delete(job);
    this.#waitingBytes -= job.bytes;
    job.client.queued--;
  }

  #dispatch(): void {
    for (const service of this.#idle) {
      const job = this.#next(service);
      if (job === undefined) continue;
      this.#dequeue(job);
      this.#idle.delete(service);
      this.#running++;
      void this.#attempt(job, service).finally(() => {
        this.#idle.add(service);
        this.#running--;
        this.#dispatch();
      });
    }
  }

  /** What a thread does next. Those before the last take first attempts alone, so that one of them is free soon. */
  #next(service: CallService): Job | undefined {
    const rank = (job: Job): number => {
      if (job.attempt === 0) return service === this.#patient && !this.#alone ? 3 : 0;
      return service === this.#patient ? job.attempt : Number.POSITIVE_INFINITY;
    };
    let best: Job | undefined;
    for (const job of this.#waiting) {
      if (rank(job) === Number.POSITIVE_INFINITY) continue;
      const before =
        best === undefined ||
        rank(job) - rank(best) < 0 ||
        (rank(job) === rank(best) && (job.client.virtualMs - best.client.virtualMs || job.order - best.order) < 0);
      if (before) best = job;
    }
    return best;
  }

  async #attempt(job: Job, service: CallService): Promise<void> {
    const startedMs = this.#clock.monotonicMs();
    this.#virtualMs = Math.max(this.#virtualMs, job.client.virtualMs);
    try {
      job.throwIfAborted();
      const leftMs = job.deadlineMs - startedMs;
      const budgetMs = this.#budget(job.attempt, leftMs);
      // As much as was not enough before will not be enough now.
      if (budgetMs <= job.triedMs) {
        job.giveUp();
        return;
      }
      const result = await job.start(service, budgetMs);
      job.client.virtualMs += this.#clock.monotonicMs() - startedMs;
      if (result === 'done') return;
      job.triedMs = budgetMs;
      if (job.attempt === 2 || budgetMs >= leftMs) job.giveUp();
      else this.#enqueue(Object.assign(job, { attempt: (job.attempt + 1) as Attempt }));
    } catch (error) {
      job.giveUp(error);
    }
  }

  #budget(attempt: Attempt, leftMs: number): number {
    const { sliceMs } = this.#options;
    if (attempt === 2) return leftMs;
    return Math.min(leftMs, attempt === 0 ? sliceMs : SECOND_ATTEMPT * sliceMs);
  }
}
