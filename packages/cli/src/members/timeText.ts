/** A time of the chain, in seconds since 1970, for people. */
export const timeText = (seconds: number): string => new Date(seconds * 1_000).toISOString().replace('.000Z', 'Z');

const UNITS = [
  { seconds: 86_400, name: 'day' },
  { seconds: 3_600, name: 'hour' },
  { seconds: 60, name: 'minute' },
  { seconds: 1, name: 'second' },
] as const;

/** "2 days", "1 minute": a span in the largest unit that it has. */
export function spanText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const unit = UNITS.find((candidate) => whole >= candidate.seconds) ?? UNITS[3];
  const count = Math.floor(whole / unit.seconds);
  return `${count} ${unit.name}${count === 1 ? '' : 's'}`;
}
