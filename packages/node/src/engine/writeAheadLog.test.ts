import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRealDisk } from '../runtime/realDisk.ts';
import { SimulatedDisk } from '../runtime/testing/simulatedDisk.ts';
import { encodeRecord, type LogRecord, WriteAheadLog, type WriteAheadLogOptions } from './writeAheadLog.ts';

const options: WriteAheadLogOptions = {
  folder: 'log',
  binding: new TextEncoder().encode('network and member'),
  segmentBytes: 1 << 20,
  maxRecordBytes: 1 << 16,
  monotonicMs: () => 0,
};
const FIRST = 'log/00000001.wal';

function record(view: number, text = `record ${view}`): LogRecord {
  return { type: 2, epoch: 0, view, payload: new TextEncoder().encode(text) };
}

function texts(records: readonly LogRecord[]): string[] {
  return records.map((entry) => new TextDecoder().decode(entry.payload));
}

async function logOf(disk: SimulatedDisk, count: number): Promise<void> {
  const { log } = await WriteAheadLog.open(disk, options);
  for (let view = 1; view <= count; view++) {
    log.append(record(view));
    await log.flushed();
  }
}

describe('write-ahead log', () => {
  it('gives back what was flushed, in order, and says when it is new', async () => {
    const disk = new SimulatedDisk();
    const first = await WriteAheadLog.open(disk, options);
    expect(first.fresh).toBe(true);
    first.log.append(record(1));
    first.log.append(record(2));
    await first.log.flushed();
    disk.crash();
    const second = await WriteAheadLog.open(disk, options);
    expect(second.fresh).toBe(false);
    expect(texts(second.records)).toEqual(['record 1', 'record 2']);
    expect(second.records[1]).toMatchObject({ type: 2, epoch: 0, view: 2 });
  });

  it('keeps its file format', () => {
    const bytes = encodeRecord(
      { type: 4, epoch: 3, view: 2 ** 40 + 5, payload: new TextEncoder().encode('payload') },
      2 ** 33 + 7,
    );
    expect(Buffer.from(bytes).toString('hex')).toBe(
      '574c00000007' +
        Buffer.from(bytes.subarray(6, 10)).toString('hex') +
        '04000200000007' +
        '00000003' +
        '010000000005' +
        '7061796c6f6164',
    );
    expect(createHash('sha256').update(bytes).digest('hex')).toMatchInlineSnapshot(
      `"124c74ffdb36f29c79afe34c188d532671261e9035d694a24493e14d829858dd"`,
    );
  });

  it('recovers after a torn write at every byte, keeping all that was flushed', async () => {
    const disk = new SimulatedDisk();
    await logOf(disk, 3);
    const flushedBytes = disk.contents(FIRST);
    const { log } = await WriteAheadLog.open(disk, options);
    log.append(record(4, 'the fourth record'));
    log.append(record(5, 'the fifth record'));
    await log.flushed();
    const whole = disk.contents(FIRST);
    for (let length = flushedBytes.length; length <= whole.length; length++) {
      const torn = new SimulatedDisk();
      torn.overwrite(FIRST, whole.slice(0, length));
      const opened = await WriteAheadLog.open(torn, options);
      expect(texts(opened.records).slice(0, 3)).toEqual(['record 1', 'record 2', 'record 3']);
      // What it cut off is gone for good, and the log goes on from there.
      opened.log.append(record(9));
      await opened.log.flushed();
      torn.crash();
      const again = await WriteAheadLog.open(torn, options);
      expect(again.cutBytes).toBe(0);
      expect(texts(again.records)).toEqual([...texts(opened.records), 'record 9']);
    }
  });

  it('cuts off a tail of zeros, or of bytes that arrived out of order', async () => {
    const disk = new SimulatedDisk();
    await logOf(disk, 2);
    const flushed = disk.contents(FIRST);
    const { log } = await WriteAheadLog.open(disk, options);
    log.append(record(3));
    log.append(record(4));
    await log.flushed();
    const whole = disk.contents(FIRST).slice();
    whole.fill(0, flushed.length, flushed.length + 10); // The first of two records of one write lost its beginning.
    disk.overwrite(FIRST, whole);
    const opened = await WriteAheadLog.open(disk, options);
    expect(texts(opened.records)).toEqual(['record 1', 'record 2']);
    expect(opened.cutBytes).toBe(whole.length - flushed.length);
  });

  it('reports every flipped bit before the last flush as corruption, never skips it', async () => {
    const disk = new SimulatedDisk();
    await logOf(disk, 3);
    const good = disk.contents(FIRST);
    const lastRecord = good.length - (27 + 'record 3'.length);
    for (let bit = 0; bit < lastRecord * 8; bit += 3) {
      const bytes = good.slice();
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      const damaged = new SimulatedDisk();
      damaged.overwrite(FIRST, bytes);
      await expect(WriteAheadLog.open(damaged, options)).rejects.toMatchObject({ code: 'corrupt' });
    }
  });

  it('sees damage to the last record too after a clean close', async () => {
    const disk = new SimulatedDisk();
    const { log } = await WriteAheadLog.open(disk, options);
    log.append(record(1));
    await log.close();
    const bytes = disk.contents(FIRST).slice();
    const at = Buffer.from(bytes).indexOf('record 1');
    bytes[at]! ^= 1;
    disk.overwrite(FIRST, bytes);
    await expect(WriteAheadLog.open(disk, options)).rejects.toThrow(/damaged at offset .* had been flushed/);
  });

  it('gives nothing back after a kill that a power cut could still take away', async () => {
    const disk = new SimulatedDisk();
    const { log } = await WriteAheadLog.open(disk, options);
    log.append(record(1));
    await log.flushed();
    disk.beforeFlush = () => new Promise(() => undefined);
    log.append(record(2));
    void log.flushed();
    for (let i = 0; i < 20; i++) await Promise.resolve();
    // The kernel has the second record, the disk does not.
    disk.kill();
    disk.beforeFlush = undefined;
    expect((await WriteAheadLog.open(disk, options)).records).toHaveLength(2);
    disk.crash();
    expect((await WriteAheadLog.open(disk, options)).records).toHaveLength(2);
  });

  it('gives nothing back that a failed flush left in memory alone, which a later flush would not write', async () => {
    const disk = new SimulatedDisk();
    const { log } = await WriteAheadLog.open(disk, options);
    log.append(record(1));
    await log.flushed();
    disk.beforeFlush = () => Promise.reject(new Error('input/output error'));
    log.append(record(2));
    await expect(log.flushed()).rejects.toMatchObject({ code: 'disk-failed' });
    disk.kill();
    disk.beforeFlush = undefined;
    const again = await WriteAheadLog.open(disk, options);
    expect(again.records).toHaveLength(2);
    again.log.append(record(3));
    await again.log.flushed();
    disk.crash();
    expect(texts((await WriteAheadLog.open(disk, options)).records)).toEqual(['record 1', 'record 2', 'record 3']);
  });

  it('survives a power cut at every moment of its opening, with all that it had', async () => {
    for (let flushes = 0; flushes < 3; flushes++) {
      for (const namesKept of [false, true]) {
        const disk = new SimulatedDisk();
        await logOf(disk, 3);
        let left = flushes;
        disk.beforeFlush = () => (left-- > 0 ? Promise.resolve() : new Promise(() => undefined));
        void WriteAheadLog.open(disk, options);
        for (let i = 0; i < 50; i++) await Promise.resolve();
        disk.beforeFlush = undefined;
        disk.powerCut({ tear: (unflushed) => unflushed.fill(0), namesKept });
        expect((await WriteAheadLog.open(disk, options)).records).toHaveLength(3);
      }
    }
  });

  it('keeps a segment whose name was not flushed when its process was killed', async () => {
    const disk = new SimulatedDisk();
    const flushDirectory = disk.flushDirectory.bind(disk);
    disk.flushDirectory = () => new Promise(() => undefined);
    void WriteAheadLog.open(disk, options);
    for (let i = 0; i < 20; i++) await Promise.resolve();
    disk.kill();
    disk.flushDirectory = flushDirectory;
    const { log } = await WriteAheadLog.open(disk, options);
    log.append(record(1));
    await log.flushed();
    disk.crash();
    expect((await WriteAheadLog.open(disk, options)).records).toHaveLength(1);
  });

  it('counts as new until its first record is durable, however often its making is cut short', async () => {
    const first = record(0, 'first');
    for (let flushes = 0; flushes < 4; flushes++) {
      const disk = new SimulatedDisk();
      let left = flushes;
      disk.beforeFlush = () => (left-- > 0 ? Promise.resolve() : new Promise(() => undefined));
      const opening = WriteAheadLog.open(disk, { ...options, first });
      for (let i = 0; i < 50; i++) await Promise.resolve();
      if (flushes % 2 === 0) disk.kill();
      else disk.crash();
      disk.beforeFlush = undefined;
      const { fresh, records } = await WriteAheadLog.open(disk, { ...options, first });
      // Either nobody was told that there is a log, or it has its first record.
      expect(fresh || texts(records)[0] === 'first').toBe(true);
      if (flushes === 3) await expect(opening).resolves.toMatchObject({ fresh: true });
      disk.crash();
      expect(texts((await WriteAheadLog.open(disk, options)).records)).toEqual(['first']);
    }
  });

  it('refuses the log of another network or member', async () => {
    const disk = new SimulatedDisk();
    await logOf(disk, 1);
    const foreign = { ...options, binding: new TextEncoder().encode('somebody else') };
    await expect(WriteAheadLog.open(disk, foreign)).rejects.toMatchObject({ code: 'foreign' });
  });

  it('shares one flush among all who wait, and resolves them in order', async () => {
    const disk = new SimulatedDisk();
    let flushes = 0;
    const { log } = await WriteAheadLog.open(disk, { ...options, onFlush: () => flushes++ });
    const order: number[] = [];
    const waits = [1, 2, 3, 4].map((view) => {
      log.append(record(view));
      return log.flushed().then(() => order.push(view));
    });
    await Promise.all(waits);
    expect(flushes).toBe(1);
    expect(order).toEqual([1, 2, 3, 4]);
  });

  it('does not resolve before the disk has flushed, and holds nothing back meanwhile', async () => {
    const disk = new SimulatedDisk();
    const { log } = await WriteAheadLog.open(disk, options);
    let finish: () => void = () => undefined;
    disk.beforeFlush = () => new Promise((resolve) => (finish = resolve));
    let first = false;
    let second = false;
    log.append(record(1));
    const one = log.flushed().then(() => (first = true));
    for (let i = 0; i < 20; i++) await Promise.resolve();
    log.append(record(2));
    const two = log.flushed().then(() => (second = true));
    for (let i = 0; i < 20; i++) await Promise.resolve();
    expect([first, second]).toEqual([false, false]);
    disk.beforeFlush = undefined;
    finish();
    await one;
    expect(second).toBe(false);
    await two;
  });

  it('fails for good when the disk refuses a flush', async () => {
    const disk = new SimulatedDisk();
    const { log } = await WriteAheadLog.open(disk, options);
    disk.beforeFlush = () => Promise.reject(new Error('input/output error'));
    log.append(record(1));
    await expect(log.flushed()).rejects.toMatchObject({ code: 'disk-failed' });
    disk.beforeFlush = undefined;
    await expect(log.flushed()).rejects.toThrow(/input\/output error/);
  });

  it('says that the disk failed when it cannot even be opened', async () => {
    const disk = new SimulatedDisk();
    disk.beforeFlush = () => Promise.reject(new Error('no space left on device'));
    await expect(WriteAheadLog.open(disk, options)).rejects.toMatchObject({ code: 'disk-failed' });
    disk.beforeFlush = undefined;
    const { log, fresh } = await WriteAheadLog.open(disk, options);
    expect(fresh).toBe(true);
    log.append(record(1));
    await log.flushed();
  });

  it('makes durable what a killed process had appended without a flush, since it is relied on from then on', async () => {
    const disk = new SimulatedDisk();
    await logOf(disk, 1);
    const { log } = await WriteAheadLog.open(disk, options);
    log.append(record(2));
    for (let i = 0; i < 20; i++) await Promise.resolve();
    // The process is gone, the machine is not: the kernel still shows what was appended.
    const afterKill = await WriteAheadLog.open(disk, options);
    expect(texts(afterKill.records)).toEqual(['record 1', 'record 2']);
    disk.crash();
    const afterPowerCut = await WriteAheadLog.open(disk, options);
    expect(texts(afterPowerCut.records)).toEqual(['record 1', 'record 2']);
  });

  it('makes durable the name of a segment that a killed process had begun', async () => {
    const disk = new SimulatedDisk();
    await logOf(disk, 1);
    const { log } = await WriteAheadLog.open(disk, { ...options, segmentBytes: 10 });
    disk.flushDirectory = () => new Promise(() => undefined);
    log.append(record(2));
    for (let i = 0; i < 100; i++) await Promise.resolve();
    expect(await disk.list('log')).toEqual(['00000001.wal', '00000002.wal']);
    Reflect.deleteProperty(disk, 'flushDirectory');
    const { log: second } = await WriteAheadLog.open(disk, options);
    second.append(record(3));
    await second.flushed();
    disk.crash();
    const { records } = await WriteAheadLog.open(disk, options);
    expect(texts(records)).toEqual(['record 1', 'record 3']);
  });

  it('works on a real disk', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hanse-log-'));
    try {
      const first = await WriteAheadLog.open(createRealDisk(folder), { ...options, segmentBytes: 100 });
      for (let view = 1; view <= 5; view++) {
        first.log.append(record(view));
        await first.log.flushed();
      }
      await first.log.cutBelow(0, 3);
      await first.log.close();
      const second = await WriteAheadLog.open(createRealDisk(folder), { ...options, segmentBytes: 100 });
      expect(second.fresh).toBe(false);
      expect(texts(second.records).slice(-2)).toEqual(['record 4', 'record 5']);
      await second.log.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('begins new segments and removes those below the finalized view, with what it carries', async () => {
    const disk = new SimulatedDisk();
    const small = { ...options, segmentBytes: 200 };
    const { log } = await WriteAheadLog.open(disk, small);
    log.carry(record(0, 'carried'));
    for (let view = 1; view <= 20; view++) {
      log.append(record(view));
      await log.flushed();
    }
    expect((await disk.list('log')).length).toBeGreaterThan(3);
    await log.cutBelow(0, 17);
    disk.crash();
    const opened = await WriteAheadLog.open(disk, small);
    const found = texts(opened.records);
    expect(found).not.toContain('record 1');
    expect(found).toEqual(expect.arrayContaining(['carried', 'record 18', 'record 19', 'record 20']));
    expect((await disk.list('log')).length).toBeLessThan(4);
  });

  it('says up to where it was cut, also after a kill that left the newest segment empty', async () => {
    const disk = new SimulatedDisk();
    const small = { ...options, segmentBytes: 200 };
    const { log, floor } = await WriteAheadLog.open(disk, small);
    expect(floor).toEqual({ epoch: 0, view: 0 });
    for (let view = 1; view <= 20; view++) {
      // An epoch begins its views anew.
      log.append({ ...record(view <= 10 ? view : view - 10), epoch: view <= 10 ? 0 : 1 });
      await log.flushed();
    }
    expect((await WriteAheadLog.open(disk, small)).floor).toEqual({ epoch: 0, view: 0 });
    await log.cutBelow(1, 6);
    const lowest = async () => {
      const { records, floor: cutUpTo } = await WriteAheadLog.open(disk, small);
      return [cutUpTo, { epoch: records[0]!.epoch, view: records[0]!.view }] as const;
    };
    const [cutUpTo, first] = await lowest();
    expect([cutUpTo.epoch, first.epoch, first.view - cutUpTo.view]).toEqual([1, 1, 1]);
    const last = Number((await disk.list('log')).at(-1)!.slice(0, 8));
    await disk.open(`log/${String(last + 1).padStart(8, '0')}.wal`);
    await WriteAheadLog.open(disk, small);
    for (const name of (await disk.list('log')).slice(0, -1)) await disk.remove(`log/${name}`);
    const { floor: bareFloor } = await WriteAheadLog.open(disk, small);
    expect(bareFloor).toEqual({ epoch: 1, view: 10 });
  });

  it('says when a killed process left a segment without what it was to carry', async () => {
    const disk = new SimulatedDisk();
    const small = { ...options, segmentBytes: 100 };
    const { log } = await WriteAheadLog.open(disk, small);
    log.carry(record(0, 'carried'));
    for (let view = 1; view <= 4; view++) {
      log.append(record(view));
      await log.flushed();
    }
    const whole = await WriteAheadLog.open(disk, small);
    expect(whole.bare).toBe(false);
    const last = (await disk.list('log')).at(-1)!;
    const header = encodeRecord({ type: 0, epoch: 0, view: 0, payload: options.binding }, 0).length;
    for (const left of [0, header, header + 5]) {
      await (await disk.open(`log/${last}`)).truncate(left);
      const cut = await WriteAheadLog.open(disk, small);
      expect([cut.fresh, cut.bare, cut.records.length > 0]).toEqual([false, true, true]);
    }
  });

  it('makes the removal of one segment durable before it removes the next', async () => {
    const disk = new SimulatedDisk();
    const { log } = await WriteAheadLog.open(disk, { ...options, segmentBytes: 200 });
    for (let view = 1; view <= 20; view++) {
      log.append(record(view));
      await log.flushed();
    }
    const calls: string[] = [];
    const [remove, flushDirectory] = [disk.remove.bind(disk), disk.flushDirectory.bind(disk)];
    disk.remove = (path) => {
      calls.push('remove');
      return remove(path);
    };
    disk.flushDirectory = (folder) => {
      calls.push('flush');
      return flushDirectory(folder);
    };
    await log.cutBelow(0, 17);
    expect(calls.length).toBeGreaterThan(3);
    expect(calls).toEqual(calls.map((_, index) => (index % 2 === 0 ? 'remove' : 'flush')));
  });

  it('notices a missing segment', async () => {
    const disk = new SimulatedDisk();
    const small = { ...options, segmentBytes: 100 };
    const { log } = await WriteAheadLog.open(disk, small);
    for (let view = 1; view <= 9; view++) {
      log.append(record(view));
      await log.flushed();
    }
    await disk.remove('log/00000002.wal');
    await expect(WriteAheadLog.open(disk, small)).rejects.toThrow(/segment is missing/);
  });

  it('never loses a flushed record nor invents one, whatever the crash leaves (property)', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('append' as const), size: fc.nat(300) }),
      fc.record({ kind: fc.constant('flush' as const) }),
      fc.record({ kind: fc.constant('crash' as const), keep: fc.nat(400) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const disk = new SimulatedDisk();
        const small = { ...options, segmentBytes: 500 };
        let { log } = await WriteAheadLog.open(disk, small);
        let written: string[] = [];
        let certain = 0;
        let next = 0;
        for (const action of steps) {
          if (action.kind === 'append') {
            const text = `${next++}:`.padEnd(action.size, 'x');
            log.append(record(next, text));
            written.push(text);
          } else if (action.kind === 'flush') {
            await log.flushed();
            certain = written.length;
          } else {
            for (let i = 0; i < 6; i++) await Promise.resolve();
            disk.crash(action.keep);
            const opened = await WriteAheadLog.open(disk, small);
            log = opened.log;
            const found = texts(opened.records);
            expect(found).toEqual(written.slice(0, found.length));
            expect(found.length).toBeGreaterThanOrEqual(certain);
            written = found;
            certain = found.length;
          }
        }
      }),
      { seed: 7, numRuns: 150 },
    );
  });
});
