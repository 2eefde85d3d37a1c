import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  timingSafeEqual,
  type X509Certificate,
} from 'node:crypto';
import { bytesToHex, type Hex, hexToBytes } from '@hanse/protocol';

/** RFC 8410: the fixed beginning of a PKCS#8 Ed25519 private key, before its 32 bytes. */
const PKCS8_PREFIX = hexToBytes('0x302e020100300506032b657004220420');
/** RFC 8410: the fixed beginning of an Ed25519 SubjectPublicKeyInfo, before its 32 bytes. */
const SPKI_PREFIX = hexToBytes('0x302a300506032b6570032100');
const KEY_BYTES = 32;

/** A member's transport key, ready for TLS. */
export interface TransportIdentity {
  /** The raw Ed25519 public key, 32 bytes, as the chain records it. */
  readonly publicKey: Hex;
  /** PEM, for the TLS library. */
  readonly privateKeyPem: string;
  readonly certificatePem: string;
}

/** The raw public key (32 bytes) of a private key as `createTransportIdentity` takes it. */
export function transportPublicKey(privateKey: string): Hex {
  return rawPublicKey(createPublicKey(readPrivateKey(privateKey))) ?? fail();
}

/**
 * Key and certificate in memory from an Ed25519 private key: 32 raw bytes as `0x` hexadecimal, or PKCS#8 in PEM. Throws on anything else,
 * without showing the key. The certificate is self-signed, never expires and carries no trust: TLS wants one, and members
 * compare the key in it with the one on the chain.
 */
export function createTransportIdentity(privateKey: string): TransportIdentity {
  const key = readPrivateKey(privateKey);
  const publicKey = rawPublicKey(createPublicKey(key)) ?? fail();
  return {
    publicKey,
    privateKeyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificatePem: pem('CERTIFICATE', selfSignedCertificate(key, hexToBytes(publicKey))),
  };
}

/** The raw Ed25519 key that a peer's certificate carries; undefined for no certificate or another kind of key. */
export function certificateKey(certificate: X509Certificate | undefined): Hex | undefined {
  if (certificate === undefined) return undefined;
  try {
    return rawPublicKey(certificate.publicKey);
  } catch {
    // OpenSSL could not read the key: a stranger's certificate may hold anything.
    return undefined;
  }
}

/** Whether two transport keys are the same, in time that does not depend on where they differ. */
export function sameTransportKey(a: Hex, b: Hex): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

function readPrivateKey(privateKey: string): KeyObject {
  let key: KeyObject | undefined;
  try {
    if (/^0x[0-9a-fA-F]{64}$/.test(privateKey)) {
      const der = Buffer.concat([PKCS8_PREFIX, hexToBytes(privateKey)]);
      key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    } else if (privateKey.startsWith('-----BEGIN PRIVATE KEY-----')) {
      key = createPrivateKey({ key: privateKey, format: 'pem' });
    }
  } catch {
    // Falls through to the one message: the library's own might quote the input.
  }
  return key?.asymmetricKeyType === 'ed25519' ? key : fail();
}

function fail(): never {
  throw new Error('the transport key must be an Ed25519 private key: 32 bytes as 0x hexadecimal, or PKCS#8 in PEM');
}

function rawPublicKey(key: KeyObject): Hex | undefined {
  if (key.asymmetricKeyType !== 'ed25519') return undefined;
  const spki = key.export({ type: 'spki', format: 'der' });
  if (spki.length !== SPKI_PREFIX.length + KEY_BYTES) return undefined;
  return bytesToHex(spki.subarray(SPKI_PREFIX.length));
}

/** DER of an X.509 v3 certificate (RFC 5280) for the key, signed by itself (RFC 8410). The same key always gives the same bytes. */
function selfSignedCertificate(privateKey: KeyObject, publicKey: Uint8Array): Uint8Array {
  const version = der(0xa0, der(0x02, [2]));
  // A positive serial of 16 bytes taken from the key, so that different members' certificates never share issuer and serial.
  const serial = der(0x02, [0x01, ...publicKey.subarray(0, 15)]);
  const algorithm = der(0x30, hexToBytes('0x06032b6570'));
  const commonName = der(0x30, hexToBytes('0x0603550403'), der(0x0c, Buffer.from('hanse member')));
  const name = der(0x30, der(0x31, commonName));
  // RFC 5280, 4.1.2.5: 99991231235959Z means that there is no good expiry.
  const validity = der(0x30, der(0x18, Buffer.from('20000101000000Z')), der(0x18, Buffer.from('99991231235959Z')));
  const spki = Buffer.concat([SPKI_PREFIX, publicKey]);
  const signed = der(0x30, version, serial, algorithm, name, validity, name, spki);
  const signature = sign(null, signed, privateKey);
  return der(0x30, signed, algorithm, der(0x03, [0], signature));
}

/** A DER value: tag, definite length, contents of at most 65,535 bytes. */
function der(tag: number, ...contents: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const body = Buffer.concat(contents.map((part) => Uint8Array.from(part)));
  const { length } = body;
  const header =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.from(header), body]);
}

function pem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
