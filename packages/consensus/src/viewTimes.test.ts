import { faultBound } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { type SeenView, SteadyNetwork, type SteadyOptions } from './testing/steadyNetwork.ts';

// Simulated time: a message takes LINK, a flush, an execution or a build takes WORK, and everything else no time at all.
const LINK = 10;
const WORK = 1;
const PACE = 50;
const FLOOR = 200;
/** Leaders count the pace from when the block before reached them; then they build, flush and send. */
const BLOCK = PACE + 2 * WORK + LINK;
/** One round of nullify votes: a flush and a message. */
const NULLIFICATION = WORK + LINK;
/** A leader that says nothing is waited for. */
const TIMEOUT = 2 * FLOOR + PACE + NULLIFICATION;
/** From a view's notarization to its finalization: a flush and a message. */
const FINALITY = WORK + LINK;

const quick = (): number => LINK;
const oneSlow =
  (slow: number, slowMs: number) =>
  (from: number, to: number): number =>
    from === slow || to === slow ? slowMs : LINK;

function network(options: Partial<SteadyOptions> = {}): SteadyNetwork {
  return new SteadyNetwork({ validators: 4, linkMs: quick, workMs: WORK, transactionEveryMs: 20, ...options });
}

/** The views that a member entered and left in a time, with how long they lasted. */
function viewsOf(simulated: SteadyNetwork, index: number, fromMs: number, toMs = Number.POSITIVE_INFINITY) {
  const whole = (seen: SeenView): boolean =>
    seen.enteredMs >= fromMs && seen.leftMs !== undefined && seen.leftMs <= toMs;
  return simulated
    .seen(index)
    .filter(whole)
    .map((seen) => ({ ...seen, lastedMs: seen.leftMs! - seen.enteredMs }));
}

function expectSound(simulated: SteadyNetwork): void {
  expect({ violations: simulated.violations, alarms: simulated.alarms }).toEqual({ violations: [], alarms: [] });
}

describe('with all members there', () => {
  it('a view takes the pace, a message and the work, and its block is final one more message and flush later', () => {
    const simulated = network();
    simulated.runUntil(3_000);
    const views = viewsOf(simulated, 0, 500, 2_900);
    expect(views.length).toBeGreaterThan(30);
    for (const { view, lastedMs, nullified, finalMs, leftMs } of views) {
      expect({ view, lastedMs, nullified, finalMs }).toEqual({
        view,
        lastedMs: BLOCK,
        nullified: false,
        finalMs: leftMs! + FINALITY,
      });
    }
    expectSound(simulated);
  });
});

/** Who is down: one of four, each in turn; and as many as may be of five, six and seven, beside each other and apart. */
const casts: readonly { readonly validators: number; readonly down: readonly number[] }[] = [
  ...[0, 1, 2, 3].map((index) => ({ validators: 4, down: [index] })),
  { validators: 5, down: [2] },
  { validators: 6, down: [5] },
  { validators: 7, down: [3, 4] },
  { validators: 7, down: [1, 5] },
];

