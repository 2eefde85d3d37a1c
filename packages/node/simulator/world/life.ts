/** Where a process touches the world: between any two of these it may end. */
export const BOUNDARIES = [
  'append',
  'flush',
  'send',
  'frame',
  'timer',
  'ledger call',
  'ledger answer',
  'commit',
] as const;

export type Boundary = (typeof BOUNDARIES)[number];

/** Ends the process at its `count`th effect of a kind from now on, just before or just after that takes effect. */
export interface CrashPoint {
  readonly boundary: Boundary;
  count: number;
  readonly moment: 'before' | 'after';
  /** Must end the life. */
  readonly crash: () => void;
}

/**
 * One life of a member's process. When it ends, nothing that it began goes on: what it still calls does nothing, and what it
 * waits for never comes. While it is frozen, what happens to it waits and then happens in order.
 */
export class Life {
  #alive = true;
  #frozen = false;
  readonly #waiting: (() => void)[] = [];
  readonly #later: (work: () => void) => void;
  readonly #threw: (error: unknown) => void;
  crashPoint: CrashPoint | undefined;

  /** `later` runs something in a following event of the same moment; `threw` is told what nobody in the process caught. */
  constructor(later: (work: () => void) => void, threw: (error: unknown) => void) {
    this.#later = later;
    this.#threw = threw;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Something from outside reaches the process; without a boundary it is the answer to something that had one. */
  run(boundary: Boundary | undefined, work: () => void): void {
    if (!this.#alive) return;
    if (this.#frozen || this.#waiting.length > 0) {
      this.#waiting.push(() => this.#enter(boundary, work));
      return;
    }
    this.#enter(boundary, work);
  }

  /** Whether the process still lives to do this; it may have been meant to end just here. */
  before(boundary: Boundary): boolean {
    if (this.#alive) this.#pass(boundary, 'before');
    return this.#alive;
  }

  /** Whether the process lives to learn that it was done. */
  after(boundary: Boundary): boolean {
    if (this.#alive) this.#pass(boundary, 'after');
    return this.#alive;
  }

  freeze(): void {
    this.#frozen = true;
  }

  thaw(): void {
    if (!this.#frozen) return;
    this.#frozen = false;
    if (this.#waiting.length > 0) this.#later(() => this.#catchUp());
  }

  end(): void {
    this.#alive = false;
    this.#waiting.length = 0;
    this.crashPoint = undefined;
  }

  /** One at a time, so that what follows from each happens before the next. */
  #catchUp(): void {
    if (this.#frozen) return;
    this.#waiting[0]?.();
    this.#waiting.shift();
    if (this.#waiting.length > 0) this.#later(() => this.#catchUp());
  }

  #enter(boundary: Boundary | undefined, work: () => void): void {
    if (!this.#alive || (boundary !== undefined && !this.before(boundary))) return;
    try {
      work();
    } catch (error) {
      if (this.#alive) this.#threw(error);
    }
    if (boundary !== undefined) this.after(boundary);
  }

  #pass(boundary: Boundary, moment: CrashPoint['moment']): void {
    const point = this.crashPoint;
    if (point === undefined || point.boundary !== boundary || point.moment !== moment) return;
    point.count -= 1;
    if (point.count > 0) return;
    this.crashPoint = undefined;
    point.crash();
  }
}

/** What a process that ended waits for. */
export function never<T>(): Promise<T> {
  return new Promise(() => undefined);
}
