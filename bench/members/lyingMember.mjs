// A member that takes part in consensus as it should and lies to whoever catches up with it: the program of `hanse node` with other answers
// to requests for blocks. Every answer is wrong in another way, now and then it is right, and now and then there is none.
// Usage: as `hanse node`, see memberProcesses.mjs.
import { MessageKind } from '../../packages/node/dist/network/messageKinds.js';
import { PeerNetwork } from '../../packages/node/dist/network/peers.js';
import { decodeBlockRange, decodeSyncBlocks, encodeSyncBlocks } from '../../packages/node/dist/network/syncWire.js';

const middle = (blocks) => Math.floor(blocks.length / 2);
const changed = (blocks, index, change) => blocks.map((block, place) => (place === index ? change(block) : block));
const flipped = (bytes) => bytes.map((byte, index) => (index === bytes.length - 1 ? byte ^ 1 : byte));

/** Each takes the true blocks; a promise that never ends is no answer. */
const LIES = [
  (blocks) =>
    changed(blocks, middle(blocks), (block) => ({
      ...block,
      proposal: { ...block.proposal, timeMs: block.proposal.timeMs + 1 },
    })),
  (blocks) => changed(blocks, middle(blocks), (block) => ({ ...block, transactions: block.transactions.map(flipped) })),
  (blocks) => changed(blocks, middle(blocks), (block) => ({ ...block, certificate: blocks[0].certificate })),
  (blocks) =>
    changed(blocks, middle(blocks), (block) => ({
      ...block,
      certificate: block.certificate && {
        ...block.certificate,
        signatures: block.certificate.signatures.map((one) => ({ ...one, signature: flipped(one.signature) })),
      },
    })),
  (blocks) => blocks.map(({ certificate: _, ...block }) => block),
  () => [],
  () => new Promise(() => {}),
  (blocks) => blocks,
  () => undefined,
];

const onRequest = PeerNetwork.prototype.onRequest;
let told = 0;
PeerNetwork.prototype.onRequest = function (kind, handler, priority) {
  if (kind !== MessageKind.blockRange) return onRequest.call(this, kind, handler, priority);
  const lie = async (peer, payload) => {
    const answer = await handler(peer, payload);
    const range = decodeBlockRange(payload);
    const blocks = decodeSyncBlocks(answer, range);
    const lies = LIES[told++ % LIES.length];
    const said = await lies(blocks);
    console.log(`lie ${told} to ${peer} about ${blocks.length} blocks from ${range.from}`);
    return said === undefined ? new Uint8Array(1_000).fill(7) : encodeSyncBlocks(said, { ...range, maxBytes: 2 ** 22 });
  };
  return onRequest.call(this, kind, lie, priority);
};

await import('../../packages/cli/dist/main.js');
