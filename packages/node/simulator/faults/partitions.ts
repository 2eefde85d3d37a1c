import { type Fault, type FaultContext, faultDurationMs, someMembers } from './fault.ts';

/** Ways between members close: between two groups, around one, in one direction, or open and shut in turn. */
export class Partitions implements Fault {
  readonly name = 'partitions';
  readonly #context: FaultContext;

  constructor(context: FaultContext) {
    this.#context = context;
  }

  strike(): void {
    const { random } = this.#context;
    const ways = random.chance(40) ? this.#oneWay() : this.#bothWays();
    if (ways.length === 0) return;
    const times = random.chance(25) ? random.between(2, 6) : 1;
    this.#close(ways, times);
  }

  #close(ways: readonly (readonly [number, number])[], times: number): void {
    const { cluster, random, note, later } = this.#context;
    note(`closes ${ways.length} ways: ${ways.map(([from, to]) => `${from}>${to}`).join(' ')}`);
    for (const [from, to] of ways) cluster.network.setBlocked(from, to, true);
    later(faultDurationMs(random), () => {
      for (const [from, to] of ways) cluster.network.setBlocked(from, to, false);
      note(`opens ${ways.length} ways`);
      if (times > 1) later(random.milliseconds(5, 400), () => this.#close(ways, times - 1));
    });
  }

  /** Between one group and the rest. */
  #bothWays(): readonly (readonly [number, number])[] {
    const { cluster, random } = this.#context;
    const group = new Set(someMembers(cluster, random));
    return this.#ways((from, to) => group.has(from) !== group.has(to));
  }

  /** What some send, or what some would get, or single ways. */
  #oneWay(): readonly (readonly [number, number])[] {
    const { cluster, random } = this.#context;
    const group = new Set(someMembers(cluster, random));
    switch (random.below(3)) {
      case 0:
        return this.#ways((from, to) => group.has(from) && !group.has(to));
      case 1:
        return this.#ways((from, to) => group.has(to) && !group.has(from));
      default:
        return random.sample(
          this.#ways(() => true),
          random.between(1, 3),
        );
    }
  }

  #ways(closed: (from: number, to: number) => boolean): (readonly [number, number])[] {
    const members = this.#context.cluster.setup.names.map((_, member) => member);
    return members.flatMap((from) =>
      members.flatMap((to): (readonly [number, number])[] => (from !== to && closed(from, to) ? [[from, to]] : [])),
    );
  }
}
