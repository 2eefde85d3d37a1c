import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ProtocolError, parseRecovery, type Recovery } from '@hanse/protocol';
import { ConfigError } from './configError.ts';
import { readJsonFile } from './nodeConfig.ts';

/** Where a member keeps the recoveries that its operator confirmed, beside the ledger. */
export const recoveryFolder = (dataFolder: string): string => join(dataFolder, 'recovery');

/** The file of a recovery in that folder: one for a height. */
export function recoveryFile(dataFolder: string, { height }: Pick<Recovery, 'height'>): string {
  const folder = recoveryFolder(dataFolder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return join(folder, `${height}.json`);
}

/** Reads a recovery document; a ConfigError says what is wrong with it. */
export function readRecovery(file: string): Recovery {
  try {
    return parseRecovery(readJsonFile(file, 'The recovery'));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new ConfigError(`${file} is no recovery document: ${error.message}.`);
  }
}

/** All confirmed recoveries, ascending by height. */
export function readRecoveries(folder: string): readonly Recovery[] {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => /^\d+\.json$/.test(name)) : [];
  return names.map((name) => readRecovery(join(folder, name))).sort((a, b) => a.height - b.height);
}
