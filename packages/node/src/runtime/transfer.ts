const marked = new WeakMap<object, readonly ArrayBuffer[]>();

/**
 * Marks a value so that the buffers it lies on move to the other thread instead of being copied: after the call (or after the
 * service's answer) they are detached here. Only for whole buffers that nobody else holds. Returns the value itself.
 */
export function transferring<T extends object>(value: T, buffers: readonly ArrayBuffer[]): T {
  marked.set(value, buffers);
  return value;
}

/** The buffers marked on any of these values, each once. */
export function transferList(values: readonly unknown[]): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const value of values) {
    if (typeof value !== 'object' || value === null) continue;
    for (const buffer of marked.get(value) ?? []) buffers.add(buffer);
    marked.delete(value);
  }
  return [...buffers];
}

/**
 * The same value with every byte view that shows only a part of its buffer replaced by a copy of that part. The structured
 * clone algorithm copies whole buffers, so 100 bytes cut out of an 8 MiB frame would cost 8 MiB, and small Buffers the
 * 8 KiB pool. Only plain objects, arrays, maps and sets are searched; what needs no change is not copied.
 */
export function compacted<T>(value: T): T {
  return compactAny(value) as T;
}

function compactAny(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) {
    return value.byteLength === value.buffer.byteLength && value.constructor === Uint8Array
      ? value
      : Uint8Array.from(value);
  }
  if (Array.isArray(value)) return compactArray(value);
  if (value instanceof Map) return new Map([...value].map(([key, inner]) => [compactAny(key), compactAny(inner)]));
  if (value instanceof Set) return new Set([...value].map(compactAny));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return compactObject(value as Record<string, unknown>);
}

function compactArray(items: readonly unknown[]): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let index = 0; index < items.length; index++) {
    const compact = compactAny(items[index]);
    if (compact === items[index]) continue;
    copy ??= [...items];
    copy[index] = compact;
  }
  return copy ?? items;
}

function compactObject(fields: Record<string, unknown>): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined;
  for (const name in fields) {
    const compact = compactAny(fields[name]);
    if (compact === fields[name]) continue;
    copy ??= { ...fields };
    copy[name] = compact;
  }
  return copy ?? fields;
}
