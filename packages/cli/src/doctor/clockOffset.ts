/** By how much a member's clock is ahead of this machine's, in milliseconds: somewhere within these bounds. */
export interface ClockOffset {
  readonly leastMs: number;
  readonly mostMs: number;
}

/** One look at a member's clock: when it was asked and had answered, by this machine's clock, and the second that it named. */
export interface ClockReading {
  readonly askedMs: number;
  readonly answeredMs: number;
  /** The HTTP `Date`, which is cut to whole seconds. */
  readonly dateMs: number;
}

/**
 * Narrows an offset down from several readings. A `Date` of D says that the member's clock stood in [D, D + 1 s) at some moment
 * between question and answer; each reading so bounds the offset, and readings spread over a second leave a narrow band.
 * Undefined if there is no reading, or the clock jumped between them.
 */
export function clockOffsetOf(readings: readonly ClockReading[]): ClockOffset | undefined {
  if (readings.length === 0) return undefined;
  const leastMs = Math.max(...readings.map(({ dateMs, answeredMs }) => dateMs - answeredMs));
  const mostMs = Math.min(...readings.map(({ dateMs, askedMs }) => dateMs + 1_000 - askedMs));
  return leastMs > mostMs ? undefined : { leastMs, mostMs };
}

/** The smallest difference that the bounds leave possible. */
export function certainDifferenceMs({ leastMs, mostMs }: ClockOffset): number {
  if (leastMs > 0) return leastMs;
  return mostMs < 0 ? -mostMs : 0;
}
