import { faultBound } from '@hanse/protocol';
import { Attacker } from './byzantine/attacker.ts';
import { behaviours, TWINS } from './byzantine/behaviours.ts';
import { leadTwins } from './byzantine/twins.ts';
import { createCheckers } from './checkers/checkers.ts';
import { Liveness, livenessBounds } from './checkers/liveness.ts';
import { FAULT_NAMES, Faults } from './faults/faults.ts';
import { Audit } from './world/audit.ts';
import { type ByzantineMember, Cluster } from './world/cluster.ts';
import { Governance } from './world/governance.ts';
import type { SuiteChoice } from './world/networkSetup.ts';
import { NORMAL_LINK } from './world/simulatedNetwork.ts';
import { SimulationRandom } from './world/simulationRandom.ts';
import { Workload } from './world/workload.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly validators: number;
  /** Faults last until some honest member has so many blocks, or three seconds for each have passed. */
  readonly heights: number;
  readonly suite: SuiteChoice;
  /** The name of a behaviour for all Byzantine members, `random`, or `none`. */
  readonly byzantine: string;
  /** Kinds of faults that a seed may use. */
  readonly faults: readonly string[];
  /** Whether members change the set and their keys; some seeds do if absent. */
  readonly governance?: boolean | undefined;
  /** Gets a line for everything that happens. */
  readonly log?: ((line: string) => void) | undefined;
}

export interface SimulationReport {
  readonly violations: readonly string[];
  /** The greatest height that an honest member reached. */
  readonly heights: number;
  readonly frames: number;
  readonly transactions: number;
  /** Epochs that ended. */
  readonly epochs: number;
  /** Simulated milliseconds. */
  readonly simulatedMs: number;
  /** What passed until everybody had everything, once faults stopped. */
  readonly recovery: { readonly views: number; readonly forMs: number };
  /** A hash of everything that happened. */
  readonly audit: string;
}

export const ALL_FAULTS = FAULT_NAMES;
/** A block needs some 60 ms of a sound network. */
const FAULTY_MS_PER_HEIGHT = 3_000;
const REST_MS = 2_000;
/** How often it is asked whether everybody votes, and how many times for each further transaction while somebody does not. */
const LOOK_MS = 500;
const LOOKS_PER_PROBE = 4;
/** In some runs members are so far apart, before and after all faults, that three times the least delta (200 ms) is not enough for a view. */
const FAR_PERCENT = 10;
const FAR_LINK = { ...NORMAL_LINK, leastMs: 300, mostMs: 450 };

