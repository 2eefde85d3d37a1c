/** A timer that was armed; cancelling one that fired or was cancelled does nothing. */
export interface Timer {
  cancel(): void;
}

/** The one source of time of a node. The simulator replaces it. */
export interface Clock {
  /** Milliseconds since 1970, as the operating system believes; may step. */
  nowMs(): number;
  /** Milliseconds of a clock that never steps back; only differences mean something. */
  monotonicMs(): number;
  /** Calls once after `delayMs` milliseconds; 0 means the next turn of the event loop. Does not keep the process alive. */
  schedule(delayMs: number, callback: () => void): Timer;
}
