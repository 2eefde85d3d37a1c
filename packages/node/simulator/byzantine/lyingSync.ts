import { bytesToHex, quorum } from '@hanse/protocol';
import type { SyncBlock } from '../../src/chain/ledger.ts';
import { encodeEnvelope } from '../../src/network/envelope.ts';
import { MessageKind } from '../../src/network/messageKinds.ts';
import { type BlockRange, decodeBlockRange, decodeSyncBlocks, encodeSyncBlocks } from '../../src/network/syncWire.ts';
import type { Attacker, Behaviour } from './attacker.ts';

/**
 * Tells of heights that nobody has, and hands blocks to those who ask for them that are changed, cut, without certificate, of another height, or
 * not final.
 */
export function lyingSync(attacker: Attacker): Behaviour {
  const { random } = attacker;
  const ranges = new Map<string, BlockRange>();
  const twisted = (blocks: readonly SyncBlock[]): readonly SyncBlock[] => {
    const index = random.below(blocks.length);
    const block = blocks[index]!;
    const instead = (other: SyncBlock): readonly SyncBlock[] => blocks.map((each, at) => (at === index ? other : each));
    switch (random.below(6)) {
      case 0:
        return instead({ ...block, transactions: block.transactions.slice(1) });
      case 1:
        return instead({ ...block, proposal: { ...block.proposal, timeMs: block.proposal.timeMs + 1 } });
      case 2:
        return blocks.map(({ proposal, transactions }) => ({ proposal, transactions }));
      case 3:
        return blocks.slice(index);
      case 4: {
        const { certificate } = block;
        if (certificate === undefined) return blocks;
        const signatures = certificate.signatures.map((entry) => ({ ...entry, signature: random.bytes(64) }));
        return instead({ ...block, certificate: { ...certificate, signatures } });
      }
      default:
        return [];
    }
  };
  /** A proposal that nobody may have certified yet, as a final block: with the result that others signed or another, and nobody's signatures. */
  const invented = ({ from }: BlockRange): readonly SyncBlock[] => {
    const message = [...attacker.proposals.values()].findLast(
      ({ message: { proposal } }) => proposal.height === from,
    )?.message;
    const bodies = new Map(attacker.bodies.map((raw) => [attacker.suite.hashHex(raw), raw]));
    const transactions = message?.proposal.transactionHashes.flatMap((hash) => bodies.get(hash) ?? []) ?? [];
    if (message === undefined || transactions.length < message.proposal.transactionHashes.length) return [];
    const { proposal, digest, leaderVote } = message;
    const { epoch, view } = leaderVote.statement;
    const signed = attacker.votes.flatMap(({ statement }) =>
      statement.kind === 'finalize' && statement.digest === digest ? [statement] : [],
    );
    const guess = {
      kind: 'finalize',
      epoch,
      view,
      digest,
      height: proposal.height,
      blockHash: bytesToHex(random.bytes(32)),
    } as const;
    const signers = [...attacker.validators.validators.keys()].slice(0, quorum(attacker.validators.validators.length));
    const signatures = signers.map((signer) => ({ signer, signature: random.bytes(64) }));
    return [{ proposal, transactions, certificate: { statement: signed[0] ?? guess, signatures } }];
  };
  return {
    outgoing(to, { envelope, bytes }) {
      if (envelope?.type === 'ping' || envelope?.type === 'pong')
        return [encodeEnvelope({ ...envelope, headHeight: envelope.headHeight + random.below(1_000) })];
      if (envelope?.type !== 'response') return [bytes];
      const range = ranges.get(`${to} ${envelope.id}`);
      if (range === undefined) return [bytes];
      ranges.delete(`${to} ${envelope.id}`);
      const blocks = decodeSyncBlocks(envelope.payload, range);
      const lie = blocks.length === 0 ? invented(range) : twisted(blocks);
      return [encodeEnvelope({ ...envelope, payload: encodeSyncBlocks(lie, range) })];
    },
    incoming(from, { envelope }) {
      if (envelope?.type !== 'request' || envelope.kind !== MessageKind.blockRange) return;
      try {
        ranges.set(`${from} ${envelope.id}`, decodeBlockRange(envelope.payload));
      } catch {
        // Another Byzantine member's question.
      }
    },
  };
}
