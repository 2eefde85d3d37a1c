import type { Cluster } from '../world/cluster.ts';
import type { SimulationRandom } from '../world/simulationRandom.ts';
import type { Behaviour } from './attacker.ts';

/**
 * Two programs with one key, each with a disk of its own and each facing a part of the others (Bano et al., "Twins: BFT Systems Made Robust",
 * OPODIS 2021). Both keep the protocol, each with what it knows; together they do not. Who faces whom changes now and then.
 */
export function twin(): Behaviour {
  return {};
}

/** Decides which of the two each member faces, now and for the whole run. */
export function leadTwins(cluster: Cluster, members: readonly number[], random: SimulationRandom): void {
  const faces = new Map<string, number>();
  const draw = (): void => {
    for (const member of members) {
      for (const other of cluster.setup.names.keys()) faces.set(`${member} ${other}`, random.below(2));
    }
  };
  cluster.network.facing = (member, other) => faces.get(`${member} ${other}`) ?? 0;
  const redraw = (): void => {
    draw();
    cluster.network.refaced();
    cluster.clock.schedule(random.milliseconds(500, 6_000), redraw);
  };
  draw();
  cluster.clock.schedule(random.milliseconds(500, 6_000), redraw);
}
