import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';

/** Writes a whole file or nothing: readers see the old content or the new one, never a part. */
export function writeFileAtomically(path: string, content: string, mode = 0o644): void {
  renameSync(writeTemporary(path, content, mode), path);
}

/** The same for a file that must not exist yet: false, and nothing is changed, if it does. */
export function writeNewFileAtomically(path: string, content: string, mode = 0o644): boolean {
  if (existsSync(path)) return false;
  const temporary = writeTemporary(path, content, mode);
  try {
    // Unlike a rename, a link fails where a file stands, even one that came a moment ago.
    linkSync(temporary, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    // Some file systems have no links (exFAT): there the look above must do.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP') throw error;
    renameSync(temporary, path);
    return true;
  } finally {
    rmSync(temporary, { force: true });
  }
}

export function writeJsonAtomically(path: string, value: unknown, mode?: number): void {
  writeFileAtomically(path, `${JSON.stringify(value, null, 2)}\n`, mode);
}

function writeTemporary(path: string, content: string, mode: number): string {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = openSync(temporary, 'w', mode);
  try {
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return temporary;
}
