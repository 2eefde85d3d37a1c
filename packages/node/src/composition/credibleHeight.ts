/**
 * The finalized height that at least one honest validator has, by what connected validators told of theirs: when up to `faults` of them may
 * lie, the highest that more than so many reach. 0 if too few are connected to know.
 */
export function credibleHeight(told: readonly number[], faults: number): number {
  return [...told].sort((a, b) => b - a)[faults] ?? 0;
}
