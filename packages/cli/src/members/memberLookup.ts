import type { MemberEntry } from '@hanse/sdk';
import { CLIError } from '../cliError.ts';
import { usageError } from '../options.ts';

/** A member by its name or its number; a CLIError names those that there are. */
export function findMember(members: readonly MemberEntry[], text: string): MemberEntry {
  const found = members.find(({ name, number }) => name === text || String(number) === text);
  if (found !== undefined) return found;
  const names = members.filter(({ active }) => active).map(({ name, number }) => `${name} (${number})`);
  throw new CLIError(`There is no member ${text}. Members are: ${names.join(', ')}.`);
}

/** "mill", or the number of a member that is not in the list. */
export const memberName = (members: readonly MemberEntry[], number: number): string =>
  members.find((member) => member.number === number)?.name ?? `member ${number}`;

/** The number of a proposal. */
export function parseProposal(text: string): number {
  const number = Number(text);
  if (/^\d{1,9}$/.test(text) && number > 0) return number;
  throw usageError(`${text} is no proposal: give its number, as "hanse member list --proposals" shows it.`);
}
