import { ConfigError, FolderLockedError, KeyFileError } from '@hanse/node';
import { ProtocolError } from '@hanse/protocol';
import { describeError, type FailureKind, failureKind } from '@hanse/sdk';
import { CommanderError } from 'commander';
import { CLIError, exitCodes } from './cliError.ts';

const USER_ERRORS = [ConfigError, FolderLockedError, KeyFileError, ProtocolError] as const;

const CHAIN_FAILURES: Readonly<
  Record<Exclude<FailureKind, 'other'>, { readonly exitCode: number; readonly say: string }>
> = {
  refused: { exitCode: exitCodes.refused, say: 'The chain refused: ' },
  unreachable: { exitCode: exitCodes.failure, say: '' },
  waiting: { exitCode: exitCodes.failure, say: '' },
};

/** Prints why a command failed, as one line where the user can mend it, and gives the exit code. */
export function printFailure(error: unknown): number {
  // Commander has printed its own message already; a help or a version that was asked for comes as an error too, of code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.success : exitCodes.usage;
  if (error instanceof CLIError) return say(error.message, error.exitCode);
  if (USER_ERRORS.some((kind) => error instanceof kind)) return say((error as Error).message, exitCodes.failure);
  const kind = failureKind(error);
  if (kind !== 'other') {
    const { exitCode, say: prefix } = CHAIN_FAILURES[kind];
    return say(`${prefix}${describeError(error)}${/[.!?]$/.test(describeError(error)) ? '' : '.'}`, exitCode);
  }
  const fault = error instanceof Error ? error : new Error(String(error));
  return say(fault.stack ?? fault.message, exitCodes.bug);
}

function say(message: string, exitCode: number): number {
  process.stderr.write(`${message}\n`);
  return exitCode;
}
