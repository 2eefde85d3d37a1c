import type { Disk, DiskFile } from '../../runtime/disk.ts';

interface Inode {
  bytes: Uint8Array;
  /** What a power cut leaves: the bytes as of the last flush. */
  durable: Uint8Array;
}

/**
 * Files in memory with the durability of a real disk: bytes survive `crash` if they were flushed, names if their
 * folder was. What is appended is kept per file, so a crash may also leave any prefix of the unflushed bytes.
 */
export class SimulatedDisk implements Disk {
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  #generation = 0;
  /** Called at the end of each flush of a file, with its path. */
  onFlush: ((path: string) => void) | undefined;
  /** Called before each flush resolves; a test may delay or fail it. */
  beforeFlush: ((path: string) => Promise<void>) | undefined;

  async open(path: string): Promise<DiskFile> {
    let inode = this.#names.get(path);
    if (inode === undefined) {
      inode = { bytes: new Uint8Array(0), durable: new Uint8Array(0) };
      this.#names.set(path, inode);
    }
    return this.#file(path, inode);
  }

  #file(path: string, inode: Inode): DiskFile {
    const generation = this.#generation;
    let tail: Promise<unknown> = Promise.resolve();
    const inOrder = <T>(work: () => T | Promise<T>): Promise<T> => {
      const result = tail.then(() => {
        if (generation !== this.#generation) throw new Error(`${path}: the machine crashed`);
        return work();
      });
      tail = result.catch(() => undefined);
      return result;
    };
    return {
      size: () => inOrder(() => inode.bytes.length),
      read: (offset, length) => inOrder(() => inode.bytes.slice(offset, offset + length)),
      append: (data) =>
        inOrder(() => {
          inode.bytes = new Uint8Array(Buffer.concat([inode.bytes, data]));
        }),
      truncate: (size) =>
        inOrder(() => {
          inode.bytes = inode.bytes.slice(0, size);
        }),
      flush: () =>
        inOrder(async () => {
          const bytes = inode.bytes;
          await this.beforeFlush?.(path);
          if (generation !== this.#generation) throw new Error(`${path}: the machine crashed`);
          inode.durable = bytes;
          this.onFlush?.(path);
        }),
      close: async () => undefined,
    };
  }

  async exists(path: string): Promise<boolean> {
    return this.#names.has(path);
  }

  async list(folder: string): Promise<readonly string[]> {
    const prefix = `${folder}/`;
    return [...this.#names.keys()]
      .filter((path) => path.startsWith(prefix) && !path.slice(prefix.length).includes('/'))
      .map((path) => path.slice(prefix.length))
      .sort();
  }

  async rename(from: string, to: string): Promise<void> {
    const inode = this.#names.get(from);
    if (inode === undefined) throw new Error(`${from} does not exist`);
    this.#names.delete(from);
    this.#names.set(to, inode);
  }

  async remove(path: string): Promise<void> {
    this.#names.delete(path);
  }

  async flushDirectory(folder: string): Promise<void> {
    const prefix = `${folder}/`;
    for (const path of [...this.#durableNames.keys()])
      if (path.startsWith(prefix) && !this.#names.has(path)) this.#durableNames.delete(path);
    for (const [path, inode] of this.#names) if (path.startsWith(prefix)) this.#durableNames.set(path, inode);
  }

  /** A power cut: open files break, unflushed names vanish, and of unflushed bytes the first `keepBytes` of each file stay. */
  crash(keepBytes = 0): void {
    this.#generation++;
    this.#names = new Map(this.#durableNames);
    for (const inode of this.#names.values()) {
      inode.bytes = inode.bytes.slice(
        0,
        Math.max(inode.durable.length, Math.min(inode.bytes.length, inode.durable.length + keepBytes)),
      );
      if (inode.bytes.length < inode.durable.length) inode.bytes = inode.durable;
      inode.durable = inode.bytes;
    }
  }

  /** What a power cut at this moment would leave of the files in a folder. */
  durableContents(folder: string): readonly Uint8Array[] {
    return [...this.#durableNames].filter(([path]) => path.startsWith(`${folder}/`)).map(([, inode]) => inode.durable);
  }

  /** Everything that is in a file now, to be looked at or damaged. */
  contents(path: string): Uint8Array {
    const inode = this.#names.get(path);
    if (inode === undefined) throw new Error(`${path} does not exist`);
    return inode.bytes;
  }

  overwrite(path: string, bytes: Uint8Array): void {
    const inode = { bytes: bytes.slice(), durable: bytes.slice() };
    this.#names.set(path, inode);
    this.#durableNames.set(path, inode);
  }

  deleteFolder(folder: string): void {
    for (const map of [this.#names, this.#durableNames]) {
      for (const path of [...map.keys()]) if (path.startsWith(`${folder}/`)) map.delete(path);
    }
  }
}
