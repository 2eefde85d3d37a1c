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

/** Whether the network lives, measured from the moment at which this is made: when faults stopped. */
export class Liveness {
  readonly #cluster: Cluster;
  readonly #bounds: LivenessBounds;
  readonly #beganAtMs: number;
  readonly #beganInEpoch: number;
  readonly #beganInView: number;

  constructor(cluster: Cluster, bounds = livenessBounds(cluster.setup.validators)) {
    this.#cluster = cluster;
    this.#bounds = bounds;
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

  get everybodyRuns(): boolean {
    return this.#cluster.honest.every(({ process }) => process?.state === 'running');
  }

  /**
   * Whether every honest member that is in the present set votes. Nobody is excused. A lost log is outlived once q others report where they are,
   * and those exist: losers of logs and Byzantine members together are at most f, so that sets of three or fewer, where there are no q
   * others, never lose one. A member that stopped for its disk is started again when faults end.
   */
  get everybodyVotes(): boolean {
    return this.#silent().length === 0;
  }

  /** What keeps the network from being at rest: every honest member runs, votes if it is a validator, and stands where the others stand. */
  get unrest(): string | undefined {
    if (!this.everybodyRuns) return 'not everybody runs';
    const engines = this.#cluster.honest.map(({ process }) => process?.member?.engine);
    if (new Set(engines.map((engine) => engine?.state().epoch)).size > 1) return 'not everybody is in the same epoch';
    const heights = this.#cluster.honest.map(({ process }) => process?.reader?.headHeight());
    if (new Set(heights).size > 1) return 'not everybody is at the same height';
    const silent = this.#silent();
    return silent.length > 0 ? `${silent.join(' and ')} may vote and does not` : undefined;
  }

  /** What is wrong when the time for it is over, or everything came to rest; undefined if nothing is. */
  judge(everythingIsFinal: boolean): string | undefined {
    const { unrest } = this;
    const missing = [
      ...(everythingIsFinal ? [] : ['not everything is final']),
      ...(unrest === undefined ? [] : [unrest]),
    ];
    if (missing.length > 0) return missing.join(', ');
    const { views } = this.spent;
    return views > this.#bounds.views
      ? `everything is at rest, which took more than ${this.#bounds.views} views`
      : undefined;
  }

  report(report: Report, what: string): void {
    const { views, forMs } = this.spent;
    const states = this.#cluster.machines.map((machine) => `${machine.name} ${describe(machine)}`).join(', ');
    report(`liveness: ${what}, after ${Math.round(forMs)} ms and ${views} views without faults (${states})`);
  }

  /** The names of honest validators of the present set that do not vote. */
  #silent(): readonly string[] {
    const { honest } = this.#cluster;
    return honest.flatMap(({ name, process }) => {
      const engine = process?.member?.engine;
      const decides = engine?.validators.validators.some((validator) => validator.name === name) === true;
      return decides && engine.state().voting !== 'voting' ? [name] : [];
    });
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
