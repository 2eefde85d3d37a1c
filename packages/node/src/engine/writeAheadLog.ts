import { crc32 } from 'node:zlib';
import type { Disk, DiskFile } from '../runtime/disk.ts';
import { DISK_FAILED } from '../runtime/diskFailure.ts';

/**
 * An append-only log of records in segment files. Its promise: what was appended before `flushed()` was called is on
 * the disk when `flushed()` resolves, and a later `open` gives it back, in order, or fails with a clear error.
 *
 * A segment is named `00000001.wal` and so on, and is a sequence of records, big-endian:
 *
 *   magic 2 bytes ("WL") | length of payload 4 | CRC-32 4 | type 1 | flushedUpTo 6 | epoch 4 | view 6 | payload
 *
 * The CRC (IEEE 802.3, native in Node.js) covers everything after itself and the length before it. `flushedUpTo` is
 * the offset in this segment below which everything was durable when the record was written. It settles what a
 * damaged record means: if a good record further on says that the damaged place had been flushed, then the disk lost what it
 * had confirmed, and nobody may go on as if nothing had been there; otherwise it is the torn end of a write
 * that nobody was told about, and is cut off. The first record of each segment is the header, whose payload (`binding`)
 * ties the log to its network and member. Epoch and view say from which finalization on a record is of no more use; those of a header, up to
 * which position segments before it held records.
 */
export interface LogRecord {
  /** 2 to 255; 0 and 1 are the log's own. */
  readonly type: number;
  readonly epoch: number;
  readonly view: number;
  readonly payload: Uint8Array;
}

export interface WriteAheadLogOptions {
  /** Folder on the disk, relative to the member's data folder. */
  readonly folder: string;
  /** What the header record must say: the bytes of network, member and format version. */
  readonly binding: Uint8Array;
  /** A segment that has grown beyond this is closed and the next begun. */
  readonly segmentBytes: number;
  /** The largest payload; a longer length in a file is damage. */
  readonly maxRecordBytes: number;
  /** What a log without any record gets as its first: until that is durable, the log counts as one that never was. */
  readonly first?: LogRecord;
  /** Told how long each flush took, in milliseconds of `monotonicMs`. */
  readonly onFlush?: (durationMs: number) => void;
  readonly monotonicMs: () => number;
}

export type WriteAheadLogErrorCode = 'corrupt' | 'foreign' | 'disk-failed' | 'too-large' | 'closed';

/**
 * `corrupt`: flushed records were damaged. `foreign`: of another network, member or format. `disk-failed`: the disk refused a read, a
 * write or a flush. `too-large`: a record beyond the limit.
 */
export class WriteAheadLogError extends Error {
  readonly code: WriteAheadLogErrorCode;
  constructor(code: WriteAheadLogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'WriteAheadLogError';
    this.code = code;
  }
}

const MAGIC = 0x574c;
export const RECORD_HEADER_BYTES = 27;
const TYPE_HEADER = 0;
const TYPE_CLOSED = 1;

/** Where records stand; later epochs are higher, and in an epoch later views. */
export interface Position {
  readonly epoch: number;
  readonly view: number;
}

interface Segment {
  readonly number: number;
  readonly path: string;
  file: DiskFile;
  size: number;
  flushedUpTo: number;
  /** The newest position of any record in the segments before it. */
  floor: Position;
  /** The newest position of any record in it. */
  epoch: number;
  view: number;
}

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

export class WriteAheadLog {
  private readonly disk: Disk;
  private readonly options: WriteAheadLogOptions;
  /** In order; the last one is being written. */
  private readonly segments: Segment[];
  private queue: Uint8Array[] = [];
  private waiters: Waiter[] = [];
  private queuedEpoch = 0;
  private queuedView = 0;
  private writing: Promise<void> | undefined;
  private failure: WriteAheadLogError | undefined;
  private closing = false;
  private cutting: Promise<void> = Promise.resolve();
  /** Appended to each new segment, so that what must outlive cutting does. */
  private carried: LogRecord | undefined;

