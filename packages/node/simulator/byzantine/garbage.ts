import { messageKinds } from '../../src/engine/messages.ts';
import { encodeEnvelope } from '../../src/network/envelope.ts';
import { MessageKind } from '../../src/network/messageKinds.ts';
import type { Attacker, Behaviour } from './attacker.ts';

const KINDS: readonly number[] = [
  ...Object.values(messageKinds).map((kind) => MessageKind.engineFirst + kind),
  MessageKind.transactions,
  MessageKind.transactionHashes,
  MessageKind.fetchTransactions,
  MessageKind.blockRange,
];

/** Sends bytes without meaning: as frames, as payloads of every kind, and its program's own frames with something in them changed. */
export function garbage(attacker: Attacker): Behaviour {
  const { random } = attacker;
  const rubbish = (): Uint8Array => random.bytes(random.chance(80) ? random.below(200) : random.below(20_000));
  const frame = (): Uint8Array => {
    if (random.chance(20)) return rubbish();
    const kind = random.chance(90) ? random.pick(KINDS) : random.below(0x1_0000);
    if (random.chance(60)) return encodeEnvelope({ type: 'message', kind, payload: rubbish() });
    return encodeEnvelope({ type: 'request', kind, id: random.below(0x1_0000_0000), payload: rubbish() });
  };
  attacker.every(50, 2_000, () => attacker.send(random.pick(attacker.peers), frame()));
  return {
    outgoing(_to, { bytes, envelope }) {
      if (envelope === undefined || !random.chance(2)) return [bytes];
      const changed = random.chance(20) ? bytes.slice(0, random.below(bytes.length)) : bytes.slice();
      for (let count = random.between(1, 4); count > 0 && changed.length > 0; count--)
        changed[random.below(changed.length)] = random.below(256);
      return [changed];
    },
  };
}
