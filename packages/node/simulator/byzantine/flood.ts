import { bytesToHex, type View } from '@hanse/protocol';
import { withEpoch } from '../../src/engine/index.ts';
import { encodeHashes, encodeVotes, messageKinds } from '../../src/engine/messages.ts';
import { encodeEnvelope } from '../../src/network/envelope.ts';
import { MessageKind } from '../../src/network/messageKinds.ts';
import { encodeHashes as encodeTransactionHashes } from '../../src/network/transactionWire.ts';
import { engineFrame } from '../world/wire.ts';
import type { Attacker, Behaviour } from './attacker.ts';

/** Sends much at once of what is well formed and costs the others something: votes of far views, hashes of nothing, questions, repetitions. */
export function flood(attacker: Attacker): Behaviour {
  const { random } = attacker;
  const votes = (): Uint8Array => {
    const { epoch, view } = attacker;
    const far = Array.from({ length: 64 }, () =>
      attacker.sign({ kind: 'nullify', epoch, view: (view + random.between(0, 2_000)) as View }),
    );
    return engineFrame(epoch, messageKinds.votes, encodeVotes(far));
  };
  const hashes = (): readonly `0x${string}`[] => Array.from({ length: 64 }, () => bytesToHex(random.bytes(32)));
  const request = (kind: number, payload: Uint8Array): Uint8Array =>
    encodeEnvelope({ type: 'request', kind, id: random.below(0x1_0000_0000), payload });
  const makers: readonly (() => Uint8Array)[] = [
    votes,
    () =>
      encodeEnvelope({
        type: 'message',
        kind: MessageKind.transactionHashes,
        payload: encodeTransactionHashes(hashes()),
      }),
    () =>
      request(MessageKind.engineFirst + messageKinds.requestBodies, withEpoch(attacker.epoch, encodeHashes(hashes()))),
    () => request(MessageKind.fetchTransactions, encodeTransactionHashes(hashes())),
    () => encodeEnvelope({ type: 'ping', id: random.below(1_000), headHeight: random.below(100) }),
  ];
  attacker.every(100, 3_000, () => {
    const peer = random.pick(attacker.peers);
    const frame = random.pick(makers)();
    for (let count = random.between(20, 150); count > 0; count--) attacker.send(peer, frame);
  });
  return {};
}
