import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isSamePlan, ProtocolError, parseRecovery, type Recovery, type RecoveryPlan } from '@hanse/protocol';
import { ConfigError } from './configError.ts';
import { flush, flushFolder } from './flushPath.ts';
import { readJsonFile } from './nodeConfig.ts';

// Two places. The complete documents lie beside the ledger, for both can be had again from others. What the member promised or refused lies
// beside its vote key, as the mark of a used key does: whoever loses the data folder must not forget it.

/** Where a member keeps the recoveries that its operator confirmed, beside the ledger. */
export const recoveryFolder = (dataFolder: string): string => join(dataFolder, 'recovery');

/** Reads a recovery document; a ConfigError says what is wrong with it. */
export function readRecovery(file: string): Recovery {
  try {
    return parseRecovery(readJsonFile(file, 'The recovery'));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new ConfigError(`${file} is no recovery document: ${error.message}.`);
  }
}

/** All confirmed recoveries, ascending by height and epoch: those that supersede one another go on from one height with rising epochs. A name without an epoch is of an older program. */
export function readRecoveries(folder: string): readonly Recovery[] {
  return readAll(folder, /^\d+(-\d+)?\.json$/);
}

/** The plans that the member signed and has not withdrawn: what it is bound by. */
export function readPromises(keysFolder: string): readonly RecoveryPlan[] {
  return readAll(keysFolder, /^recovery-\d+-\d+\.promise\.json$/);
}

/** The plans that the member will never sign. */
export function readRefusals(keysFolder: string): readonly RecoveryPlan[] {
  return readAll(keysFolder, /^recovery-\d+-\d+-\d+\.refusal\.json$/);
}

/** Puts a complete recovery beside the ledger, durably; one that is there already stays as it is. */
export function writeRecovery(dataFolder: string, recovery: Recovery): void {
  if (readRecoveries(recoveryFolder(dataFolder)).some((given) => isSamePlan(given, recovery))) return;
  const { height, epoch } = recovery;
  writeDurably(join(recoveryFolder(dataFolder), `${height}-${epoch}.json`), recovery);
}

/** Makes it durable that the member signs a plan, before it does; once for a height and epoch. */
export function writePromise(keysFolder: string, plan: RecoveryPlan): void {
  writeDurably(promiseFile(keysFolder, plan), { ...plan, signatures: [] });
}

/** Takes a promise back. */
export function removePromise(keysFolder: string, plan: RecoveryPlan): void {
  rmSync(promiseFile(keysFolder, plan), { force: true });
  flushFolder(keysFolder);
}

/** Makes it durable that the member never signs a plan. */
export function writeRefusal(keysFolder: string, plan: RecoveryPlan): void {
  const refusals = readRefusals(keysFolder);
  if (refusals.some((refused) => isSamePlan(refused, plan))) return;
  const name = `recovery-${plan.height}-${plan.epoch}-${refusals.length}.refusal.json`;
  writeDurably(join(keysFolder, name), { ...plan, signatures: [] });
}

const promiseFile = (keysFolder: string, { height, epoch }: RecoveryPlan): string =>
  join(keysFolder, `recovery-${height}-${epoch}.promise.json`);

function readAll(folder: string, pattern: RegExp): readonly Recovery[] {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => pattern.test(name)) : [];
  const read = names.map((name) => readRecovery(join(folder, name)));
  return read.sort((a, b) => a.height - b.height || a.epoch - b.epoch);
}

/** Writes a file whole or not at all; it and its name are durable when this returns. */
function writeDurably(path: string, document: Recovery): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const temporary = join(folder, `.${basename(path)}.${process.pid}.tmp`);
  const { format, genesisHash, height, blockHash, epoch, validators, removed, reason, signatures } = document;
  const fields = { format, genesisHash, height, blockHash, epoch, validators, removed, reason, signatures };
  try {
    writeFileSync(temporary, `${JSON.stringify(fields, null, 2)}\n`, { mode: 0o600 });
    flush(temporary);
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
  flushFolder(folder);
  // The folder itself may be new.
  flushFolder(dirname(folder));
}