  private constructor(disk: Disk, options: WriteAheadLogOptions, segments: Segment[]) {
    this.disk = disk;
    this.options = options;
    this.segments = segments;
  }

  /**
   * Opens the log and reads every record that survived, all of which is durable then. `fresh`: there was no log, or one whose making was
   * cut short before its first record; now there is one, with its header and that record. Throws a WriteAheadLogError.
   */
  static async open(disk: Disk, options: WriteAheadLogOptions): Promise<OpenedLog> {
    try {
      return await WriteAheadLog.openSegments(disk, options);
    } catch (error) {
      throw error instanceof WriteAheadLogError ? error : diskFailure(error);
    }
  }

  private static async openSegments(disk: Disk, options: WriteAheadLogOptions): Promise<OpenedLog> {
    const names = (await disk.list(options.folder)).filter((name) => /^\d{8}\.wal$/.test(name));
    const segments: Segment[] = [];
    const records: LogRecord[] = [];
    let bare = false;
    let floor: Position = { epoch: 0, view: 0 };
    let cutBytes = 0;
    for (const [index, name] of names.entries()) {
      const path = `${options.folder}/${name}`;
      const file = await disk.open(path);
      const last = index === names.length - 1;
      const scan = scanSegment(await readAll(file), path, last, options);
      if (scan.end === 0 && !last) throw new WriteAheadLogError('corrupt', `${path} has lost its first record`);
      if (scan.cutBytes > 0) {
        await file.truncate(scan.end);
        cutBytes += scan.cutBytes;
      }
      records.push(...scan.records);
      bare = scan.records.length === 0;
      if (index === 0) floor = scan.floor;
      const position = newestPosition(scan.records);
      segments.push({
        number: Number(name.slice(0, 8)),
        path,
        file,
        size: scan.end,
        flushedUpTo: scan.end,
        floor: scan.floor,
        ...position,
      });
    }
    for (let index = 1; index < segments.length; index++) {
      if (segments[index]!.number !== segments[index - 1]!.number + 1) {
        throw new WriteAheadLogError(
          'corrupt',
          `${segments[index]!.path} does not follow ${segments[index - 1]!.path}: a segment is missing`,
        );
      }
    }
    const fresh = records.length === 0;
    const log = new WriteAheadLog(disk, options, segments);
    const tail = segments.at(-1);
    if (tail === undefined) await log.beginSegment(1);
    else {
      if (tail.size === 0) {
        tail.floor = log.newest();
        await log.writeHeader(tail);
      } else await writeAnew(disk, tail);
      // The name of a segment that a killed process had begun must last too.
      await disk.flushDirectory(options.folder);
    }
    if (fresh && options.first !== undefined) {
      log.append(options.first);
      await log.flushed();
    }
    return { log, records, fresh, bare: bare && !fresh, floor, cutBytes };
  }

  /** Adds a record; it is written soon, and durable when a later `flushed()` resolves. */
  append(record: LogRecord): void {
    if (this.closing) throw new WriteAheadLogError('closed', 'the write-ahead log is closed');
    if (record.payload.length > this.options.maxRecordBytes) {
      throw new WriteAheadLogError(
        'too-large',
        `a record of ${record.payload.length} bytes is over the log's limit of ${this.options.maxRecordBytes}`,
      );
    }
    this.enqueue(record);
  }

  private enqueue(record: LogRecord): void {
    // The header is completed when the offset up to which the segment is flushed is known.
    this.queue.push(encodeRecord(record, 0));
    if (isBefore(this.queuedEpoch, this.queuedView, record.epoch, record.view)) {
      this.queuedEpoch = record.epoch;
      this.queuedView = record.view;
    }
    this.kick();
  }

