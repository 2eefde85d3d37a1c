import { constants } from 'node:fs';
import { access, type FileHandle, mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Disk, DiskFile } from './disk.ts';

/**
 * Files below `root`, readable by their owner only. Paths that could lead outside (absolute ones, `..`, backslashes) are
 * refused with an Error before anything is touched. Missing folders on the way to a file are created.
 */
export function createRealDisk(root: string): Disk {
  const base = resolve(root);
  const locate = (path: string): string => join(base, ...checkedSegments(path));
  return {
    async open(path: string): Promise<DiskFile> {
      const location = locate(path);
      await makeFolder(dirname(location));
      const handle = await open(location, constants.O_RDWR | constants.O_CREAT, 0o600);
      try {
        const { size } = await handle.stat();
        return new RealFile(path, handle, size);
      } catch (error) {
        await handle.close();
        throw error;
      }
    },
    async exists(path: string): Promise<boolean> {
      return access(locate(path)).then(
        () => true,
        (error: unknown) => absent(error, false),
      );
    },
    async list(folder: string): Promise<readonly string[]> {
      const names = await readdir(locate(folder)).catch((error: unknown) => absent(error, [] as string[]));
      return names.sort((a, b) => (a < b ? -1 : 1));
    },
    async rename(from: string, to: string): Promise<void> {
      const target = locate(to);
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      await rename(locate(from), target);
    },
    async remove(path: string): Promise<void> {
      await unlink(locate(path)).catch((error: unknown) => absent(error, undefined));
    },
    async flushDirectory(folder: string): Promise<void> {
      await flushFolder(locate(folder));
    },
  };
}

/** A folder whose name, and that of every one made on the way to it, outlives a power cut. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = folder; ; made = dirname(made)) {
    await flushFolder(dirname(made));
    if (made === first) return;
  }
}

async function flushFolder(location: string): Promise<void> {
  const handle = await open(location, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The segments of a relative path with `/`; the empty path is the root itself. */
function checkedSegments(path: string): readonly string[] {
  if (path === '') return [];
  const segments = path.split('/');
  for (const segment of segments) {
    if (segment === '' || segment === '.' || segment === '..' || /[\\:\0]/.test(segment)) {
      throw new Error(`the path ${JSON.stringify(path)} is not a plain relative path`);
    }
  }
  return segments;
}

function absent<T>(error: unknown, value: T): T {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return value;
  throw error;
}

class RealFile implements DiskFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  #size: number;
  #tail: Promise<unknown> = Promise.resolve();
  #nextFlush: Promise<void> | undefined;
  #broken: Error | undefined;
  #closed = false;

  constructor(path: string, handle: FileHandle, size: number) {
    this.#path = path;
    this.#handle = handle;
    this.#size = size;
  }

  size(): Promise<number> {
    return this.#inOrder(async () => this.#size);
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    return this.#inOrder(async () => {
      const out = new Uint8Array(Math.max(0, Math.min(length, this.#size - offset)));
      let filled = 0;
      while (filled < out.length) {
        const { bytesRead } = await this.#handle.read(out, filled, out.length - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return filled === out.length ? out : out.slice(0, filled);
    });
  }

  append(data: Uint8Array): Promise<void> {
    this.#nextFlush = undefined;
    return this.#inOrder(async () => {
      // Written at a position of our own and counted only when complete: what a failed append left behind (a full disk)
      // is overwritten by the next one instead of standing between two records.
      for (let written = 0; written < data.length; ) {
        const { bytesWritten } = await this.#handle.write(data, written, data.length - written, this.#size + written);
        written += bytesWritten;
      }
      this.#size += data.length;
    });
  }

  truncate(size: number): Promise<void> {
    this.#nextFlush = undefined;
    return this.#inOrder(async () => {
      await this.#handle.truncate(size);
      this.#size = size;
    });
  }

  flush(): Promise<void> {
    // Flushes that were asked for while one runs and with nothing appended in between share one fdatasync.
    if (this.#nextFlush !== undefined) return this.#nextFlush;
    const flushed: Promise<void> = this.#inOrder(async () => {
      if (this.#nextFlush === flushed) this.#nextFlush = undefined;
      try {
        await this.#handle.datasync();
      } catch (error) {
        // After a failed fdatasync the kernel may have dropped the dirty pages and a second one would claim success.
        this.#broken = new Error(`${this.#path} could not be flushed and is unusable until reopened`, { cause: error });
        throw this.#broken;
      }
    });
    this.#nextFlush = flushed;
    return flushed;
  }

  close(): Promise<void> {
    if (this.#closed) return this.#tail.then(() => undefined);
    const closed = this.#tail.then(() => this.#handle.close());
    this.#tail = closed.catch(() => undefined);
    this.#closed = true;
    return closed;
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new Error(`${this.#path} was closed`));
    const result = this.#tail.then(() => {
      if (this.#broken !== undefined) throw this.#broken;
      return work();
    });
    this.#tail = result.catch(() => undefined);
    return result;
  }
}
