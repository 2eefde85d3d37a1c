import { readFileSync, statSync } from 'node:fs';
import {
  type Address,
  bytesToHex,
  encodeRlp,
  type Hash,
  type Hex,
  hexToBytes,
  isHex,
  MEMBER_NAME,
  type MemberRole,
  parseEndpoint,
  type Suite,
  type SuiteId,
  utf8ToBytes,
} from '@hanse/protocol';
import { CLIError } from './cliError.ts';

/** What a member tells the others before there is a network: public keys, and where to reach it. */
export interface DescriptorContent {
  readonly suite: SuiteId;
  readonly name: string;
  readonly role: MemberRole;
  /** The member's account: the address of `accountKey`. */
  readonly address: Address;
  /** Compressed public key, 33 bytes, as `voteKey`. */
  readonly accountKey: Hex;
  readonly voteKey: Hex;
  /** Ed25519, 32 bytes. */
  readonly transportKey: Hex;
  /** host:port, 1 to 8 of them. */
  readonly endpoints: readonly string[];
}

/**
 * A member's public descriptor. Both signatures cover the whole content, so a key that was swapped for another's is noticed:
 * the descriptor would have to be signed by that key. A descriptor that was replaced as a whole is noticed by its
 * fingerprint, and by the member itself, whose node refuses a genesis with other keys. The transport key signs nothing here: TLS
 * proves it at every connection.
 */
export interface MemberDescriptor extends DescriptorContent {
  readonly format: 1;
  readonly kind: typeof KIND;
  readonly signatures: { readonly account: Hex; readonly vote: Hex };
}

const KIND = 'hanse member descriptor';
const ROLES: readonly MemberRole[] = ['authority', 'bank', 'company'];
export const MAX_ENDPOINTS = 8;
const MAX_DESCRIPTOR_BYTES = 64 * 1024;
/** The tag keeps the signed bytes apart from transactions and votes, whose first items are shorter or other. */
const TAG = utf8ToBytes('hanse/member-descriptor/1');

export function signDescriptor(
  content: DescriptorContent,
  keys: { readonly account: Uint8Array; readonly vote: Uint8Array },
  suite: Suite,
): MemberDescriptor {
  const message = signedBytes(content);
  const sign = (key: Uint8Array): Hex => bytesToHex(suite.sign(key, message));
  return { format: 1, kind: KIND, ...content, signatures: { account: sign(keys.account), vote: sign(keys.vote) } };
}

/** A short word for the whole content, for people to compare over another channel. */
export function descriptorFingerprint(content: DescriptorContent, suite: Suite): Hash {
  return suite.hashHex(signedBytes(content));
}

/** RLP([tag, suite, name, role, address, accountKey, voteKey, transportKey, [endpoint, ...]]). */
function signedBytes(content: DescriptorContent): Uint8Array {
  const { suite, name, role, address, accountKey, voteKey, transportKey, endpoints } = content;
  return encodeRlp([
    TAG,
    ...[suite, name, role].map(utf8ToBytes),
    ...[address, accountKey, voteKey, transportKey].map(hexToBytes),
    endpoints.map(utf8ToBytes),
  ]);
}

/** Reads a descriptor's form; the keys and signatures are for `verifyDescriptor`, which needs the suite it names. */
export function parseDescriptor(json: unknown, file: string): MemberDescriptor {
  const fail = (problem: string): never => {
    throw new CLIError(`${file} is no sound member descriptor: ${problem}. Ask the member for it again.`);
  };
  if (typeof json !== 'object' || json === null) return fail('it is no JSON object');
  const given = json as Record<string, unknown>;
  if (given.kind !== KIND || given.format !== 1) fail(`"kind" is not "${KIND}" of format 1`);
  const hex = (field: string, value: unknown, bytes: number): Hex =>
    isHex(value, bytes) ? value : fail(`${field} is not ${bytes} bytes of lower-case hexadecimal`);
  const { suite, name, role, endpoints } = given;
  if (suite !== 'international' && suite !== 'commercial') return fail('suite is neither international nor commercial');
  if (typeof name !== 'string' || !MEMBER_NAME.test(name)) return fail('name is no name of a member');
  const knownRole = ROLES.find((candidate) => candidate === role) ?? fail(`role is none of ${ROLES.join(', ')}`);
  if (!Array.isArray(endpoints) || endpoints.length === 0 || endpoints.length > MAX_ENDPOINTS)
    return fail(`endpoints are not 1 to ${MAX_ENDPOINTS}`);
  if (!endpoints.every((endpoint) => typeof endpoint === 'string' && parseEndpoint(endpoint) !== undefined))
    fail('an endpoint is not host:port');
  const signatures = (given.signatures ?? {}) as Record<string, unknown>;
  return {
    format: 1,
    kind: KIND,
    suite,
    name,
    role: knownRole,
    address: hex('address', given.address, 20),
    accountKey: hex('accountKey', given.accountKey, 33),
    voteKey: hex('voteKey', given.voteKey, 33),
    transportKey: hex('transportKey', given.transportKey, 32),
    endpoints: endpoints as string[],
    signatures: {
      account: hex('signatures.account', signatures.account, 64),
      vote: hex('signatures.vote', signatures.vote, 64),
    },
  };
}

/** Throws a CLIError unless the holder of the account key and of the vote key signed exactly this. */
export function verifyDescriptor(descriptor: MemberDescriptor, suite: Suite, file: string): void {
  const fail = (problem: string): never => {
    throw new CLIError(
      `${file}: ${problem}. The file was changed after its member made it: ask the member for it again.`,
    );
  };
  const { accountKey, voteKey, signatures } = descriptor;
  if (suite.addressOf(hexToBytes(accountKey)) !== descriptor.address) fail('address is not that of accountKey');
  const message = signedBytes(descriptor);
  if (!suite.verify(accountKey, message, hexToBytes(signatures.account)))
    fail('the signature of the account key is wrong');
  if (!suite.verify(voteKey, message, hexToBytes(signatures.vote))) fail('the signature of the vote key is wrong');
}

/** Reads a descriptor file, bounded, without verifying it. */
export function readDescriptorFile(file: string): MemberDescriptor {
  let text: string;
  try {
    if (statSync(file).size > MAX_DESCRIPTOR_BYTES)
      throw new CLIError(`${file} is too large for a member descriptor (more than ${MAX_DESCRIPTOR_BYTES} bytes).`);
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof CLIError) throw error;
    throw new CLIError(`The descriptor ${file} cannot be read: ${(error as Error).message}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new CLIError(`The descriptor ${file} is damaged (${(error as Error).message}). Ask the member for it again.`);
  }
  return parseDescriptor(json, file);
}
