import type { SignedTransaction } from '@hanse/protocol';
import type { Block } from './blockReader.ts';
import { data, quantity } from './hexEncoding.ts';

/**
 * A transaction as clients see it: the fields that go-ethereum gives for its type. `place` is absent for one that still waits.
 */
export function formatTransaction(
  transaction: SignedTransaction,
  place?: { readonly block: Block; readonly index: number },
): Record<string, unknown> {
  return {
    blockHash: place?.block.hash ?? null,
    blockNumber: place === undefined ? null : quantity(place.block.height),
    blockTimestamp: place === undefined ? null : quantity(place.block.header.timestamp),
    from: transaction.sender,
    gas: quantity(transaction.gasLimit),
    gasPrice: quantity(shownGasPrice(transaction, place?.block)),
    ...(transaction.type === 2
      ? {
          maxFeePerGas: quantity(transaction.maxFeePerGas),
          maxPriorityFeePerGas: quantity(transaction.maxPriorityFeePerGas),
        }
      : {}),
    hash: transaction.hash,
    input: data(transaction.data),
    nonce: quantity(transaction.nonce),
    to: transaction.to ?? null,
    transactionIndex: place === undefined ? null : quantity(place.index),
    value: quantity(transaction.value),
    type: quantity(transaction.type),
    ...(transaction.type === 0 ? {} : { accessList: transaction.accessList }),
    ...(transaction.chainId === undefined ? {} : { chainId: quantity(transaction.chainId) }),
    ...formatSignature(transaction),
  };
}

/** The price paid in the block; for one that waits, the most it would pay. */
function shownGasPrice(transaction: SignedTransaction, block: Block | undefined): bigint {
  if (block === undefined) return transaction.maxFeePerGas;
  return effectiveGasPrice(transaction, block.header.baseFeePerGas);
}

/** EIP-1559: the base fee plus the tip, as far as the fee cap allows. */
export function effectiveGasPrice(transaction: SignedTransaction, baseFee: bigint): bigint {
  const withTip = baseFee + transaction.maxPriorityFeePerGas;
  if (withTip > transaction.maxFeePerGas) return transaction.maxFeePerGas;
  return withTip;
}

function formatSignature({ type, chainId, signature }: SignedTransaction): Record<string, unknown> {
  const { yParity } = signature;
  const r = quantity(signature.r);
  const s = quantity(signature.s);
  if (type !== 0) return { v: quantity(yParity), r, s, yParity: quantity(yParity) };
  // EIP-155 folds the chain id into v; before it, v was 27 or 28.
  const v = chainId === undefined ? 27n + BigInt(yParity) : 35n + 2n * chainId + BigInt(yParity);
  return { v: quantity(v), r, s };
}
