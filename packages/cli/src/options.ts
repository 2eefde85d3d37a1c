import type { Command } from 'commander';
import { CLIError, exitCodes } from './cliError.ts';

/** Adds to a command the examples that its help ends with. */
export function addExamples(command: Command, ...examples: readonly string[]): Command {
  const title = examples.length === 1 ? 'Example' : 'Examples';
  return command.addHelpText('after', `\n${title}:\n${examples.map((example) => `  $ ${example}\n`).join('')}`);
}

/** For options that may be given several times. */
export const collect = (value: string, previous: readonly string[] = []): readonly string[] => [...previous, value];

/** Reads a whole number within bounds; anything else is an error of usage. */
export function parseWhole(option: string, text: string, minimum: number, maximum: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= minimum && value <= maximum) return value;
  throw usageError(`${option} ${text} is not possible: give a whole number from ${minimum} to ${maximum}.`);
}

/** Reads one of a few words. */
export function parseChoice<T extends string>(option: string, text: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw usageError(`${option} ${text} is not possible: give one of ${choices.join(', ')}.`);
  return found;
}

export const usageError = (message: string): CLIError => new CLIError(message, exitCodes.usage);

/** For a command that is told to people: names the data folder of the local network where it is not the default. */
export const dataOption = (data: string): string => (data === '.hanse' ? '' : ` --data ${data}`);
