import { Epoch, View, type Vote } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { SimulatedDisk } from '../runtime/testing/simulatedDisk.ts';
import { type DoubleVote, EvidenceStore } from './evidenceStore.ts';

const vote = (epoch: number, view: number, signer: number, fill: number): Vote => ({
  statement: { kind: 'nullify', epoch: Epoch(epoch), view: View(view) },
  signer,
  signature: new Uint8Array(64).fill(fill),
});
const piece = (epoch: number, view: number, signer: number): DoubleVote => ({
  first: vote(epoch, view, signer, 1),
  second: vote(epoch, view, signer, 2),
});
const places = (store: EvidenceStore) =>
  store.list().map(({ first: { statement, signer } }) => [statement.epoch, statement.view, signer]);

describe('the store of evidence', () => {
  it('outlives the process, and keeps a few pieces of each signer in an epoch', async () => {
    const disk = new SimulatedDisk();
    const store = await EvidenceStore.open(disk);
    for (let view = 1; view <= 20; view++) await store.add(piece(0, view, 3));
    await store.add(piece(0, 1, 2));
    await store.add(piece(0, 1, 2));
    expect(places(store)).toEqual([[0, 1, 2], ...Array.from({ length: 8 }, (_, index) => [0, index + 1, 3])]);
    disk.crash();
    expect(places(await EvidenceStore.open(disk))).toEqual(places(store));
  });

  it('has room for others, however much one of them made in how many epochs', async () => {
    const disk = new SimulatedDisk();
    const store = await EvidenceStore.open(disk);
    for (let epoch = 0; epoch < 40; epoch++) {
      for (let view = 1; view <= 8; view++) await store.add(piece(epoch, view, 3));
    }
    await store.add(piece(40, 5, 1));
    await store.add(piece(40, 6, 2));
    expect(store.list()).toHaveLength(256);
    expect(places(store).slice(-2)).toEqual([
      [40, 5, 1],
      [40, 6, 2],
    ]);
    // One piece of each proves it.
    expect(new Set(places(store).map(([epoch]) => epoch)).size).toBe(41);
    disk.crash();
    expect(places(await EvidenceStore.open(disk))).toEqual(places(store));
  });
});
