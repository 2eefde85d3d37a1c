/** The UTF-8 bytes of a text (RFC 3629). Half a surrogate pair becomes U+FFFD; what this package parses never has one. */
export function encodeUtf8(text: string): Uint8Array {
  // A UTF-16 unit takes three bytes at most (a pair of them takes four).
  const bytes = new Uint8Array(text.length * 3);
  let at = 0;
  const tail = (point: number, shifts: readonly number[]): void => {
    for (const shift of shifts) bytes[at++] = 0x80 | ((point >> shift) & 0x3f);
  };
  for (const character of text) {
    let point = character.codePointAt(0) as number;
    if (point >= 0xd800 && point <= 0xdfff) point = 0xfffd;
    if (point < 0x80) bytes[at++] = point;
    else if (point < 0x800) {
      bytes[at++] = 0xc0 | (point >> 6);
      tail(point, [0]);
    } else if (point < 0x10000) {
      bytes[at++] = 0xe0 | (point >> 12);
      tail(point, [6, 0]);
    } else {
      bytes[at++] = 0xf0 | (point >> 18);
      tail(point, [12, 6, 0]);
    }
  }
  return bytes.slice(0, at);
}

/**
 * Compares by code points, which is the order of the UTF-8 bytes. JavaScript's own order compares UTF-16 units and puts
 * characters beyond U+FFFF before some of those below it.
 */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for the largest code points: they go behind U+E000 to U+FFFF. */
const rank = (unit: number): number => (unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit);