describe.each(casts)('with $down of $validators down', ({ validators, down }) => {
  const watcher = [0, 1, 2].find((index) => !down.includes(index))!;

  let hanging: SteadyNetwork | undefined;
  const hung = (): SteadyNetwork => {
    hanging ??= stopped({ hangs: true });
    return hanging;
  };

  function stopped(options: { readonly hangs: boolean; readonly paceMs?: number }): SteadyNetwork {
    expect(down.length).toBe(faultBound(validators));
    const simulated = network({ validators, ...(options.paceMs !== undefined && { paceMs: options.paceMs }) });
    simulated.runUntil(1_000);
    for (const index of down) simulated.stop(index, options);
    simulated.runUntil(6_000);
    expectSound(simulated);
    return simulated;
  }

  it('their views cost one round of nullify votes, and the pace of blocks hides even that', () => {
    const simulated = hung();
    const views = viewsOf(simulated, watcher, 4_000, 5_900);
    let skippedMs = 0;
    for (const { view, leader, lastedMs, nullified, deltaMs, finalMs, leftMs } of views) {
      const absent = down.includes(leader);
      // The first view of the sample may follow one that was skipped before.
      if (view !== views[0]?.view) {
        const expectedMs = absent ? NULLIFICATION : BLOCK - skippedMs;
        expect({ view, nullified, lastedMs, deltaMs }).toEqual({
          view,
          nullified: absent,
          lastedMs: expectedMs,
          deltaMs: FLOOR,
        });
        if (!absent) expect(finalMs).toBe(leftMs! + FINALITY);
      }
      skippedMs = absent ? skippedMs + lastedMs : 0;
    }
    expect(views.filter(({ nullified }) => nullified).length).toBeGreaterThanOrEqual(down.length * 4);
  });

  it('without a pace, their views cost one round of nullify votes and the others cost nothing more', () => {
    const simulated = stopped({ hangs: true, paceMs: 0 });
    // Build, proposal, check and vote: two messages.
    const block = 2 * LINK + 5 * WORK;
    for (const { view, leader, lastedMs, deltaMs } of viewsOf(simulated, watcher, 4_000, 5_900)) {
      const expectedMs = down.includes(leader) ? NULLIFICATION : block;
      expect({ view, lastedMs, deltaMs }).toEqual({ view, lastedMs: expectedMs, deltaMs: FLOOR });
    }
  });

  it('their views end a delta after the connection did, and then at once', () => {
    const simulated = stopped({ hangs: false });
    // Told of after a message's time, believed after a delta.
    const believedMs = 1_000 + LINK + FLOOR;
    for (const { view, leader, enteredMs, lastedMs, deltaMs } of viewsOf(simulated, watcher, 1_000, 5_900)) {
      expect({ view, deltaMs }).toEqual({ view, deltaMs: FLOOR });
      if (!down.includes(leader)) continue;
      const waitedMs = Math.max(0, believedMs - enteredMs);
      expect({ view, lastedMs }).toEqual({ view, lastedMs: waitedMs + NULLIFICATION });
    }
  });

  it('without an end of their connections, they are waited for during 2 s at most', () => {
    const simulated = hung();
    for (const { view, leader, enteredMs, lastedMs } of viewsOf(simulated, watcher, 1_000, 5_900)) {
      if (!down.includes(leader)) continue;
      const heardMs = 1_000 + LINK;
      if (enteredMs >= heardMs + 2_000) expect({ view, lastedMs }).toEqual({ view, lastedMs: NULLIFICATION });
      else expect(lastedMs).toBeLessThanOrEqual(TIMEOUT);
    }
  });
});

describe('with a member down on an idle network', () => {
  it('one transaction is final as soon as with everybody there: the turn of the one that is down has passed before it comes', () => {
    const took = (down: number | undefined): number[] => {
      const simulated = network({ transactionEveryMs: undefined });
      simulated.runUntil(100);
      if (down !== undefined) simulated.stop(down);
      const times: number[] = [];
      for (let count = 1; count <= 8; count++) {
        const submittedMs = 10_000 * count;
        simulated.runUntil(submittedMs);
        simulated.submit();
        simulated.runUntil(submittedMs + 5_000);
        const finalMs = simulated.seen(1).flatMap((seen) => seen.finalMs ?? []);
        times.push(Math.max(...finalMs) - submittedMs);
      }
      expectSound(simulated);
      return times;
    };
    const healthy = took(undefined);
    // Build, proposal, vote, vote: three messages.
    expect(healthy).toEqual(healthy.map(() => 3 * LINK + 6 * WORK));
    expect(took(3)).toEqual(healthy);
    expect(took(0)).toEqual(healthy);
  });
});

describe('with one member behind', () => {
  it.each([100, 200, 250, 300, 380, 600, 1_500])('by %i ms, no view waits for it but its own', (slowMs) => {
    const simulated = network({ linkMs: oneSlow(3, slowMs) });
    simulated.runUntil(10_000);
    expectSound(simulated);
    // Begins in the view after one that had a block.
    const seen = viewsOf(simulated, 0, 5_000, 9_900);
    const views = seen.slice(seen.findIndex(({ nullified }) => !nullified) + 1);
    let skippedMs = 0;
    for (const { view, leader, lastedMs, nullified, finalMs, leftMs, deltaMs } of views) {
      expect({ view, deltaMs }).toEqual({ view, deltaMs: FLOOR });
      if (leader === 3) {
        skippedMs = nullified ? lastedMs : 0;
        continue;
      }
      // What the pace asks for has passed already when a slow view was skipped; the block itself takes its two messages.
      const expectedMs = Math.max(2 * LINK + 5 * WORK, BLOCK - skippedMs);
      skippedMs = 0;
      expect({ view, lastedMs, nullified, finalMs }).toEqual({
        view,
        lastedMs: expectedMs,
        nullified: false,
        finalMs: leftMs! + FINALITY,
      });
    }
  });

  it.each([
    // The leader enters late by the delay, and its proposal is late by another one. (It counts the pace from when it heard of the block before.)
    { validators: 4, slowMs: 200, lastedMs: 2 * 200 + 4 * LINK + 2 * WORK, nullified: false },
    { validators: 4, slowMs: 300, lastedMs: 2 * 300 + 4 * LINK + 2 * WORK, nullified: false },
    { validators: 4, slowMs: 380, lastedMs: 2 * 380 + 4 * LINK + 2 * WORK, nullified: false },
    // Twice the usual patience would not be enough: it is not given.
    { validators: 10, slowMs: 450, lastedMs: TIMEOUT, nullified: true },
    // The proposal comes after its leader's next turn has passed, and tells nothing any more.
    { validators: 4, slowMs: 600, lastedMs: TIMEOUT, nullified: true },
    // So far behind it speaks of views long settled, and does not count as there.
    { validators: 4, slowMs: 1_500, lastedMs: NULLIFICATION, nullified: true },
  ])('by $slowMs ms among $validators, its own views last $lastedMs ms', ({
    validators,
    slowMs,
    lastedMs,
    nullified,
  }) => {
    const simulated = network({ validators, linkMs: oneSlow(3, slowMs) });
    simulated.runUntil(10_000);
    const own = viewsOf(simulated, 0, 5_000, 9_900).filter(({ leader }) => leader === 3);
    expect(own.length).toBeGreaterThan(3);
    for (const { view, lastedMs: took, nullified: failed } of own)
      expect({ view, took, failed }).toEqual({ view, took: lastedMs, failed: nullified });
  });
});

