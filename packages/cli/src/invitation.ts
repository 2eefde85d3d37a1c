import { readFileSync, statSync } from 'node:fs';
import type { IntroducedMember } from '@hanse/node';
import { type Genesis, isHex, MAX_GENESIS_CHARACTERS, MEMBER_NAME, parseEndpoint, parseGenesis } from '@hanse/protocol';
import { CLIError } from './cliError.ts';

/**
 * What a newcomer needs before it is admitted: the genesis, and the members of today, since those of the genesis may have left or
 * changed their keys. Public, and not signed: the newcomer compares the genesis hash, and believes no block that the
 * validators, from those of the genesis on, have not certified.
 */
export interface Invitation {
  readonly format: 1;
  readonly kind: typeof KIND;
  readonly genesis: Genesis;
  readonly members: readonly IntroducedMember[];
}

const KIND = 'hanse invitation';
/** A character takes up to four bytes; the members are few beside the genesis. */
const MAX_INVITATION_BYTES = 5 * MAX_GENESIS_CHARACTERS;

export const invitationOf = (genesis: Genesis, members: readonly IntroducedMember[]): Invitation => ({
  format: 1,
  kind: KIND,
  genesis,
  members,
});

/** Reads an invitation, bounded; throws a CLIError or a ProtocolError that is one line for people. */
export function readInvitation(file: string): Invitation {
  let text: string;
  try {
    if (statSync(file).size > MAX_INVITATION_BYTES) throw new Error('it is too large');
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new CLIError(`The invitation ${file} cannot be read: ${(error as Error).message}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new CLIError(`The invitation ${file} is damaged (${(error as Error).message}). ${AGAIN}`);
  }
  const { format, kind, genesis, members } = (json ?? {}) as Record<string, unknown>;
  if (kind !== KIND || format !== 1)
    throw new CLIError(
      `${file} is no invitation: "kind" is not "${KIND}" of format 1. A member makes one with: hanse member invite`,
    );
  if (!Array.isArray(members) || members.length === 0 || !members.every(isIntroduced))
    throw new CLIError(`The invitation ${file} is damaged (its members). ${AGAIN}`);
  return invitationOf(parseGenesis(genesis), members);
}

const AGAIN = 'Ask the member that made it for it again.';

function isIntroduced(value: unknown): value is IntroducedMember {
  const { name, transportKey, endpoints } = (value ?? {}) as Record<string, unknown>;
  return (
    typeof name === 'string' &&
    MEMBER_NAME.test(name) &&
    isHex(transportKey, 32) &&
    Array.isArray(endpoints) &&
    endpoints.every((endpoint) => typeof endpoint === 'string' && parseEndpoint(endpoint) !== undefined)
  );
}
