// Choices that a seed repeats (mulberry32): which victims, how long, how hard; not the machine's timing.

export function seededRandom(seed) {
  let state = seed >>> 0;
  const fraction = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (from, to) => from + Math.floor(fraction() * (to - from + 1));
  return {
    /** 0 up to, not including, 1. */
    fraction,
    /** A whole number from `from` to `to`, both included. */
    integer,
    chance: (probability) => fraction() < probability,
    pick: (items) => items[integer(0, items.length - 1)],
    shuffled: (items) => {
      const rest = [...items];
      return Array.from(items, () => rest.splice(integer(0, rest.length - 1), 1)[0]);
    },
  };
}
