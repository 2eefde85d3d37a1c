import { describe, expect, it } from 'vitest';
import { createRealClock } from './realClock.ts';

describe('the real clock', () => {
  it('fires what is due in the next turn although nothing else happens', async () => {
    const clock = createRealClock();
    let fired = 0;
    for (let turn = 0; turn < 100; turn++) {
      await new Promise<void>((resolve) => clock.schedule(0, resolve));
      fired++;
    }
    expect(fired).toBe(100);
  }, 2_000);

  it('fires in the order of the delays, and not what was cancelled', async () => {
    const clock = createRealClock();
    const fired: string[] = [];
    clock.schedule(0, () => fired.push('cancelled')).cancel();
    clock.schedule(1, () => fired.push('cancelled too')).cancel();
    const before = clock.monotonicMs();
    // Timers of the clock do not keep a process alive; this one does until the test is over.
    const keepAlive = setInterval(() => undefined, 1_000);
    await new Promise<void>((resolve) => {
      clock.schedule(3, () => {
        fired.push('second');
        resolve();
      });
      clock.schedule(0, () => fired.push('first'));
    });
    clearInterval(keepAlive);
    expect(fired).toEqual(['first', 'second']);
    expect(clock.monotonicMs()).toBeGreaterThan(before);
  });
});
