import type { Command } from 'commander';
import { alignColumns } from './localNetwork/membersTable.ts';

export interface OutputOptions {
  readonly json?: boolean;
}

export function addOutputOption(command: Command): Command {
  return command.option('--json', 'print one JSON value on standard output, and nothing else there');
}

/** Prints a command's result: for people, or as JSON with amounts and other large numbers as decimal text. */
export function printResult(options: OutputOptions, value: unknown, forPeople: () => readonly string[]): void {
  const text = options.json === true ? jsonText(value) : forPeople().join('\n');
  process.stdout.write(`${text}\n`);
}

export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, field) => (typeof field === 'bigint' ? field.toString() : field), 2);
}

/** Names and values in two columns; a row without a value is left out. */
export function fieldLines(fields: readonly (readonly [name: string, value: string | undefined])[]): readonly string[] {
  return alignColumns(fields.filter((field): field is readonly [string, string] => field[1] !== undefined));
}

/** "1 member", "2 members". */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
