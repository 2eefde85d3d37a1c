import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acquireFolderLock, FolderLockedError } from './folderLock.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hanse-lock-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const lockFile = (): string => join(folder, 'member.lock');

async function otherProcess(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', 'console.log("up"); setInterval(() => {}, 1000)'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(child.stdout!, 'data');
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

function writeLock(fields: Record<string, unknown>): void {
  writeFileSync(lockFile(), JSON.stringify({ host: hostname(), started: '', nonce: 'n', ...fields }));
}

describe('folder lock', () => {
  it('is held once, and again after release', () => {
    const lock = acquireFolderLock(folder);
    expect(() => acquireFolderLock(folder)).toThrow(FolderLockedError);
    lock.release();
    lock.release();
    acquireFolderLock(folder).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('refuses while another process lives, naming it, and takes over when that one was killed', async () => {
    const child = await otherProcess();
    writeLock({ pid: child.pid });
    expect(() => acquireFolderLock(folder)).toThrow(new RegExp(`in use by process ${child.pid}`));
    await end(child);
    const lock = acquireFolderLock(folder);
    expect(JSON.parse(readFileSync(lockFile(), 'utf8')).pid).toBe(process.pid);
    lock.release();
  });

  it.skipIf(process.platform !== 'linux')(
    'is not fooled by a process id that was given to another process',
    async () => {
      const child = await otherProcess();
      writeLock({ pid: child.pid, started: 'another boot/1' });
      acquireFolderLock(folder).release();
      await end(child);
    },
  );

  it('takes over from an earlier process that had the same id, as in a restarted container', () => {
    writeLock({ pid: process.pid });
    acquireFolderLock(folder).release();
  });

  it('takes over a lock that a power cut tore', () => {
    writeFileSync(lockFile(), '{"pid": 12');
    acquireFolderLock(folder).release();
  });

  it('leaves the lock of another machine alone and says how to go on', () => {
    writeLock({ pid: 1, host: 'somewhere-else' });
    expect(() => acquireFolderLock(folder)).toThrow(/machine or container "somewhere-else".*remove/s);
    expect(readdirSync(folder)).toEqual(['member.lock']);
  });

  it('does not remove the lock of somebody who took over', () => {
    const lock = acquireFolderLock(folder);
    writeLock({ pid: process.pid, nonce: 'somebody else' });
    lock.release();
    expect(readdirSync(folder)).toEqual(['member.lock']);
  });
});
