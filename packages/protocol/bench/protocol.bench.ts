import { bench, describe } from 'vitest';
import { loadNodePrimitives } from '../../node/src/runtime/nodePrimitives.ts';
import {
  createInternationalSuite,
  decodeTransaction,
  portablePrimitives,
  recoverSender,
  type SuitePrimitives,
  signTransaction,
} from '../src/index.ts';

// Times of the hot path of every transaction. Run with `npx vitest bench packages/protocol`.
const sets: readonly (readonly [string, SuitePrimitives])[] = [
  ['node', await loadNodePrimitives()],
  ['portable', portablePrimitives],
];

describe.each(sets)('a payment of about 110 bytes, %s primitives', (_, primitives) => {
  const suite = createInternationalSuite(primitives);
  const transaction = signTransaction(
    {
      type: 2,
      chainId: 7777n,
      nonce: 5n,
      gasLimit: 21_000n,
      maxFeePerGas: 10n ** 9n,
      maxPriorityFeePerGas: 10n ** 8n,
      to: `0x${'35'.repeat(20)}`,
      value: 10n ** 18n,
      data: new Uint8Array(0),
      accessList: [],
    },
    new Uint8Array(32).fill(7),
    suite,
  );
  const options = { time: 500, warmupTime: 100 };

  bench('decode and hash', () => void decodeTransaction(transaction.raw, suite), options);
  bench('recover the sender', () => void recoverSender(transaction, suite), options);
});