  /** Resolves when everything appended so far is durable; many callers share one flush. Rejects for good once the disk failed. */
  flushed(): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    return new Promise((resolve, reject) => {
      this.waiters.push({ resolve, reject });
      this.kick();
    });
  }

  /** From now on every new segment begins with this record (it is not appended now). */
  carry(record: LogRecord | undefined): void {
    this.carried = record;
  }

  /** Removes closed segments in which every record is at or below this position. Resolves when they are gone. */
  cutBelow(epoch: number, view: number): Promise<void> {
    this.cutting = this.cutting.then(async () => {
      while (this.segments.length > 1) {
        const oldest = this.segments[0]!;
        if (isBefore(epoch, view, oldest.epoch, oldest.view)) break;
        this.segments.shift();
        await oldest.file.close();
        await this.disk.remove(oldest.path);
        // One after another: a power cut that undid this removal and kept the next one would leave a log with a hole.
        await this.disk.flushDirectory(this.options.folder);
      }
    });
    return this.cutting;
  }

  /** Flushes, marks the log as cleanly closed and closes its files. */
  async close(): Promise<void> {
    if (this.closing) return;
    this.closing = true;
    if (this.failure === undefined) {
      try {
        await this.flushed();
        // This last record attests that everything before it was flushed: damage to the end is then seen too.
        this.enqueue({ type: TYPE_CLOSED, epoch: 0, view: 0, payload: new Uint8Array(0) });
        await this.flushed();
      } catch {
        // The failure is kept and was reported to whoever waited for a flush.
      }
    }
    await this.cutting.catch(() => undefined);
    for (const segment of this.segments) await segment.file.close();
  }

  private kick(): void {
    if (this.writing !== undefined || this.failure !== undefined) {
      if (this.failure !== undefined) this.rejectWaiters();
      return;
    }
    this.writing = this.writeLoop().finally(() => {
      this.writing = undefined;
      if (this.failure === undefined && (this.queue.length > 0 || this.waiters.length > 0)) this.kick();
    });
  }

  private async writeLoop(): Promise<void> {
    // A microtask's patience lets everything that one step of consensus appends share one write and one flush.
    await Promise.resolve();
    try {
      while (this.queue.length > 0 || this.waiters.length > 0) {
        const batch = this.queue;
        const waiters = this.waiters;
        const [epoch, view] = [this.queuedEpoch, this.queuedView];
        this.queue = [];
        this.waiters = [];
        try {
          await this.writeBatch(batch, epoch, view, waiters.length > 0);
        } catch (error) {
          this.waiters.push(...waiters);
          throw error;
        }
        for (const waiter of waiters) waiter.resolve();
      }
    } catch (error) {
      // After a failed flush the kernel may have dropped the pages: a second try could succeed without them.
      this.failure = diskFailure(error);
      this.rejectWaiters();
    }
  }

  private async writeBatch(batch: readonly Uint8Array[], epoch: number, view: number, flush: boolean): Promise<void> {
    let segment = this.segments.at(-1)!;
    if (batch.length > 0 && segment.size >= this.options.segmentBytes) {
      await this.flushSegment(segment);
      segment = await this.beginSegment(segment.number + 1);
    }
    if (batch.length > 0) {
      for (const record of batch) completeRecord(record, segment.flushedUpTo);
      const bytes = joinBytes(batch);
      await segment.file.append(bytes);
      segment.size += bytes.length;
      if (isBefore(segment.epoch, segment.view, epoch, view)) {
        segment.epoch = epoch;
        segment.view = view;
      }
    }
    if (flush) await this.flushSegment(segment);
  }

  private async flushSegment(segment: Segment): Promise<void> {
    if (segment.flushedUpTo === segment.size) return;
    const size = segment.size;
    const startedMs = this.options.monotonicMs();
    await segment.file.flush();
    segment.flushedUpTo = size;
    this.options.onFlush?.(this.options.monotonicMs() - startedMs);
  }

  private async beginSegment(number: number): Promise<Segment> {
    const path = `${this.options.folder}/${String(number).padStart(8, '0')}.wal`;
    const file = await this.disk.open(path);
    const segment: Segment = { number, path, file, size: 0, flushedUpTo: 0, floor: this.newest(), epoch: 0, view: 0 };
    await this.writeHeader(segment);
    await this.disk.flushDirectory(this.options.folder);
    this.segments.push(segment);
    return segment;
  }

  private async writeHeader(segment: Segment): Promise<void> {
    // A segment says what those before it held, for they will be removed.
    const parts = [encodeRecord({ type: TYPE_HEADER, ...segment.floor, payload: this.options.binding }, 0)];
    if (this.carried !== undefined) parts.push(encodeRecord(this.carried, 0));
    const bytes = joinBytes(parts);
    await segment.file.append(bytes);
    await segment.file.flush();
    segment.size = bytes.length;
    segment.flushedUpTo = bytes.length;
  }

  /** The highest position that any segment up to now has or had. */
  private newest(): Position {
    let newest: Position = { epoch: 0, view: 0 };
    for (const { floor, epoch, view } of this.segments) {
      for (const position of [floor, { epoch, view }]) {
        if (isBefore(newest.epoch, newest.view, position.epoch, position.view)) newest = position;
      }
    }
    return newest;
  }

  private rejectWaiters(): void {
    const waiters = this.waiters;
    this.waiters = [];
    for (const waiter of waiters) waiter.reject(this.failure!);
  }
}

