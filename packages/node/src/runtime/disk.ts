/**
 * Files of a node other than LMDB's own: the write-ahead log, snapshots, range files. Paths are relative to the
 * member's data folder, with `/`. What was written is durable only after `flush` resolved; creating, renaming and removing only
 * after `flushDirectory`. The simulator replaces it and loses or tears what was not flushed.
 */
export interface Disk {
  /** Opens for appending and reading; creates an empty file if there is none. */
  open(path: string): Promise<DiskFile>;
  exists(path: string): Promise<boolean>;
  /** Names in a folder, sorted; an absent folder is empty. */
  list(folder: string): Promise<readonly string[]>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  flushDirectory(folder: string): Promise<void>;
}

export interface DiskFile {
  size(): Promise<number>;
  /** Reads up to `length` bytes at `offset`; fewer only at the end of the file. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Appends; not durable yet. Calls are executed in order. */
  append(data: Uint8Array): Promise<void>;
  truncate(size: number): Promise<void>;
  /** fdatasync: resolves when everything appended before is durable. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
