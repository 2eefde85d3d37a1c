import { describe, expect, it } from 'vitest';
import { ManualClock } from '../runtime/manualClock.ts';
import { CallScheduler, type CallSchedulerOptions } from './callScheduler.ts';
import type { CallService } from './dependencies.ts';

const defaults: CallSchedulerOptions = {
  sliceMs: 100,
  timeoutMs: 5_000,
  maxQueued: 100,
  maxQueuedPerClient: 50,
  maxQueuedBytes: 1_000,
};

/** Threads on a clock of their own: a call that takes 200 ms ends after 200 ms, or with a timeout when its budget is over. */
function threads(count: number, options: Partial<CallSchedulerOptions> = {}) {
  const clock = new ManualClock();
  const services = Array.from({ length: count }, () => ({}) as CallService);
  const scheduler = new CallScheduler({ ...defaults, ...options }, { services, clock });
  const log: string[] = [];
  const ask = (name: string, durationMs: number, { client = 'one', bytes = 1, leftMs = 30_000 } = {}) => {
    const startedMs = clock.monotonicMs();
    const settled = scheduler
      .run({
        client,
        bytes,
        throwIfAborted: () => {
          if (leftMs === 0) throw new Error('nobody waits');
        },
        remainingMs: () => leftMs,
        work: (service, timeoutMs) =>
          new Promise<{ status: string }>((resolve) => {
            log.push(`${name} on ${services.indexOf(service)} for ${timeoutMs}`);
            clock.schedule(Math.min(durationMs, timeoutMs), () =>
              resolve({ status: durationMs <= timeoutMs ? 'success' : 'timeout' }),
            );
          }),
      })
      .then(
        ({ status }) => `${name} ${status} after ${clock.monotonicMs() - startedMs}`,
        (error: Error) => `${name}: ${error.message}`,
      );
    return settled;
  };
  /** Lets time pass in steps, each with everything that follows from it. */
  const pass = async (ms: number, stepMs = 10): Promise<void> => {
    for (let passed = 0; passed < ms; passed += stepMs) {
      clock.advance(stepMs);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { scheduler, ask, pass, log };
}

describe('the scheduler of calls', () => {
  it('answers quick calls although more endless ones than threads are in work', async () => {
    const { ask, pass } = threads(2);
    const endless = Array.from({ length: 4 }, (_, index) => ask(`endless ${index}`, Number.POSITIVE_INFINITY));
    await pass(1_000);
    const quick = ask('quick', 20);
    await pass(20);
    expect(await quick).toBe('quick success after 20');
    await pass(5_000);
    for (const [index, outcome] of endless.entries()) {
      expect(await outcome).toMatch(new RegExp(`^endless ${index} timeout after`));
    }
  });

  it('lets at most one slice of each call that came before pass before a quick one', async () => {
    const { ask, pass } = threads(2);
    for (let index = 0; index < 4; index++) void ask(`endless ${index}`, Number.POSITIVE_INFINITY);
    const quick = ask('quick', 20);
    await pass(500);
    expect(Number(/after (\d+)/.exec(await quick)?.[1])).toBeLessThanOrEqual(4 * 100 + 20);
  });

  it('gives a call that needs long a second and a third attempt, with more time', async () => {
    const { ask, pass, log } = threads(2);
    const long = ask('long', 3_000);
    await pass(5_000);
    expect(await long).toBe('long success after 4100');
    expect(log).toEqual(['long on 0 for 100', 'long on 1 for 1000', 'long on 1 for 3900']);
  });

  it('counts the time from the admission on, the waiting and what the request has left included', async () => {
    const { ask, pass, log } = threads(2);
    const first = ask('first', Number.POSITIVE_INFINITY);
    const short = ask('short', Number.POSITIVE_INFINITY, { leftMs: 150 });
    await pass(5_000);
    expect([await first, await short]).toEqual(['first timeout after 5000', 'short timeout after 1100']);
    // 150 ms are over when its second turn comes, so there is none.
    expect(log.filter((line) => line.startsWith('short'))).toEqual(['short on 1 for 100']);
  });

  it('serves clients in turns, who used least first', async () => {
    const { ask, pass, log } = threads(1);
    for (let index = 0; index < 5; index++) void ask(`a${index}`, 50, { client: 'a' });
    await pass(60);
    void ask('b0', 50, { client: 'b' });
    void ask('b1', 50, { client: 'b' });
    await pass(500);
    expect(log.map((line) => line.split(' ')[0])).toEqual(['a0', 'a1', 'b0', 'a2', 'b1', 'a3', 'a4']);
  });

  it('does with one thread: quick calls first', async () => {
    const { ask, pass } = threads(1);
    const long = ask('long', 500);
    await pass(50);
    const quick = ask('quick', 10);
    await pass(1_000);
    expect(await quick).toBe('quick success after 60');
    expect(await long).toBe('long success after 610');
  });

  it('bounds what waits of one client', async () => {
    const { ask, scheduler } = threads(1, { maxQueuedPerClient: 2 });
    for (let index = 0; index < 3; index++) void ask(`call ${index}`, 10);
    expect([scheduler.running, scheduler.queued]).toEqual([1, 2]);
    expect(await ask('fourth', 10)).toBe(
      'fourth: limit exceeded: 2 calls of this client wait already, try again later',
    );
  });

  it('refuses the newest of the client with the most when the queue is full', async () => {
    const { ask, pass } = threads(1, { maxQueued: 3 });
    const mine = Array.from({ length: 4 }, (_, index) => ask(`mine ${index}`, 10));
    expect(await ask('mine 4', 10)).toBe('mine 4: limit exceeded: 3 calls wait already, try again later');
    const other = ask('other', 10, { client: 'two' });
    await pass(200);
    expect(await other).toMatch(/^other success/);
    expect(await mine[3]).toBe('mine 3: limit exceeded: 3 calls wait already, try again later');
    expect(await mine[2]).toMatch(/^mine 2 success/);
  });

  it('bounds the bytes that wait, though one request may have any size', async () => {
    const { ask } = threads(1);
    void ask('running', 10, { bytes: 5_000 });
    void ask('large', 10, { bytes: 5_000 });
    expect(await ask('more', 10, { bytes: 1 })).toMatch('limit exceeded');
  });

  it('spends no time on calls for whose answer nobody waits', async () => {
    const { ask, pass, log, scheduler } = threads(1);
    expect(await ask('gone', 10, { leftMs: 0 })).toBe('gone: nobody waits');
    expect(log).toEqual([]);
    await pass(10);
    expect([scheduler.running, scheduler.queued]).toEqual([0, 0]);
  });
});
