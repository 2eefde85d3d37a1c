import { utf8ToBytes } from '@hanse/protocol';

/**
 * The code at a module's address: EF "HANSE" 01, the length of the name, the name, two bytes of version. EIP-3541 keeps every
 * deployed contract from beginning with EF, so nobody can forge it, and it is neither EIP-7702's EF0100 nor EIP-3540's EF00.
 */
export interface Marker {
  readonly name: string;
  readonly version: number;
}

const MARKER_PREFIX = Uint8Array.of(0xef, 0x48, 0x41, 0x4e, 0x53, 0x45, 0x01);
const NAME = /^[a-z][a-z0-9-]{0,30}$/;

export function encodeMarker({ name, version }: Marker): Uint8Array {
  if (!NAME.test(name) || !Number.isInteger(version) || version < 1 || version > 0xffff) {
    throw new RangeError(`${name} version ${version} is no name of a module`);
  }
  const prefix = MARKER_PREFIX.length;
  const code = new Uint8Array(prefix + 1 + name.length + 2);
  code.set(MARKER_PREFIX);
  code[prefix] = name.length;
  code.set(utf8ToBytes(name), prefix + 1);
  code[code.length - 2] = version >> 8;
  code[code.length - 1] = version & 0xff;
  return code;
}

/** What a marker says; undefined for any other code. */
export function decodeMarker(code: Uint8Array): Marker | undefined {
  const prefix = MARKER_PREFIX.length;
  for (let i = 0; i < prefix; i++) if (code[i] !== MARKER_PREFIX[i]) return undefined;
  const length = code[prefix];
  if (length === undefined || code.length !== prefix + 1 + length + 2) return undefined;
  const name = String.fromCharCode(...code.subarray(prefix + 1, prefix + 1 + length));
  const version = (code[code.length - 2]! << 8) | code[code.length - 1]!;
  return NAME.test(name) && version > 0 ? { name, version } : undefined;
}
