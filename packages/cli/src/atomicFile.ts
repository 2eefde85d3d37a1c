import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';

/** Writes a whole file or nothing: readers see the old content or the new one, never a part. */
export function writeFileAtomically(path: string, content: string, mode = 0o644): void {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = openSync(temporary, 'w', mode);
  try {
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

export function writeJsonAtomically(path: string, value: unknown, mode?: number): void {
  writeFileAtomically(path, `${JSON.stringify(value, null, 2)}\n`, mode);
}
