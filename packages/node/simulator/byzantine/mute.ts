import type { Behaviour } from './attacker.ts';

/** Says nothing of consensus and answers nothing; its connections live. */
export function mute(): Behaviour {
  return {
    outgoing(_to, { message, envelope, bytes }) {
      const silent = message !== undefined || envelope?.type === 'response' || envelope?.type === 'refusal';
      return silent ? [] : [bytes];
    },
  };
}
