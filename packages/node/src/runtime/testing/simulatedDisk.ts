import type { Disk, DiskFile } from '../disk.ts';

interface Inode {
  /** Grows ahead of the content, so that appending does not copy what is there. */
  buffer: Uint8Array;
  length: number;
  /** What a power cut leaves: a view of the bytes as of the last flush. */
  durable: Uint8Array;
  /** How often bytes were changed that may be on the disk. */
  rewritten: number;
  /** Offsets between which a flush failed: the kernel shows these bytes and takes them for written, and they never will be. */
  lost: (readonly [from: number, to: number])[];
}

/** What a power cut makes of the bytes of a file behind its last flush: any of them may be there, wrong or missing. */
export type Tear = (unflushed: Uint8Array, path: string) => Uint8Array;

/** What a power cut leaves besides what was flushed. */
export interface PowerCut {
  readonly tear: Tear;
  /** Whether names and renames that were not flushed are there all the same. */
  readonly namesKept: boolean;
}

/**
 * Files in memory with the durability of a real disk: bytes survive a power cut if they were flushed, names if their
 * folder was. A process that is killed loses neither: the kernel keeps what it was given.
 */
export class SimulatedDisk implements Disk {
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  #generation = 0;
  /** How many more bytes fit. What does not fit of an append is lost, and the append fails. */
  freeBytes = Number.POSITIVE_INFINITY;
  /** Called at the end of each flush of a file, with its path. */
  onFlush: ((path: string) => void) | undefined;
  /** Called before each flush of a file or a folder resolves; a test may delay or fail it. */
  beforeFlush: ((path: string) => Promise<void>) | undefined;

  async open(path: string): Promise<DiskFile> {
    let inode = this.#names.get(path);
    if (inode === undefined) {
      inode = newInode(new Uint8Array(0));
      this.#names.set(path, inode);
    }
    return this.#file(path, inode);
  }