/** Runs one seed: a network under faults, then the same without, held to every checker throughout. */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const simulation = await Simulation.create(options);
  return simulation.run();
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #cluster: Cluster;
  readonly #audit: Audit;
  readonly #workload: Workload;
  readonly #governance: Governance | undefined;
  readonly #faults: Faults;
  readonly #random: SimulationRandom;
  readonly #checkers: ReturnType<typeof createCheckers>;
  /** The greatest height that an honest member told of. */
  #height = 0;
  /** Something happened that may have brought everybody to rest. */
  #moved = true;
  #rested = false;
  readonly #violations: string[] = [];

  static async create(options: SimulationOptions): Promise<Simulation> {
    const { seed, suite, validators } = options;
    const random = new SimulationRandom(seed, 'simulation');
    const governs = options.governance ?? random.chance(35);
    const observers = governs ? random.between(1, 3) : random.chance(20) ? 1 : 0;
    const cluster = await Cluster.create({
      seed,
      suite,
      validators,
      observers,
      cloning: random.chance(12),
      logSegmentBytes: random.pick([1_000, 5_000, 20_000, 1_000_000]),
      byzantine: chooseByzantine(options, random),
    });
    if (new SimulationRandom(seed, 'distance').chance(FAR_PERCENT)) cluster.network.setNormal(FAR_LINK);
    return new Simulation(options, cluster, random, governs);
  }

  private constructor(options: SimulationOptions, cluster: Cluster, random: SimulationRandom, governs: boolean) {
    this.#options = options;
    this.#cluster = cluster;
    this.#random = random;
    this.#audit = new Audit(cluster.clock);
    const note = (what: string): void => {
      this.#audit.note(what);
      this.#log(what);
    };
    cluster.observe(this.#audit);
    if (options.log !== undefined) this.#observeForLog();
    this.#checkers = createCheckers({ cluster, report: (violation) => this.#violate(violation) });
    for (const checker of this.#checkers) cluster.observe(checker);
    this.#workload = new Workload(cluster, options.seed);
    cluster.observe(this.#workload);
    this.#governance = governs ? new Governance(cluster, this.#workload, { seed: options.seed, note }) : undefined;
    if (this.#governance !== undefined) cluster.observe(this.#governance);
    this.#observeProgress();
    const byzantine = new Set(cluster.machines.filter(({ honest }) => !honest).map(({ member }) => member));
    const spareFaults = faultBound(options.validators) - byzantine.size;
    this.#faults = new Faults(cluster, { seed: options.seed, kinds: options.faults, spareFaults, note });
    cluster.observe(this.#faults);
    for (const member of byzantine) note(`${cluster.setup.names[member]} is Byzantine`);
    const twins = [...byzantine].filter((member) =>
      cluster.machines.some((each) => each.member === member && each.twin > 0),
    );
    if (twins.length > 0) leadTwins(cluster, twins, new SimulationRandom(options.seed, 'twins'));
  }

  async run(): Promise<SimulationReport> {
    const rejected = (error: unknown): void => {
      this.#violate(
        `composure: a promise was rejected and nobody heard: ${error instanceof Error ? error.stack : String(error)}`,
      );
    };
    process.on('unhandledRejection', rejected);
    try {
      await this.#faultyPhase();
      const recovery = this.#broken ? { views: 0, forMs: 0 } : await this.#soundPhase();
      // Rejections are told of only when the queue of ticks is empty.
      await new Promise((resolve) => setImmediate(resolve));
      return this.#report(recovery);
    } finally {
      process.off('unhandledRejection', rejected);
      this.#cluster.close();
    }
  }

  get #broken(): boolean {
    return this.#violations.length > 0;
  }

  async #faultyPhase(): Promise<void> {
    const { heights } = this.#options;
    for (const machine of this.#cluster.machines) {
      this.#cluster.clock.schedule(this.#random.milliseconds(0, 300), () => {
        if (machine.process === undefined) this.#cluster.start(machine);
      });
    }
    this.#workload.start();
    this.#governance?.start();
    this.#cluster.clock.schedule(this.#random.milliseconds(0, 2_000), () => this.#faults.start());
    await this.#cluster.run(heights * FAULTY_MS_PER_HEIGHT, () => this.#broken || this.#height >= heights);
  }

  async #soundPhase(): Promise<SimulationReport['recovery']> {
    this.#faults.end();
    this.#workload.end();
    this.#governance?.end();
    const { forMs } = livenessBounds(this.#options.validators);
    const liveness = new Liveness(this.#cluster);
    await this.#cluster.run(
      forMs,
      this.#when(() => liveness.everybodyRuns),
    );
    if (!liveness.everybodyRuns) liveness.report((violation) => this.#violate(violation), 'not everybody runs');
    this.#workload.probe();
    this.#probeUntilRest(liveness);
    await this.#cluster.run(
      forMs,
      this.#when(() => this.#workload.allFinal && liveness.unrest === undefined),
    );
    this.#rested = true;
    const recovery = liveness.spent;
    const wrong = this.#broken ? undefined : liveness.judge(this.#workload.allFinal);
    if (wrong !== undefined) liveness.report((violation) => this.#violate(violation), wrong);
    await this.#cluster.run(REST_MS, () => this.#broken);
    if (!this.#broken) for (const checker of this.#checkers) checker.finish?.();
    return recovery;
  }

  /** Whoever lost its log may vote only above a finalization above where the others were (packages/consensus/spec.md, "Amnesia"): there must be some. */
  #probeUntilRest(liveness: Liveness, looks = 1): void {
    this.#cluster.clock.schedule(LOOK_MS, () => {
      if (this.#rested) return;
      // That a member votes again shows in its state alone.
      this.#moved = true;
      if (looks % LOOKS_PER_PROBE === 0 && this.#workload.allFinal && !liveness.everybodyVotes) this.#workload.probe();
      this.#probeUntilRest(liveness, looks + 1);
    });
  }

  #observeProgress(): void {
    const moved = (): void => {
      this.#moved = true;
    };
    this.#cluster.observe({
      started: moved,
      finalized: (machine, blocks) => {
        moved();
        if (machine.honest) for (const { height } of blocks) this.#height = Math.max(this.#height, height);
      },
    });
  }

  /** Asked after every event, so it looks only when one of few has happened. */
  #when(condition: () => boolean): () => boolean {
    return () => {
      if (!this.#moved) return this.#broken;
      this.#moved = false;
      return this.#broken || condition();
    };
  }

  #report(recovery: SimulationReport['recovery']): SimulationReport {
    return {
      violations: this.#violations,
      heights: this.#height,
      frames: this.#audit.frames,
      transactions: this.#workload.final,
      epochs: this.#governance?.epochs ?? 0,
      simulatedMs: this.#cluster.clock.monotonicMs(),
      recovery,
      audit: this.#audit.toString(),
    };
  }

  #violate(violation: string): void {
    this.#log(`VIOLATION: ${violation}`);
    this.#violations.push(violation);
  }

  #log(text: string): void {
    this.#options.log?.(`${this.#cluster.clock.monotonicMs().toFixed(3).padStart(10)} ${text}`);
  }

  #observeForLog(): void {
    this.#cluster.observe({
      starting: (machine) => this.#log(`${machine.name} starts, for the ${machine.incarnations}. time`),
      started: (machine) => this.#log(`${machine.name} runs`),
      ended: (machine, how) => this.#log(`${machine.name} ended: ${how}`),
      finalized: (machine, blocks) =>
        this.#log(`${machine.name} finalized ${blocks.map(({ height }) => height).join(' ')}`),
      logged: (machine, level, message, fields) =>
        this.#log(`${machine.name} ${level}: ${message} ${JSON.stringify(fields)}`),
    });
  }
}

/** At most f members, each with its way; `random` takes none in some runs and different ones in others. */
function chooseByzantine(options: SimulationOptions, random: SimulationRandom): ReadonlyMap<number, ByzantineMember> {
  const most = faultBound(options.validators);
  const names = Object.keys(behaviours);
  const members = Array.from({ length: options.validators }, (_, index) => index);
  const count = options.byzantine === 'none' ? 0 : options.byzantine === 'random' ? random.between(0, most) : most;
  const chosen = random.sample(members, count).map((member): [number, ByzantineMember] => {
    const name = options.byzantine === 'random' ? random.pick(names) : options.byzantine;
    const create = behaviours[name];
    if (create === undefined) throw new RangeError(`there is no behaviour ${name}`);
    return [
      member,
      {
        programs: name === TWINS ? 2 : 1,
        createInterceptor: (cluster, twin) => new Attacker(cluster, member, twin, create),
      },
    ];
  });
  return new Map(chosen);
}