describe('a member that comes back', () => {
  it('leads again in its next turn, with the full timers', () => {
    const simulated = network();
    simulated.runUntil(1_000);
    simulated.stop(3);
    simulated.runUntil(5_000);
    simulated.restart(3);
    simulated.runUntil(8_000);
    expectSound(simulated);
    const own = viewsOf(simulated, 0, 5_000, 7_900).filter(({ leader }) => leader === 3);
    // It starts, is told where the others are, and speaks of a current view: two messages.
    const first = own.findIndex(({ enteredMs }) => enteredMs >= 5_000 + 2 * LINK + WORK);
    expect(own.slice(first).every(({ nullified, lastedMs }) => !nullified && lastedMs === BLOCK)).toBe(true);
    expect(own.length - first).toBeGreaterThan(8);
  });

  it('is waited for as long as anybody else once it votes, though it does not lead', () => {
    const simulated = network();
    simulated.runUntil(1_000);
    simulated.stop(3);
    simulated.runUntil(5_000);
    simulated.lose = ({ from, message }) => from === 3 && message.type === 'proposal';
    simulated.restart(3);
    simulated.runUntil(10_000);
    const own = viewsOf(simulated, 0, 5_100, 9_900).filter(({ leader }) => leader === 3);
    expect(own.length).toBeGreaterThan(3);
    for (const { nullified, lastedMs } of own)
      expect({ nullified, lastedMs }).toEqual({ nullified: true, lastedMs: TIMEOUT });
  });
});

describe('delta', () => {
  const slowLinks = 400;

  it('grows until views of a slow network succeed, stays at what fits, and comes back when the network is quick again', () => {
    const simulated = network({
      linkMs: (_from, _to, nowMs) => (nowMs < 30_000 ? slowLinks : LINK),
      transactionEveryMs: 100,
    });
    simulated.runUntil(33_000);
    expectSound(simulated);
    const settled = viewsOf(simulated, 0, 6_000, 29_000);
    expect(settled.length).toBeGreaterThan(25);
    // Proposal and vote: two messages. What 3 delta have to hold, with half as much again.
    const neededMs = Math.ceil((2 * slowLinks + 5 * WORK - PACE) / 3);
    for (const { view, nullified, lastedMs, deltaMs } of settled) {
      expect({ view, nullified, lastedMs, deltaMs }).toEqual({
        view,
        nullified: false,
        lastedMs: 2 * slowLinks + 5 * WORK,
        deltaMs: neededMs + Math.ceil(neededMs / 2),
      });
    }
    const quickAgain = viewsOf(simulated, 0, 30_000 + 2 * slowLinks);
    expect(quickAgain[0]!.deltaMs).toBeGreaterThan(FLOOR);
    // Within four turns of everybody.
    for (const { lastedMs, deltaMs } of quickAgain.slice(16))
      expect({ lastedMs, deltaMs }).toEqual({ lastedMs: BLOCK, deltaMs: FLOOR });
    expect(quickAgain.length).toBeGreaterThan(25);
  });

  it('does not grow for one leader that is late on purpose', () => {
    let late = 0;
    const simulated = network({
      // Its proposals arrive just before those who wait would give up; its votes are quick.
      linkMs: (from, _to, _nowMs, kind) =>
        from === 2 && kind === 'proposal' ? 2 * FLOOR + PACE - 100 + 10 * late++ : LINK,
    });
    simulated.runUntil(20_000);
    expectSound(simulated);
    for (const { view, leader, deltaMs, lastedMs } of viewsOf(simulated, 0, 0, 19_900)) {
      expect({ view, deltaMs }).toEqual({ view, deltaMs: FLOOR });
      // Twice the patience, and the round in which the others give up.
      if (leader === 2) expect(lastedMs).toBeLessThanOrEqual(4 * FLOOR + PACE + FLOOR + NULLIFICATION);
    }
  });
});