export interface OpenedLog {
  readonly log: WriteAheadLog;
  readonly records: readonly LogRecord[];
  readonly fresh: boolean;
  /** The newest segment holds no record: its making was cut short, and what `carry` gets is not in it. */
  readonly bare: boolean;
  /** Records at or below this position may have been here, in segments that were removed. */
  readonly floor: Position;
  /** Bytes of a torn write that were cut off the end. */
  readonly cutBytes: number;
}

/** The bytes of one record. Exported for the test that freezes the format. */
export function encodeRecord(record: LogRecord, flushedUpTo: number): Uint8Array {
  const bytes = new Uint8Array(RECORD_HEADER_BYTES + record.payload.length);
  const header = new DataView(bytes.buffer);
  header.setUint16(0, MAGIC);
  header.setUint32(2, record.payload.length);
  header.setUint8(10, record.type);
  header.setUint32(17, record.epoch);
  setUint48(header, 21, record.view);
  bytes.set(record.payload, RECORD_HEADER_BYTES);
  completeRecord(bytes, flushedUpTo);
  return bytes;
}

function completeRecord(bytes: Uint8Array, flushedUpTo: number): void {
  const header = new DataView(bytes.buffer, bytes.byteOffset, RECORD_HEADER_BYTES);
  setUint48(header, 11, flushedUpTo);
  header.setUint32(6, checksum(bytes));
}

/** Covers the length and everything after the checksum's own place. */
function checksum(record: Uint8Array): number {
  return crc32(record.subarray(10), crc32(record.subarray(2, 6)));
}

export interface DecodedRecord {
  readonly record: LogRecord;
  readonly flushedUpTo: number;
  readonly end: number;
}

/** The record at `offset`, or undefined if no whole, undamaged one is there. Exported for the simulator, which reads what is on its disks. */
export function decodeRecord(bytes: Uint8Array, offset: number, maxRecordBytes: number): DecodedRecord | undefined {
  if (bytes.length - offset < RECORD_HEADER_BYTES) return undefined;
  const header = new DataView(bytes.buffer, bytes.byteOffset + offset, RECORD_HEADER_BYTES);
  if (header.getUint16(0) !== MAGIC) return undefined;
  const length = header.getUint32(2);
  const end = offset + RECORD_HEADER_BYTES + length;
  if (length > maxRecordBytes || end > bytes.length) return undefined;
  if (checksum(bytes.subarray(offset, end)) !== header.getUint32(6)) return undefined;
  const record = {
    type: header.getUint8(10),
    epoch: header.getUint32(17),
    view: getUint48(header, 21),
    payload: bytes.subarray(offset + RECORD_HEADER_BYTES, end),
  };
  return { record, flushedUpTo: getUint48(header, 11), end };
}

interface Scan {
  readonly records: LogRecord[];
  /** Offset up to which the segment is good. */
  readonly end: number;
  readonly cutBytes: number;
  /** What its header says of the segments before it. */
  readonly floor: Position;
}

