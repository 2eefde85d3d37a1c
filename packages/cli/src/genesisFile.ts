import { readFileSync, statSync } from 'node:fs';
import { type Genesis, MAX_GENESIS_CHARACTERS, parseGenesisText } from '@hanse/protocol';
import { CLIError } from './cliError.ts';

/** A character takes at most so many bytes in UTF-8. */
const MAX_BYTES_PER_CHARACTER = 4;

/** Reads a genesis document, bounded; throws a CLIError or a ProtocolError that is one line for people. */
export function readGenesisFile(file: string): Genesis {
  let text: string;
  try {
    if (statSync(file).size > MAX_BYTES_PER_CHARACTER * MAX_GENESIS_CHARACTERS) throw new Error('it is too large');
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new CLIError(`The genesis ${file} cannot be read: ${(error as Error).message}`);
  }
  return parseGenesisText(text);
}
