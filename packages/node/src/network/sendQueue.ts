/** What goes first when a connection cannot take everything. */
export type Priority = 'consensus' | 'transactions' | 'sync';

const CLASSES: readonly Priority[] = ['consensus', 'transactions', 'sync'];

/** So many frames of higher classes pass before one of a lower class that waits: late, but never starved. */
const MAX_OVERTAKES = 32;

export interface SendQueueLimits {
  readonly maxBytes: Readonly<Record<Priority, number>>;
  /** For each class of priority. */
  readonly maxFrames: number;
}

interface Lane {
  /** Undefined where a frame was sent already. */
  readonly frames: ({ readonly frame: Uint8Array; readonly order: number } | undefined)[];
  /** Where the first frame stands: those before it were sent. */
  start: number;
  readonly droppable: boolean;
}

interface PriorityClass {
  /** One lane for each kind of message, apart for droppable ones. */
  readonly lanes: Map<number, Lane>;
  bytes: number;
  frames: number;
  overtaken: number;
}

/**
 * What waits to be sent to one peer: bounded per class of priority, in order inside a class. A class that is full makes room by dropping its
 * oldest droppable frames, those of the same kind first, because a newer one of a kind says more than an older.
 */
export class SendQueue {
  readonly #limits: SendQueueLimits;
  readonly #classes: Readonly<Record<Priority, PriorityClass>>;
  #order = 0;
  /** Frames dropped to make room, and frames for which there was none. */
  dropped = 0;
  refused = 0;

  constructor(limits: SendQueueLimits) {
    this.#limits = limits;
    const empty = (): PriorityClass => ({ lanes: new Map(), bytes: 0, frames: 0, overtaken: 0 });
    this.#classes = { consensus: empty(), transactions: empty(), sync: empty() };
  }

  get bytes(): number {
    return CLASSES.reduce((sum, name) => sum + this.#classes[name].bytes, 0);
  }

  get frames(): number {
    return CLASSES.reduce((sum, name) => sum + this.#classes[name].frames, 0);
  }

  /** False: no room, and nothing that may be dropped. */
  push(priority: Priority, kind: number, droppable: boolean, frame: Uint8Array): boolean {
    const group = this.#classes[priority];
    const laneKey = kind * 2 + (droppable ? 1 : 0);
    while (
      group.frames > 0 &&
      (group.bytes + frame.length > this.#limits.maxBytes[priority] || group.frames >= this.#limits.maxFrames)
    ) {
      if (!this.#dropOldest(group, kind * 2 + 1)) {
        this.refused++;
        return false;
      }
    }
    let lane = group.lanes.get(laneKey);
    if (lane === undefined) {
      lane = { frames: [], start: 0, droppable };
      group.lanes.set(laneKey, lane);
    }
    lane.frames.push({ frame, order: this.#order++ });
    group.bytes += frame.length;
    group.frames++;
    return true;
  }

  /** The frame to send next. */
  shift(): Uint8Array | undefined {
    let chosen: PriorityClass | undefined;
    for (const name of CLASSES) {
      const group = this.#classes[name];
      if (group.frames === 0) continue;
      if (chosen === undefined) chosen = group;
      else if (++group.overtaken > MAX_OVERTAKES) chosen = group;
    }
    if (chosen === undefined) return undefined;
    chosen.overtaken = 0;
    const lane = this.#oldestLane(chosen, () => true);
    return lane === undefined ? undefined : this.#take(chosen, lane);
  }

  clear(): void {
    for (const name of CLASSES) {
      const group = this.#classes[name];
      group.lanes.clear();
      group.bytes = 0;
      group.frames = 0;
      group.overtaken = 0;
    }
  }

  #dropOldest(group: PriorityClass, preferredLane: number): boolean {
    const lane = group.lanes.get(preferredLane) ?? this.#oldestLane(group, ({ droppable }) => droppable);
    if (lane === undefined) return false;
    this.#take(group, lane);
    this.dropped++;
    return true;
  }

  #oldestLane(group: PriorityClass, suits: (lane: Lane) => boolean): Lane | undefined {
    let oldest: Lane | undefined;
    let oldestOrder = Number.POSITIVE_INFINITY;
    for (const lane of group.lanes.values()) {
      const order = lane.frames[lane.start]!.order;
      if (order < oldestOrder && suits(lane)) [oldest, oldestOrder] = [lane, order];
    }
    return oldest;
  }

  #take(group: PriorityClass, lane: Lane): Uint8Array {
    const { frame } = lane.frames[lane.start]!;
    lane.frames[lane.start++] = undefined;
    group.bytes -= frame.length;
    group.frames--;
    if (lane.start === lane.frames.length) {
      for (const [key, candidate] of group.lanes) if (candidate === lane) group.lanes.delete(key);
    } else if (lane.start >= 64 && lane.start * 2 >= lane.frames.length) {
      // Half of the list was sent: let go of it, at a cost that is spread over what was sent.
      lane.frames.splice(0, lane.start);
      lane.start = 0;
    }
    return frame;
  }
}
