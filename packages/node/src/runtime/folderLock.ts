import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  linkSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** Another process holds the folder; the message says which and what to do. */
export class FolderLockedError extends Error {
  override readonly name = 'FolderLockedError';
}

export interface FolderLock {
  /** Gives the folder free; doing it twice does nothing. */
  release(): void;
}

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process began, in the operating system's own words; empty where nobody tells. */
  readonly started: string;
  readonly nonce: string;
}

/** What holds a folder: how messages call it, and the name of its lock file. */
export interface LockKind {
  readonly what: string;
  readonly fileName: string;
}

export const memberLock: LockKind = { what: 'A member', fileName: 'member.lock' };
export const networkLock: LockKind = { what: 'A local network', fileName: 'network.lock' };

/** Folders that this process holds: its own pid in a lock file says nothing about a second node in the same process. */
const heldHere = new Set<string>();

/**
 * Takes a data folder for this process alone. Two nodes with one vote key would sign conflicting votes, so this comes before
 * anything in the folder is read. Node.js has no file locks of the operating system; the lock is a file that names its process,
 * made by `link`, which fails if the file exists. A lock whose process is gone (kill -9, power cut) is taken over: the
 * process id must be alive and must have begun when the lock says, so that a reused id does not keep the folder locked.
 * Throws a FolderLockedError.
 */
export function acquireFolderLock(folder: string, kind: LockKind = memberLock): FolderLock {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(realpathSync(folder), kind.fileName);
  if (heldHere.has(path)) throw new FolderLockedError(`${folder} is in use by this process already.`);
  const mine: Holder = {
    pid: process.pid,
    host: hostname(),
    started: processStart(process.pid),
    nonce: randomBytes(16).toString('hex'),
  };
  const candidate = `${path}.${mine.nonce}`;
  try {
    writeFileSync(candidate, `${JSON.stringify(mine)}\n`, { mode: 0o600, flag: 'wx' });
    // A second attempt follows each removal of a stale lock; others may be doing the same at this moment.
    for (let attempt = 0; attempt < 8; attempt++) {
      if (tryLink(candidate, path)) {
        heldHere.add(path);
        return { release: () => release(path, mine.nonce) };
      }
      removeIfStale(folder, path, mine, kind);
    }
  } finally {
    // On a full disk the file may be there without its content, or not at all.
    rmSync(candidate, { force: true });
  }
  throw new FolderLockedError(`${folder} is being taken by another process at this moment.`);
}

function tryLink(candidate: string, path: string): boolean {
  try {
    linkSync(candidate, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function removeIfStale(folder: string, path: string, mine: Holder, kind: LockKind): void {
  const text = readText(path);
  if (text === undefined) return;
  const holder = parseHolder(text);
  if (holder !== undefined && holder.host !== mine.host) {
    throw new FolderLockedError(
      `${folder} is locked by process ${holder.pid} on the machine or container "${holder.host}". ` +
        `If that one is gone for good, remove ${path} and start again.`,
    );
  }
  if (holder !== undefined && isAlive(holder, mine)) {
    throw new FolderLockedError(
      `${folder} is in use by process ${holder.pid}. ${kind.what} must never run twice: stop that process first` +
        (holder.started === '' ? `, or, if it is another program, remove ${path}.` : '.'),
    );
  }
  // Moved aside first and looked at again: somebody may have replaced the stale lock between reading and now.
  const aside = `${path}.stale.${mine.nonce}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if (readText(aside) !== text) tryLink(aside, path);
  unlinkSync(aside);
}

function release(path: string, nonce: string): void {
  if (!heldHere.delete(path)) return;
  const text = readText(path);
  if (text !== undefined && parseHolder(text)?.nonce === nonce) unlinkSync(path);
}

function isAlive(holder: Holder, mine: Holder): boolean {
  // This process took no lock on the folder, so a lock with its id is of an earlier process.
  if (holder.pid === mine.pid) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return false;
  }
  if (holder.started === '') return true;
  const started = processStart(holder.pid);
  return started === '' || started === holder.started;
}

/** Identifies a process beyond its reusable id: boot and start time on Linux, start time on macOS, nothing on Windows. */
function processStart(pid: number): string {
  try {
    if (process.platform === 'linux') {
      // proc(5): field 22 is the start in clock ticks after boot; the second field may itself hold spaces and brackets.
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
      return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}/${ticks}`;
    }
    if (process.platform === 'darwin') {
      const options = { encoding: 'utf8', timeout: 2_000, env: { LC_ALL: 'C' } } as const;
      return execFileSync('/bin/ps', ['-o', 'lstart=', '-p', String(pid)], options).trim();
    }
  } catch {
    // Without an answer the process id alone decides.
  }
  return '';
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Undefined if the file holds no lock: it was torn by a power cut, and so its process is gone. */
function parseHolder(text: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { pid, host, started, nonce } = value as Record<string, unknown>;
    if (!Number.isSafeInteger(pid) || (pid as number) <= 0) return undefined;
    if (typeof host !== 'string' || typeof started !== 'string' || typeof nonce !== 'string') return undefined;
    return { pid: pid as number, host, started, nonce };
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
