/** A map that forgets the entry that was used longest ago when it is over its bound. */
export interface LeastRecentMap<K, V> {
  readonly size: number;
  /** Counts as a use. */
  has(key: K): boolean;
  get(key: K): V | undefined;
  set(key: K, value: V, maxSize: number): void;
}

export function leastRecent<K, V>(): LeastRecentMap<K, V> {
  // A Map iterates in the order of insertion: a use inserts anew, so the first key is the one to forget.
  const entries = new Map<K, V>();
  const touch = (key: K): V | undefined => {
    const value = entries.get(key);
    if (value === undefined) return undefined;
    entries.delete(key);
    entries.set(key, value);
    return value;
  };
  return {
    get size() {
      return entries.size;
    },
    has: (key) => touch(key) !== undefined,
    get: touch,
    set(key, value, maxSize) {
      entries.delete(key);
      entries.set(key, value);
      if (entries.size > maxSize) entries.delete(entries.keys().next().value as K);
    },
  };
}
