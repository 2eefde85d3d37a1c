import type { Address } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { FairRecovery } from './fairRecovery.ts';

type Answer = (failure?: Error) => void;

/** A recovery whose worker answers when it is told to; an encoding's first byte says whose it is. */
function recovery() {
  const batches: Uint8Array[][] = [];
  const answers: Answer[] = [];
  const fair = new FairRecovery({
    recover: (raws) => {
      batches.push([...raws]);
      return new Promise((resolve, reject) => {
        answers.push((failure) => {
          if (failure === undefined) resolve(raws.map((raw): Address => `0x${raw[0]!.toString(16).padStart(40, '0')}`));
          else reject(failure);
        });
      });
    },
  });
  const sizes = () => batches.map((batch) => batch.length);
  const countOf = (batch: number, of: number) => batches[batch]!.filter(([first]) => first === of).length;
  const send = (of: number, count: number, source = `source ${of}`) =>
    Array.from({ length: count }, () => fair.recover(Uint8Array.of(of), source));
  return { batches, answers, sizes, countOf, send };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the recovery of senders', () => {
  it('sends what comes in one turn together, and gives each its own answer', async () => {
    const { answers, sizes, send } = recovery();
    const senders = Promise.all([...send(1, 2), ...send(2, 1)]);
    await settle();
    expect(sizes()).toEqual([3]);
    answers[0]!();
    expect((await senders).map(Number)).toEqual([1, 1, 2]);
  });

  it('lets a single transaction into the next batch, however many of others wait', async () => {
    const { answers, countOf, sizes, send } = recovery();
    const flood = send(1, 1_000);
    await settle();
    expect(sizes()).toEqual([128, 128]);
    const single = send(2, 1);
    const proposal = send(3, 100);
    answers[0]!();
    await settle();
    expect([countOf(2, 1), countOf(2, 2), countOf(2, 3)]).toEqual([64, 1, 63]);
    answers[2]!();
    await Promise.all(single);
    for (let next = 1; next < 12; next++) {
      await settle();
      answers[next]?.();
    }
    expect(await Promise.all([...flood, ...proposal])).toHaveLength(1_100);
  });

  it('gives each of more sources than a batch has places its turn', async () => {
    const { answers, batches, send } = recovery();
    const all = [send(0, 300), ...Array.from({ length: 200 }, (_, index) => send(1 + index, 2))].flat();
    for (let next = 0; next < 12; next++) {
      await settle();
      answers[next]?.();
    }
    await Promise.all(all);
    const firstBatchOf = (of: number) => batches.findIndex((batch) => batch.some(([first]) => first === of));
    expect(Math.max(...Array.from({ length: 200 }, (_, index) => firstBatchOf(1 + index)))).toBeLessThan(3);
  });

  it('fails those of a batch that the worker could not do, and goes on with the next', async () => {
    const { answers, sizes, send } = recovery();
    const senders = send(1, 300);
    const failed = Promise.allSettled(senders.slice(0, 128));
    await settle();
    answers[0]!(new Error('the worker is gone'));
    expect((await failed).every(({ status }) => status === 'rejected')).toBe(true);
    answers[1]!();
    await settle();
    expect(sizes()).toEqual([128, 128, 44]);
    answers[2]!();
    expect(await Promise.all(senders.slice(128))).toHaveLength(172);
  });
});
