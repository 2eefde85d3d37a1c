import { bytesToHex, type Hash, type Hex, utf8ToBytes } from '@hanse/protocol';
import { ByteReader, ByteWriter } from './byteCodec.ts';

/** The first frame each side sends: who it is and of which network. */
export interface Hello {
  /** The oldest and newest version of the wire protocol that the sender speaks. */
  readonly minVersion: number;
  readonly version: number;
  readonly genesisHash: Hash;
  readonly chainId: number;
  readonly memberName: string;
  /** The sender's finalized height. */
  readonly headHeight: number;
  /** 8 random bytes of the sender's run: another value means that it restarted. */
  readonly instance: Hex;
}

export const PROTOCOL_VERSION = 2;
export const MIN_PROTOCOL_VERSION = 2;

/** "HANSE" and a zero: a hello of anything else is told apart at once. */
const MAGIC = utf8ToBytes('HANSE\0');
const MAX_NAME_BYTES = 64;
const MAX_HELLO_BYTES = 4_096;

export function encodeHello(hello: Hello): Uint8Array {
  const writer = new ByteWriter().u8(0).raw(MAGIC).u16(hello.minVersion).u16(hello.version).hash(hello.genesisHash);
  const name = utf8ToBytes(hello.memberName);
  return writer
    .u64(hello.chainId)
    .u64(hello.headHeight)
    .raw(Buffer.from(hello.instance.slice(2), 'hex'))
    .bytes(name)
    .finish();
}

/** Throws a ProtocolError on anything but a hello. Bytes behind the known fields belong to newer versions and are passed over. */
export function decodeHello(frame: Uint8Array): Hello {
  const reader = new ByteReader(frame, 'hello');
  if (frame.length > MAX_HELLO_BYTES) throw reader.fail('it is too long');
  if (reader.u8() !== 0 || bytesToHex(reader.raw(MAGIC.length)) !== bytesToHex(MAGIC))
    throw reader.fail('this is none');
  return {
    minVersion: reader.u16(),
    version: reader.u16(),
    genesisHash: reader.hash(),
    chainId: reader.u64(),
    headHeight: reader.u64(),
    instance: bytesToHex(reader.raw(8)),
    memberName: new TextDecoder().decode(reader.bytes(MAX_NAME_BYTES)),
  };
}

/** Why two members that sent these cannot talk, in words for both sides' operators; undefined if they can. */
export function incompatibility(own: Hello, other: Hello): string | undefined {
  if (own.genesisHash !== other.genesisHash || own.chainId !== other.chainId) {
    return `wrong network: genesis ${own.genesisHash} chain ${own.chainId} met genesis ${other.genesisHash} chain ${other.chainId}`;
  }
  if (own.minVersion > other.version || other.minVersion > own.version) {
    return `no common protocol version: ${own.minVersion} to ${own.version} met ${other.minVersion} to ${other.version}`;
  }
  return undefined;
}
