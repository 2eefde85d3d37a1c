import { createInternationalSuite, portablePrimitives, type SignedTransaction, signTransaction } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../runtime/manualClock.ts';
import { PromptSenders } from './promptSenders.ts';
import { SenderService } from './senderService.ts';

const suite = createInternationalSuite(portablePrimitives);
const fields = { gasLimit: 21_000n, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n, value: 0n, data: new Uint8Array(0) };
const transaction: SignedTransaction = signTransaction(
  { type: 2, chainId: 1n, nonce: 0n, to: `0x${'11'.repeat(20)}`, accessList: [], ...fields },
  new Uint8Array(32).fill(7),
  suite,
);

function sendersOver(worker: Pick<SenderService, 'recover'>) {
  const clock = new ManualClock();
  const batches: number[] = [];
  const recover: SenderService['recover'] = (raws) => {
    batches.push(raws.length);
    return worker.recover(raws);
  };
  return { clock, batches, senders: new PromptSenders({ suite, clock, worker: { recover } }) };
}

describe('recovery of senders', () => {
  const { raw, sender } = transaction;

  it('does not go to the worker for a transaction that comes alone, and gives the same answers', async () => {
    const { senders, batches } = sendersOver(new SenderService(suite));
    expect(await senders.recover([raw])).toEqual([sender]);
    expect(await senders.recover([raw, raw.subarray(1)])).toEqual([sender, undefined]);
    expect(batches).toEqual([]);
    expect(await senders.recover([raw, raw, raw])).toEqual([sender, sender, sender]);
    expect(batches).toEqual([3]);
  });

  it('leaves singles to the worker while it is at work, and comes back when it is done', async () => {
    const open: (() => void)[] = [];
    const { senders, batches } = sendersOver({
      recover: (raws) => new Promise((resolve) => open.push(() => resolve(raws.map(() => sender)))),
    });
    const many = senders.recover([raw, raw, raw]);
    const single = senders.recover([raw]);
    expect(batches).toEqual([3, 1]);
    for (const answer of open) answer();
    await Promise.all([many, single]);
    expect(await senders.recover([raw])).toEqual([sender]);
    expect(batches).toEqual([3, 1]);
  });

  it('is not kept busy by a flood of singles, and forgets it', async () => {
    const { senders, batches, clock } = sendersOver({ recover: async (raws) => raws.map(() => sender) });
    for (let i = 0; i < 40; i++) await senders.recover([raw]);
    expect(batches.length).toBe(8);
    clock.advance(1_000);
    await senders.recover([raw]);
    expect(batches.length).toBe(8);
  });

  it('is free again after the worker failed', async () => {
    const { senders, batches } = sendersOver({ recover: async () => Promise.reject(new Error('the thread died')) });
    await expect(senders.recover([raw, raw, raw])).rejects.toThrow('the thread died');
    expect(await senders.recover([raw])).toEqual([sender]);
    expect(batches).toEqual([3]);
  });
});