function scanSegment(bytes: Uint8Array, path: string, last: boolean, options: WriteAheadLogOptions): Scan {
  const records: LogRecord[] = [];
  let floor: Position = { epoch: 0, view: 0 };
  let at = 0;
  while (at < bytes.length) {
    const decoded = decodeRecord(bytes, at, options.maxRecordBytes);
    if (decoded === undefined) break;
    if (at === 0) {
      checkHeader(decoded.record, path, options.binding);
      floor = { epoch: decoded.record.epoch, view: decoded.record.view };
    } else if (decoded.record.type > TYPE_CLOSED) records.push(decoded.record);
    at = decoded.end;
  }
  if (at < bytes.length) {
    // Every segment but the last was flushed whole before the next was begun.
    const attested = last ? attestingRecord(bytes, at, options.maxRecordBytes) : bytes.length;
    if (attested !== undefined) {
      const why = last
        ? `a good record at offset ${attested} proves that this place had been flushed`
        : 'a newer segment follows it';
      throw new WriteAheadLogError(
        'corrupt',
        `${path} is damaged at offset ${at}, and ${why}. The disk lost votes that this member may have sent. ` +
          'Do not start this member from the log: check the disk, move the log folder away and let the member rejoin as one that lost its log.',
      );
    }
  }
  return { records, end: at, cutBytes: bytes.length - at, floor };
}

/** The offset of a good record after `damaged` that says that `damaged` had been flushed. */
function attestingRecord(bytes: Uint8Array, damaged: number, maxRecordBytes: number): number | undefined {
  for (let at = damaged + 1; at + RECORD_HEADER_BYTES <= bytes.length; at++) {
    if (bytes[at] !== MAGIC >> 8 || bytes[at + 1] !== (MAGIC & 0xff)) continue;
    const decoded = decodeRecord(bytes, at, maxRecordBytes);
    if (decoded !== undefined && decoded.flushedUpTo > damaged && decoded.flushedUpTo <= at) return at;
  }
  return undefined;
}

function checkHeader(record: LogRecord, path: string, binding: Uint8Array): void {
  if (record.type !== TYPE_HEADER) throw new WriteAheadLogError('corrupt', `${path} does not begin with a header`);
  if (Buffer.compare(record.payload, binding) !== 0) {
    throw new WriteAheadLogError(
      'foreign',
      `${path} belongs to another network, another member or another version of the log's format`,
    );
  }
}

function newestPosition(records: readonly LogRecord[]): Position {
  let [epoch, view] = [0, 0];
  for (const record of records) {
    if (isBefore(epoch, view, record.epoch, record.view)) [epoch, view] = [record.epoch, record.view];
  }
  return { epoch, view };
}

function isBefore(epoch: number, view: number, otherEpoch: number, otherView: number): boolean {
  return epoch < otherEpoch || (epoch === otherEpoch && view < otherView);
}

/**
 * Writes a segment once more, into a file that takes its place, and flushes that. A process that was killed leaves what it had not flushed in
 * the kernel's memory, where it looks like the rest; after a failed flush the kernel even takes it for written and would not write it any more. What
 * is read here is acted upon, so it must outlive a power cut from now on.
 */
async function writeAnew(disk: Disk, segment: Segment): Promise<void> {
  const path = `${segment.path}.new`;
  await disk.remove(path);
  const file = await disk.open(path);
  await file.append(await segment.file.read(0, segment.size));
  await file.flush();
  await disk.rename(path, segment.path);
  await segment.file.close();
  segment.file = file;
}

async function readAll(file: DiskFile): Promise<Uint8Array> {
  return file.read(0, await file.size());
}

function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

function setUint48(view: DataView, offset: number, value: number): void {
  view.setUint16(offset, Math.floor(value / 2 ** 32));
  view.setUint32(offset + 2, value % 2 ** 32);
}

function getUint48(view: DataView, offset: number): number {
  return view.getUint16(offset) * 2 ** 32 + view.getUint32(offset + 2);
}

function diskFailure(error: unknown): WriteAheadLogError {
  const why = error instanceof Error ? error.message : String(error);
  return new WriteAheadLogError(DISK_FAILED, `the disk failed under the write-ahead log: ${why}`, { cause: error });
}
