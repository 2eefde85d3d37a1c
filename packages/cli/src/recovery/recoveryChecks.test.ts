import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type StoppedMember, writePromise, writeRecovery, writeRefusal } from '@hanse/node';
import { Epoch, type Hash, Height, type Recovery } from '@hanse/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkApplicable, checkBlock, checkLog, checkPromises } from './recoveryChecks.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hanse-checks-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const hash = (byte: string): Hash => `0x${byte.repeat(32)}`;
const first: Recovery = {
  format: 1,
  genesisHash: hash('11'),
  height: Height(7),
  blockHash: hash('77'),
  epoch: Epoch(1),
  validators: ['authority', 'bank'],
  removed: ['farm', 'market'],
  reason: 'a fire',
  signatures: [],
};
const second: Recovery = { ...first, validators: ['bank'], reason: 'a flood' };

/** Bank, with its head at a height; the files are real. */
function bank(height = 7, wentOn = false): StoppedMember {
  return {
    config: { name: 'bank', keys: join(root, 'keys'), data: join(root, 'data') },
    genesisHash: hash('11'),
    head: { height, blockHash: hash(`${height}${height}`) },
    wentOnBy: () => wentOn,
  } as unknown as StoppedMember;
}

const log = (changes: object) => ({ signedAsFinal: [], finalAbove: undefined, lost: false, ...changes }) as never;

describe('a member that is to sign', () => {
  it('is bound by one document at a time, until that one is in force', () => {
    const { keys, data } = bank().config;
    checkPromises(bank(), first);
    writePromise(keys, first);
    checkPromises(bank(), first);
    expect(() => checkPromises(bank(), second)).toThrow('bank signed another document, from block 7 to epoch 1');
    // Also of a later block: the chain may have gone on without the first, which may still be completed.
    expect(() => checkPromises(bank(9), { ...second, height: Height(9) })).toThrow('bank signed another document');
    writeRecovery(data, first);
    checkPromises(bank(), { ...second, epoch: Epoch(2) });
  });

  it('never signs what it refused', () => {
    writeRefusal(bank().config.keys, first);
    expect(() => checkPromises(bank(), first)).toThrow('bank refused this document for good');
    checkPromises(bank(), second);
  });

  it('signs for its last final block alone', () => {
    checkBlock(bank(), first);
    expect(() => checkBlock(bank(8), first)).toThrow('at bank block 8 is final');
    expect(() => checkBlock(bank(6), first)).toThrow('bank has block 6 only');
    expect(() => checkBlock(bank(), { ...first, blockHash: hash('78') })).toThrow('Do not sign');
  });

  it('is told what it may give up by signing, unless nobody leaves who could have shown it', () => {
    const signed = log({ signedAsFinal: [{ height: 8, blockHash: hash('88') }] });
    expect(() => checkLog(bank(), signed, first, false)).toThrow('bank signed block 8');
    expect(() => checkLog(bank(), log({ lost: true }), first, false)).toThrow('bank lost its log of votes');
    checkLog(bank(), signed, first, true);
    checkLog(bank(), signed, { ...first, removed: [] }, false);
    expect(() => checkLog(bank(), log({ finalAbove: 8 }), first, true)).toThrow('Block 8 is final');
  });
});

describe('a member that is given the complete document', () => {
  it('takes none beside one that binds it, or by which its chain did not go on', () => {
    const { keys, data } = bank().config;
    expect(() => checkApplicable(bank(9), first)).toThrow('went on from block 7 without this document, up to block 9');
    checkApplicable(bank(9, true), first);
    checkApplicable(bank(3), first);
    expect(() => checkApplicable(bank(3), { ...first, genesisHash: hash('12') })).toThrow('another network');
    writePromise(keys, first);
    checkApplicable(bank(3), first);
    expect(() => checkApplicable(bank(3), second)).toThrow('bank is bound by another document');
    writeRecovery(data, first);
    expect(() => checkApplicable(bank(3), second)).toThrow('is in force at bank');
    checkApplicable(bank(3), first);
  });
});
