import { describe, expect, it } from 'vitest';
import { ManualClock } from '../runtime/manualClock.ts';
import { serveBlockRanges } from './blockRanges.ts';
import { encodeBlockRange, MAX_RANGE_BYTES } from './syncWire.ts';

/** The handler of a member that has so many blocks of some 2,000 bytes, and the heights that it read. */
function server(blocks = 0) {
  const clock = new ManualClock();
  const asked: number[] = [];
  let handler: (peer: string, payload: Uint8Array) => Promise<Uint8Array> = async () => new Uint8Array(0);
  const network = {
    onRequest: (_kind: number, given: typeof handler) => {
      handler = given;
    },
  };
  const source = (height: number) => {
    asked.push(height);
    if (height > blocks) return undefined;
    return { proposal: new Uint8Array(2_000), transactions: [], certificate: undefined };
  };
  serveBlockRanges(network, source, clock);
  const ask = (peer: string, maxBytes = MAX_RANGE_BYTES) =>
    handler(peer, encodeBlockRange({ from: 1, maxCount: 512, maxBytes }));
  return { clock, asked, ask };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function drain(clock: ManualClock): Promise<void> {
  await settle();
  while (clock.pending > 0) {
    clock.advance(0);
    await settle();
  }
}

describe('the server of block ranges', () => {
  it('gives each peer a budget, refuses what is above without reading, and refills it', async () => {
    const { clock, asked, ask } = server();
    const refused = async (peer: string) =>
      ask(peer).then(
        () => undefined,
        (error: Error) => error.message,
      );
    // An answer without blocks costs 64 KiB of the 64 MiB; a request must still find room for all that it may get: 1 MiB and 512 blocks of 1 KiB more.
    let answered = 0;
    while ((await refused('bank')) === undefined) answered++;
    expect(answered).toBe((64 * 1024 - 1536) / 64 + 1);
    expect(await refused('bank')).toBe('too many blocks were asked for, try again later');
    expect(asked.length).toBe(answered);
    expect(await refused('farm')).toBeUndefined();
    clock.advance(1_000);
    expect(await refused('bank')).toBeUndefined();
  });

  it('reads no more than 1 MiB for one request, whatever it asks for', async () => {
    const { clock, ask } = server(10_000);
    const answering = ask('bank');
    await drain(clock);
    const { length } = await answering;
    expect(length).toBeLessThanOrEqual(1024 * 1024);
    expect(length).toBeGreaterThan(1000 * 1024);
  });

  it('reads a few blocks in a turn, and for one request of a peer at a time, so that others have theirs', async () => {
    const { clock, asked, ask } = server(10_000);
    const answers = Promise.all([ask('bank'), ask('bank'), ask('bank'), ask('farm')]);
    let most = 0;
    for (let read = 0; clock.pending > 0 || read === 0; ) {
      clock.advance(0);
      await settle();
      most = Math.max(most, asked.length - read);
      read = asked.length;
    }
    // Two peers, each with its turn of 32 blocks.
    expect(most).toBe(64);
    expect((await answers).map(({ length }) => length > 1000 * 1024)).toEqual([true, true, true, true]);
  });

  it('refuses a range out of bounds', async () => {
    await expect(server().ask('bank', MAX_RANGE_BYTES + 1)).rejects.toThrow('out of bounds');
  });
});