  #file(path: string, inode: Inode): DiskFile {
    const generation = this.#generation;
    // As the real file has it: what a failed append left behind is not counted, and overwritten by the next one.
    let size = inode.length;
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
      size: () => inOrder(() => size),
      read: (offset, length) =>
        inOrder(() => inode.buffer.slice(Math.min(offset, size), Math.min(size, offset + length))),
      append: (data) =>
        inOrder(() => {
          const fitting = data.subarray(0, Math.max(0, Math.min(data.length, this.freeBytes)));
          write(inode, size, fitting);
          this.freeBytes -= fitting.length;
          if (fitting.length < data.length) throw new Error(`${path}: no space left on device`);
          size += data.length;
        }),
      truncate: (to) =>
        inOrder(() => {
          this.freeBytes += Math.max(0, inode.length - to);
          inode.length = Math.min(inode.length, to);
          size = Math.min(size, to);
        }),
      flush: () =>
        inOrder(async () => {
          const { buffer, length, rewritten } = inode;
          try {
            await this.beforeFlush?.(path);
          } catch (error) {
            // As Linux does after a failed write-back: the pages count as clean, so that no later flush tries again.
            if (length > inode.durable.length) inode.lost.push([inode.durable.length, length]);
            throw error;
          }
          if (generation !== this.#generation) throw new Error(`${path}: the machine crashed`);
          // What was appended meanwhile may have moved the content to a larger buffer, and is not flushed.
          inode.durable = (rewritten === inode.rewritten ? inode.buffer : buffer).subarray(0, length);
          if (inode.lost.length > 0) inode.durable = withHoles(inode.durable, inode.lost);
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
    this.freeBytes += this.#names.get(to)?.length ?? 0;
    this.#names.delete(from);
    this.#names.set(to, inode);
  }

  async remove(path: string): Promise<void> {
    this.freeBytes += this.#names.get(path)?.length ?? 0;
    this.#names.delete(path);
  }

  async flushDirectory(folder: string): Promise<void> {
    const generation = this.#generation;
    await this.beforeFlush?.(folder);
    if (generation !== this.#generation) throw new Error(`${folder}: the machine crashed`);
    const prefix = `${folder}/`;
    for (const path of [...this.#durableNames.keys()])
      if (path.startsWith(prefix) && !this.#names.has(path)) this.#durableNames.delete(path);
    for (const [path, inode] of this.#names) if (path.startsWith(prefix)) this.#durableNames.set(path, inode);
  }

  /** The process that used the disk was killed: its open files break, and all that it wrote stays readable, flushed or not. */
  kill(): void {
    this.#generation++;
  }

  /** A power cut: open files break, unflushed names vanish or not, and of each file's unflushed bytes `tear` says what is left. */
  powerCut({ tear, namesKept }: PowerCut): void {
    this.#generation++;
    if (!namesKept) this.#names = new Map(this.#durableNames);
    for (const [path, inode] of this.#names) {
      const { durable, buffer, length } = inode;
      // A file that was changed below its flushed end, and not flushed since, is as it was.
      const continues = durable.buffer === buffer.buffer && length > durable.length;
      const rest = continues ? tear(buffer.slice(durable.length, length), path) : new Uint8Array(0);
      Object.assign(inode, newInode(new Uint8Array(Buffer.concat([durable, rest]))));
    }
    this.#durableNames = new Map(this.#names);
  }

  /** A power cut that leaves of the unflushed bytes of each file the first `keepBytes`. */
  crash(keepBytes = 0): void {
    this.powerCut({ tear: (unflushed) => unflushed.subarray(0, keepBytes), namesKept: false });
  }

  /** What a power cut at this moment would leave of the files in a folder, by path; not to be changed. */
  durableFiles(folder: string): ReadonlyMap<string, Uint8Array> {
    const files = [...this.#durableNames].filter(([path]) => path.startsWith(`${folder}/`));
    return new Map(files.map(([path, inode]) => [path, inode.durable]));
  }

  /** Everything that is in a file now, to be looked at or damaged. */
  contents(path: string): Uint8Array {
    const inode = this.#names.get(path);
    if (inode === undefined) throw new Error(`${path} does not exist`);
    return inode.buffer.slice(0, inode.length);
  }

  overwrite(path: string, bytes: Uint8Array): void {
    const inode = newInode(bytes.slice());
    this.#names.set(path, inode);
    this.#durableNames.set(path, inode);
  }

  deleteFolder(folder: string): void {
    for (const map of [this.#names, this.#durableNames]) {
      for (const path of [...map.keys()]) if (path.startsWith(`${folder}/`)) map.delete(path);
    }
  }
}

/** A file whose content is on the disk. */
function newInode(bytes: Uint8Array): Inode {
  return { buffer: bytes, length: bytes.length, durable: bytes, rewritten: 0, lost: [] };
}

const FIRST_CAPACITY = 4_096;

function withHoles(bytes: Uint8Array, holes: Inode['lost']): Uint8Array {
  const copy = bytes.slice();
  for (const [from, to] of holes) copy.fill(0, from, to);
  return copy;
}

function write(inode: Inode, offset: number, data: Uint8Array): void {
  const end = offset + data.length;
  // What is on the disk stays as it is until the next flush, so bytes below it are changed in a copy.
  const shared = inode.durable.buffer === inode.buffer.buffer;
  const overwritesDurable = shared && offset < inode.durable.length;
  if (end > inode.buffer.length || overwritesDurable) {
    const grown = new Uint8Array(Math.max(FIRST_CAPACITY, inode.buffer.length * 2, end));
    grown.set(inode.buffer.subarray(0, inode.length));
    if (overwritesDurable) inode.rewritten++;
    else if (shared) inode.durable = grown.subarray(0, inode.durable.length);
    inode.buffer = grown;
  }
  inode.buffer.set(data, offset);
  inode.length = Math.max(inode.length, end);
}
