import { type Genesis, ProtocolError, parseGenesis } from '@hanse/protocol';
import { ConfigError } from './configError.ts';
import { readJsonFile } from './nodeConfig.ts';

/** The network's genesis document; a ConfigError says what is wrong with it. */
export function readGenesis(file: string): Genesis {
  try {
    return parseGenesis(readJsonFile(file, 'The genesis'));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new ConfigError(
      `The genesis ${file} is damaged: ${error.message}. Restore it from a copy, or get it from another member.`,
    );
  }
}
