// What a stolen validator key may flood a member with. Each kind gives the frames, made ahead where that takes time, so that the flood is bounded by the
// victim and not by the flooder.
import { randomBytes } from 'node:crypto';
import { Epoch, Height, signTransaction, statementBytes, View } from '@hanse/protocol';
import { withEpoch } from '../../packages/node/dist/engine/epochPayload.js';
import { encodeStatus, encodeVotes, messageKinds } from '../../packages/node/dist/engine/messages.js';
import { encodeEnvelope } from '../../packages/node/dist/network/envelope.js';
import { MessageKind } from '../../packages/node/dist/network/messageKinds.js';
import { encodeBlockRange } from '../../packages/node/dist/network/syncWire.js';
import { encodeHashes, encodeTransactions } from '../../packages/node/dist/network/transactionWire.js';

const MIB = 2 ** 20;
const VIEWS_AHEAD = 10_000;
const message = (kind, payload) => encodeEnvelope({ type: 'message', kind, payload });
const engineMessage = (kind, payload, epoch = 0) =>
  message(MessageKind.engineFirst + kind, withEpoch(Epoch(epoch), payload));

/** `count` votes of the stolen key, one a view from `first` on. */
function votes({ suite, genesisHash, signer, voteKey }, first, count) {
  return Array.from({ length: count }, (_, index) => {
    const statement = { kind: 'nullify', epoch: Epoch(0), view: View(first + index) };
    return { statement, signer, signature: suite.sign(voteKey, statementBytes(genesisHash, statement)) };
  });
}

function unpayable({ suite, chainId }) {
  const fields = { type: 2, chainId: BigInt(chainId), nonce: 0n, gasLimit: 100_000n, value: 10n ** 30n };
  const free = { maxFeePerGas: 0n, maxPriorityFeePerGas: 0n, data: new Uint8Array(0), accessList: [] };
  const key = suite.privateKeyFrom(new Uint8Array(randomBytes(48)));
  return signTransaction({ ...fields, ...free, to: `0x${'ec'.repeat(20)}` }, key, suite).raw;
}

/**
 * `deaf`: nothing that the victim sends is read. `isCutOff`: the victim ends the connection and keeps the flooder away, however fast the machine is; otherwise it refuses or passes over
 * what is too much, until the budget of bytes is spent. `make` gets what the flooder has stolen and gives the frame of a number.
 */
export const FLOOD_KINDS = {
  'empty messages': { isCutOff: true, make: () => () => message(0x7777, new Uint8Array(0)) },
  'large messages': {
    isCutOff: false,
    make: () => {
      const frame = message(0x7777, new Uint8Array(MIB));
      return () => frame;
    },
  },
  'votes that are known': {
    isCutOff: true,
    make: (stolen) => {
      const [vote] = votes(stolen, 1, 1);
      const frame = engineMessage(messageKinds.votes, encodeVotes(Array.from({ length: 256 }, () => vote)));
      return () => frame;
    },
  },
  'votes far ahead': {
    isCutOff: true,
    make: (stolen) => {
      const frames = Array.from({ length: 40 }, (_, index) =>
        engineMessage(messageKinds.votes, encodeVotes(votes(stolen, VIEWS_AHEAD + 50 * index, 50))),
      );
      return (number) => frames[number % frames.length];
    },
  },
  'reports of a place': {
    isCutOff: true,
    make: () => {
      const place = { epoch: Epoch(0), view: View(1), finalizedHeight: Height(0), finalizedView: View(0) };
      const frame = engineMessage(messageKinds.status, encodeStatus({ ...place, certificates: [], yourVotes: [] }));
      return () => frame;
    },
  },
  'heights in pings': {
    isCutOff: true,
    make: () => (number) => encodeEnvelope({ type: 'ping', id: number, headHeight: 1_000_000 + number }),
  },
  'hashes of nothing': {
    isCutOff: true,
    make: () => () =>
      message(
        MessageKind.transactionHashes,
        encodeHashes(Array.from({ length: 4_000 }, () => `0x${randomBytes(32).toString('hex')}`)),
      ),
  },
  'unpayable transactions': {
    isCutOff: true,
    make: (stolen) => {
      const raw = unpayable(stolen);
      const frame = message(MessageKind.transactions, encodeTransactions(Array.from({ length: 1_000 }, () => raw)));
      return () => frame;
    },
  },
  'messages of the next epoch': {
    isCutOff: false,
    make: () => {
      const frame = engineMessage(messageKinds.votes, new Uint8Array(MIB), 1);
      return () => frame;
    },
  },
  'unread requests for blocks': {
    isCutOff: false,
    deaf: true,
    make: () => (id) => {
      const payload = encodeBlockRange({ from: 1, maxCount: 512, maxBytes: 4 * MIB });
      return encodeEnvelope({ type: 'request', kind: MessageKind.blockRange, id: id + 1, payload });
    },
  },
};
