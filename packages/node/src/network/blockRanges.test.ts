import { describe, expect, it } from 'vitest';
import { ManualClock } from '../runtime/manualClock.ts';
import { serveBlockRanges } from './blockRanges.ts';
import { encodeBlockRange, MAX_RANGE_BYTES } from './syncWire.ts';

/** The handler of a member that has no blocks, and how often it was asked. */
function server() {
  const clock = new ManualClock();
  const asked: number[] = [];
  let handler: (peer: string, payload: Uint8Array) => Promise<Uint8Array> = async () => new Uint8Array(0);
  const network = {
    onRequest: (_kind: number, given: typeof handler) => {
      handler = given;
    },
  };
  const source = async ({ maxBytes }: { maxBytes: number }) => {
    asked.push(maxBytes);
    return [];
  };
  serveBlockRanges(network, source, clock);
  const ask = (peer: string, maxBytes = MAX_RANGE_BYTES) =>
    handler(peer, encodeBlockRange({ from: 1, maxCount: 512, maxBytes }));
  return { clock, asked, ask };
}

describe('the server of block ranges', () => {
  it('gives each peer a budget, refuses what is above without reading, and refills it', async () => {
    const { clock, asked, ask } = server();
    const refused = async (peer: string) =>
      ask(peer).then(
        () => undefined,
        (error: Error) => error.message,
      );
    // An answer without blocks costs 64 KiB of the 64 MiB; a request must still find room for all that it may get.
    let answered = 0;
    while ((await refused('bank')) === undefined) answered++;
    expect(answered).toBe((64 * 1024 - 1024) / 64 + 1);
    expect(await refused('bank')).toBe('too many blocks were asked for, try again later');
    expect(asked.length).toBe(answered);
    expect(await refused('farm')).toBeUndefined();
    clock.advance(1_000);
    expect(await refused('bank')).toBeUndefined();
  });

  it('reads no more than 1 MiB for one request, whatever it asks for', async () => {
    const { asked, ask } = server();
    await ask('bank', MAX_RANGE_BYTES);
    await ask('bank', 1_000);
    expect(asked).toEqual([1024 * 1024, 1_000]);
  });

  it('refuses a range out of bounds', async () => {
    await expect(server().ask('bank', MAX_RANGE_BYTES + 1)).rejects.toThrow('out of bounds');
  });
});
