import type { Hash, Hex, Log } from '@hanse/protocol';
import type { Block } from './blockReader.ts';
import { data, quantity } from './hexEncoding.ts';

/** A log as clients see it. */
export interface RPCLog {
  readonly address: Hex;
  readonly topics: readonly Hash[];
  readonly data: Hex;
  readonly blockNumber: Hex;
  readonly transactionHash: Hash;
  readonly transactionIndex: Hex;
  readonly blockHash: Hash;
  readonly blockTimestamp: Hex;
  /** Its place among all logs of the block. */
  readonly logIndex: Hex;
  /** Always false: final blocks are never replaced. */
  readonly removed: false;
}

/** `logIndex` counts from the block's first log. */
export function formatLog(log: Log, block: Block, transactionIndex: number, logIndex: number): RPCLog {
  return {
    address: log.address,
    topics: log.topics,
    data: data(log.data),
    blockNumber: quantity(block.height),
    transactionHash: block.transactions[transactionIndex]!.hash,
    transactionIndex: quantity(transactionIndex),
    blockHash: block.hash,
    blockTimestamp: quantity(block.header.timestamp),
    logIndex: quantity(logIndex),
    removed: false,
  };
}
