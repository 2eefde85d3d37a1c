import { ConfigError, FolderLockedError, KeyFileError } from '@hanse/node';
import { ProtocolError } from '@hanse/protocol';
import { CommanderError } from 'commander';
import { CLIError } from './cliError.ts';

const USER_ERRORS = [ConfigError, FolderLockedError, KeyFileError, ProtocolError] as const;

/** Prints why a command failed, as one line where the user can mend it, and gives the exit code. */
export function printFailure(error: unknown): number {
  // Commander has printed its own message (or the help) already.
  if (error instanceof CommanderError) return error.exitCode;
  if (error instanceof CLIError) {
    process.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
  if (USER_ERRORS.some((kind) => error instanceof kind)) {
    process.stderr.write(`${(error as Error).message}\n`);
    return 1;
  }
  const fault = error instanceof Error ? error : new Error(String(error));
  process.stderr.write(`${fault.stack ?? fault.message}\n`);
  return 70;
}
