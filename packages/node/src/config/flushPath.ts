import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Makes what was written into a file durable. Windows flushes only what may be written, and no folders; a folder is opened for reading alone. */
export function flush(path: string, flags = 'r+'): void {
  const handle = openSync(path, flags);
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Makes durable which files a folder holds. */
export function flushFolder(folder: string): void {
  if (process.platform !== 'win32') flush(folder, 'r');
}
