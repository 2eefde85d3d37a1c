import type { MemberEntry } from '@hanse/sdk';
import { CLIError } from '../cliError.ts';
import { usageError } from '../options.ts';

/** A member by its name or its number; a CLIError names those that there are. */
export function findMember(members: readonly MemberEntry[], text: string): MemberEntry {
  const found = members.find(({ name, id }) => name === text || String(id) === text);
  if (found !== undefined) return found;
  const active = members.filter(({ status }) => status === 'active').map(({ name, id }) => `${name} (${id})`);
  throw new CLIError(`There is no member ${text}. Members are: ${active.join(', ')}.`);
}

/** "mill", or the number of a member that is not in the list. */
export const memberName = (members: readonly MemberEntry[], id: number): string =>
  members.find((member) => member.id === id)?.name ?? `member ${id}`;

/** The number of a proposal. */
export function parseProposal(text: string): number {
  const number = Number(text);
  if (/^\d{1,9}$/.test(text) && number > 0) return number;
  throw usageError(`${text} is no proposal: give its number, as "hanse member list --proposals" shows it.`);
}
