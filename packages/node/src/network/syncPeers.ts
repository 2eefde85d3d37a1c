/** Consecutive heights that are asked of one peer. */
export interface HeightRange {
  readonly from: number;
  readonly count: number;
}

export interface SyncPeersOptions {
  /** How long a peer that was no help is left alone: doubled with every time in a row up to the longest. */
  readonly restMs: number;
  readonly maxRestMs: number;
  /** After so long without an answer others may be asked for the same blocks. */
  readonly stallMs: number;
}

/** A connected peer and up to which height it makes sense to ask it. */
export interface SyncSource {
  readonly name: string;
  readonly lastHeight: number;
}

interface PeerRecord {
  /** What something showed that the peer has, above what it told itself. */
  evidence: number;
  /** It had nothing above `height` although it `told` of more; of no meaning once it tells of more again. */
  ceiling: { readonly height: number; readonly told: number } | undefined;
  failures: number;
  restingUntilMs: number;
  asked: { readonly range: HeightRange; readonly sinceMs: number } | undefined;
}

/** What is known of the peers that blocks are asked of, while a catch-up runs. What one peer says counts for that peer alone. */
export class SyncPeers {
  readonly #options: SyncPeersOptions;
  readonly #records = new Map<string, PeerRecord>();
  #told: ReadonlyMap<string, number> = new Map();

  constructor(options: SyncPeersOptions) {
    this.#options = options;
  }

  /** The connected peers and the finalized height that each told. A peer that comes back begins anew. */
  update(peers: readonly { readonly name: string; readonly headHeight: number }[]): void {
    const before = this.#told;
    this.#told = new Map(peers.map(({ name, headHeight }) => [name, headHeight]));
    for (const name of before.keys()) if (!this.#told.has(name)) this.#records.delete(name);
  }

  /** Something shows that this peer, connected or not, has a finalized block of this height. */
  show(name: string, height: number): void {
    const record = this.#record(name);
    record.evidence = Math.max(record.evidence, height);
  }

  sources(): readonly SyncSource[] {
    return [...this.#told].map(([name, told]) => ({ name, lastHeight: this.#lastHeight(name, told) }));
  }

  /** The height to be reached: what the connected peers have; without any, what was shown. */
  target(): number {
    const heights = this.sources().map(({ lastHeight }) => lastHeight);
    return Math.max(0, ...(heights.length > 0 ? heights : [...this.#records.values()].map(({ evidence }) => evidence)));
  }

  /** The sources that have nothing to answer and need no rest. */
  free(nowMs: number): readonly SyncSource[] {
    return this.sources().filter(({ name }) => {
      const record = this.#records.get(name);
      return record === undefined || (record.asked === undefined && record.restingUntilMs <= nowMs);
    });
  }

  asked(name: string, range: HeightRange, nowMs: number): void {
    this.#record(name).asked = { range, sinceMs: nowMs };
  }

  get isAnyAsked(): boolean {
    return [...this.#records.values()].some(({ asked }) => asked !== undefined);
  }

  /** The ranges that are on their way and not overdue. */
  expected(nowMs: number): readonly HeightRange[] {
    return [...this.#records.values()].flatMap(({ asked }) =>
      asked === undefined || nowMs - asked.sinceMs >= this.#options.stallMs ? [] : [asked.range],
    );
  }

  /** A peer answered to `range`, the very object that `asked` got, with so many blocks; none: it has nothing from there on. */
  answered(name: string, range: HeightRange, blocks: number): void {
    const record = this.#records.get(name);
    // It went and came back in between: what was asked before says nothing of it now.
    if (record?.asked?.range !== range) return;
    record.asked = undefined;
    record.failures = 0;
    const told = this.#told.get(name) ?? 0;
    record.ceiling = blocks > 0 ? undefined : { height: range.from - 1, told: Math.max(told, record.evidence) };
  }

  /** A peer did not answer to `range`, or not well. */
  unanswered(name: string, range: HeightRange, nowMs: number): void {
    const record = this.#records.get(name);
    if (record?.asked?.range !== range) return;
    record.asked = undefined;
    this.rest(name, nowMs);
  }

  /** A peer was no help. */
  rest(name: string, nowMs: number): void {
    const record = this.#records.get(name);
    if (record === undefined) return;
    const { restMs, maxRestMs } = this.#options;
    record.restingUntilMs = nowMs + Math.min(maxRestMs, restMs * 2 ** Math.min(record.failures, 20));
    record.failures++;
  }

  /** When to look again though nothing happens: an answer is overdue by then, or a rest is over. */
  nextChangeMs(nowMs: number): number | undefined {
    const times = [...this.#records.values()].flatMap(({ asked, restingUntilMs }) => [
      restingUntilMs,
      ...(asked === undefined ? [] : [asked.sinceMs + this.#options.stallMs]),
    ]);
    const coming = times.filter((atMs) => atMs > nowMs);
    return coming.length === 0 ? undefined : Math.min(...coming);
  }

  clear(): void {
    this.#records.clear();
    this.#told = new Map();
  }

  #lastHeight(name: string, told: number): number {
    const record = this.#records.get(name);
    const shown = Math.max(told, record?.evidence ?? 0);
    const ceiling = record?.ceiling;
    return ceiling !== undefined && shown <= ceiling.told ? Math.min(shown, ceiling.height) : shown;
  }

  #record(name: string): PeerRecord {
    let record = this.#records.get(name);
    if (record === undefined) {
      record = { evidence: 0, ceiling: undefined, failures: 0, restingUntilMs: 0, asked: undefined };
      this.#records.set(name, record);
    }
    return record;
  }
}
