/**
 * A hash of 128 bits for the simulator, without any claim against an adversary: four lanes of murmur3 with constants of
 * their own. In one lane two inputs of a campaign may well collide; in all four at once they do not.
 */
export class MixedHash {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(domain = 0) {
    [this.#a, this.#b] = [0x243f6a88 ^ domain, 0x85a308d3 ^ domain];
    [this.#c, this.#d] = [0x13198a2e ^ domain, 0x03707344 ^ domain];
  }

  word(word: number): void {
    const mixed = Math.imul(word, 0xcc9e2d51);
    const other = Math.imul(word, 0x85ebca6b);
    const x = (mixed << 15) | (mixed >>> 17);
    const y = (other << 16) | (other >>> 16);
    this.#a = step(this.#a ^ Math.imul(x, 0x1b873593), 13, 0xe6546b64);
    this.#b = step(this.#b ^ Math.imul(y, 0x38b34ae5), 17, 0x561ccd1b);
    this.#c = step(this.#c ^ Math.imul(x, 0x239b961b) ^ y, 11, 0x0bcaa747);
    this.#d = step(this.#d ^ Math.imul(y, 0xa1e38b93) ^ x, 19, 0x96cd1c35);
  }

  bytes(bytes: Uint8Array): void {
    const { length } = bytes;
    const whole = length & ~3;
    for (let at = 0; at < whole; at += 4) {
      this.word(bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
    }
    let tail = 0;
    for (let at = whole; at < length; at++) tail |= bytes[at]! << (8 * (at - whole));
    if (whole < length) this.word(tail);
    // The length keeps bytes of zeros at the end apart from none.
    this.word(length);
  }

  text(text: string): void {
    for (let index = 0; index < text.length; index++) this.word(text.charCodeAt(index));
    this.word(text.length);
  }

  /** A number of any size; two words of its representation. */
  number(value: number): void {
    numbers[0] = value;
    this.word(words[0]!);
    this.word(words[1]!);
  }

  /** The state now, in 32 bytes: its four lanes, and the same mixed across once more. */
  digest(): Uint8Array {
    const lanes = [finish(this.#a), finish(this.#b), finish(this.#c), finish(this.#d)] as const;
    const out = new Uint8Array(32);
    for (let index = 0; index < 8; index++) {
      const lane = lanes[index & 3]!;
      const value = index < 4 ? lane : finish(lane ^ Math.imul(lanes[(index + 1) & 3]!, 0x9e3779b1));
      out[index * 4] = value;
      out[index * 4 + 1] = value >>> 8;
      out[index * 4 + 2] = value >>> 16;
      out[index * 4 + 3] = value >>> 24;
    }
    return out;
  }

  /** The first 64 bits of the state, to be shown. */
  toString(): string {
    return Buffer.from(this.digest().subarray(0, 8)).toString('hex');
  }
}

const numbers = new Float64Array(1);
const words = new Int32Array(numbers.buffer);

function step(lane: number, turn: number, constant: number): number {
  return (Math.imul((lane << turn) | (lane >>> (32 - turn)), 5) + constant) | 0;
}

/** The finalizer of murmur3: every bit of the input changes every bit of the output in half of the cases. */
function finish(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
