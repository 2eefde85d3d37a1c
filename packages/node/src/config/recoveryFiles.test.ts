import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Epoch, Height, type Recovery, type RecoveryPlan } from '@hanse/protocol';
import { afterAll, describe, expect, it } from 'vitest';
import {
  readPromises,
  readRecoveries,
  readRefusals,
  recoveryFolder,
  removePromise,
  writePromise,
  writeRecovery,
  writeRefusal,
} from './recoveryFiles.ts';

const root = mkdtempSync(join(tmpdir(), 'hanse-recovery-'));
afterAll(() => rmSync(root, { recursive: true }));

const plan = (changes: Partial<RecoveryPlan> = {}): RecoveryPlan => ({
  format: 1,
  genesisHash: `0x${'11'.repeat(32)}`,
  height: Height(7),
  blockHash: `0x${'22'.repeat(32)}`,
  epoch: Epoch(1),
  validators: ['authority', 'bank'],
  removed: ['farm', 'market'],
  reason: 'a fire',
  ...changes,
});
const complete = (of: RecoveryPlan): Recovery => ({
  ...of,
  signatures: [{ member: 'bank', signature: `0x${'33'.repeat(64)}` }],
});

describe('what a member promised', () => {
  it('lies beside its keys until it is taken back, and is nothing that a document put beside the ledger changes', () => {
    const keys = join(root, 'keys');
    expect(readPromises(keys)).toEqual([]);
    writePromise(keys, complete(plan()));
    expect(readPromises(keys)).toEqual([{ ...plan(), signatures: [] }]);
    expect(readdirSync(keys)).toEqual(['recovery-7-1.promise.json']);
    writeRecovery(join(root, 'data'), complete(plan()));
    expect(readPromises(keys)).toHaveLength(1);
    removePromise(keys, plan());
    expect(readPromises(keys)).toEqual([]);
  });

  it('does not pass over a file that it cannot read: it may bind', () => {
    const keys = join(root, 'damaged');
    writePromise(keys, plan());
    writeFileSync(join(keys, 'recovery-7-1.promise.json'), '{"format": 1');
    expect(() => readPromises(keys)).toThrow('recovery-7-1.promise.json');
  });
});

describe('what a member refused', () => {
  it('is kept for every plan, once', () => {
    const keys = join(root, 'refusing');
    for (const reason of ['first', 'second', 'first']) writeRefusal(keys, plan({ reason }));
    expect(readRefusals(keys).map(({ reason }) => reason)).toEqual(['first', 'second']);
    expect(readPromises(keys)).toEqual([]);
  });
});

describe('complete documents', () => {
  it('are read by height and epoch, and none is there twice, also under the name of an older program', () => {
    const data = join(root, 'ledger');
    const documents = [plan({ height: Height(10) }), plan({ epoch: Epoch(2) }), plan()].map(complete);
    for (const document of documents) writeRecovery(data, document);
    const folder = recoveryFolder(data);
    renameSync(join(folder, '7-1.json'), join(folder, '7.json'));
    writeRecovery(data, complete(plan()));
    const read = readRecoveries(folder).map(({ height, epoch }) => [height, epoch]);
    expect(read).toEqual([
      [7, 1],
      [7, 2],
      [10, 1],
    ]);
  });
});
