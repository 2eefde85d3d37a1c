import type { View } from '@hanse/protocol';
import type { Attacker, Behaviour } from './attacker.ts';

/** Nullifies every view as soon as it hears of it, and the next ones, whatever it voted besides. */
export function nuller(attacker: Attacker): Behaviour {
  let told = 0;
  let toldEpoch = 0;
  return {
    incoming() {
      const { epoch, random, view } = attacker;
      if (epoch === toldEpoch && view <= told) return;
      told = view;
      toldEpoch = epoch;
      const ahead = random.between(0, 3);
      attacker.tellAll(
        ...Array.from({ length: ahead + 1 }, (_, step) => ({
          kind: 'nullify' as const,
          epoch,
          view: (view + step) as View,
        })),
      );
    },
  };
}
