import type { Cluster } from '../world/cluster.ts';
import type { Machine } from '../world/machine.ts';
import type { Report } from './checker.ts';

/** What may pass from the moment at which faults stopped until everybody has everything. */
export interface LivenessBounds {
  readonly views: number;
  readonly forMs: number;
}

/**
 * In how many views, and in how much simulated time, a network must have everything final everywhere once faults stopped. Delta may have
 * grown to 64 times 200 ms in a partition (packages/consensus/spec.md, "Delta"), and a view without a leader lasts three of it; each of the
 * Byzantine members may spoil every view that it leads, and what starts anew must find its peers first.
 */
export function livenessBounds(validators: number): LivenessBounds {
  return { views: 20 + 8 * validators, forMs: 240_000 };
}

/** Whether the network lives, after faults stopped: measured from `begin`. */
export class Liveness {
  readonly #cluster: Cluster;
  readonly #beganAtMs: number;
  readonly #beganInEpoch: number;
  readonly #beganInView: number;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#beganAtMs = cluster.clock.monotonicMs();
    const { epoch, view } = this.#furthest();
    this.#beganInEpoch = epoch;
    this.#beganInView = view;
  }

  /** Views entered and time passed since faults stopped. */
  get spent(): LivenessBounds {
    const { epoch, view } = this.#furthest();
    // Views count anew in each epoch, and an epoch that ended is progress.
    const views = epoch === this.#beganInEpoch ? view - this.#beganInView : view;
    return { views, forMs: this.#cluster.clock.monotonicMs() - this.#beganAtMs };
  }

  /** Every honest member runs, votes if it may, and stands where the others stand. */
  isAtRest(): boolean {
    const { honest } = this.#cluster;
    const [first] = honest;
    const height = first?.process?.reader?.headHeight();
    const epoch = first?.process?.member?.engine.state().epoch;
    return honest.every(
      ({ process }) =>
        process?.state === 'running' &&
        process.reader?.headHeight() === height &&
        process.member?.engine.state().epoch === epoch,
    );
  }

  report(report: Report, waitsFor: string): void {
    const { views, forMs } = this.spent;
    const states = this.#cluster.machines.map((machine) => `${machine.name} ${describe(machine)}`).join(', ');
    report(`liveness: ${waitsFor} after ${Math.round(forMs)} ms and ${views} views without faults (${states})`);
  }

  /** Of whoever ran, ever: when faults stop, the furthest member may be the one that is down. */
  #furthest(): { readonly epoch: number; readonly view: number } {
    let furthest = { epoch: 0, view: 0 };
    for (const { process, lastStood } of this.#cluster.honest) {
      for (const state of [process?.member?.engine.state(), lastStood]) {
        if (state === undefined) continue;
        const ahead = state.epoch > furthest.epoch || (state.epoch === furthest.epoch && state.view > furthest.view);
        if (ahead) furthest = { epoch: state.epoch, view: state.view };
      }
    }
    return furthest;
  }
}

function describe({ process }: Machine): string {
  const state = process?.member?.engine.state();
  if (state === undefined) return process?.state ?? 'off';
  return `at height ${state.finalizedHeight} in epoch ${state.epoch}, view ${state.view}, ${state.voting}`;
}
