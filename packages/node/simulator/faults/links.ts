import type { Link } from '../world/simulatedNetwork.ts';
import { type Fault, type FaultContext, faultDurationMs, someMembers } from './fault.ts';

/** Ways become slow, lose packets, break connections or bring messages twice; and connections break at once. */
export class Links implements Fault {
  readonly name = 'links';
  readonly #context: FaultContext;

  constructor(context: FaultContext) {
    this.#context = context;
  }

  strike(): void {
    const { cluster, random, note, later } = this.#context;
    const members = someMembers(cluster, random);
    const others = cluster.setup.names.map((_, member) => member);
    if (random.chance(20)) {
      const member = members[0]!;
      note(`breaks the connections of ${member}`);
      for (const other of others) if (other !== member && random.chance(60)) cluster.network.reset(member, other);
      return;
    }
    const condition = this.#condition();
    note(`makes the ways of ${members.join(' ')} ${JSON.stringify(condition)}`);
    const links = members.flatMap((member) =>
      others.flatMap((other) => [cluster.network.link(member, other), cluster.network.link(other, member)]),
    );
    for (const link of links) Object.assign(link, condition);
    later(faultDurationMs(random), () => {
      note(`mends the ways of ${members.join(' ')}`);
      for (const link of links) cluster.network.mend(link);
    });
  }

  #condition(): Partial<Link> {
    const { random } = this.#context;
    switch (random.below(4)) {
      case 0: {
        const leastMs = random.between(1, 200);
        return { leastMs, mostMs: leastMs + random.between(1, 500) };
      }
      case 1:
        return { stallPercent: random.between(1, 20) };
      case 2:
        return { resetPercent: random.between(1, 5) };
      default:
        return { duplicatePercent: random.between(5, 50), mostMs: random.between(5, 50) };
    }
  }
}
