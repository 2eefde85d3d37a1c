import type { Address, Hash } from '@hanse/protocol';
import { rpcError } from './codes.ts';
import type { LogFilter } from './logQuery.ts';
import {
  ArgumentError,
  latestBlock,
  type Parameter,
  readAddress,
  readArray,
  readBlockNumberOrTag,
  readHash,
  readObject,
  required,
} from './parameters.ts';

/** go-ethereum's `maxTopics`: no log has more. */
const MAX_TOPICS = 4;

/** The filter object of log queries; `maxCriteria` bounds addresses and each topic's alternatives. */
export function readLogFilter(value: unknown, maxCriteria = 1_000): LogFilter {
  const { blockHash, fromBlock, toBlock, address, topics } = readObject(value);
  return {
    addresses: readAddresses(address, maxCriteria),
    topics: readTopics(topics, maxCriteria),
    range: readRange(blockHash, fromBlock, toBlock),
  };
}

export const logFilterParameter: Parameter<LogFilter> = required(
  'filter',
  'log filter',
  '`fromBlock` and `toBlock` (number or tag, default `latest`), or `blockHash`; `address`: one or an array; `topics`: for each position a topic, an array of alternatives, or null for any.',
  readLogFilter,
);

const absent = (value: unknown): value is undefined | null => value === undefined || value === null;

function readRange(blockHash: unknown, fromBlock: unknown, toBlock: unknown): LogFilter['range'] {
  if (absent(blockHash)) {
    return {
      kind: 'range',
      from: absent(fromBlock) ? latestBlock : readBlockNumberOrTag(fromBlock),
      to: absent(toBlock) ? latestBlock : readBlockNumberOrTag(toBlock),
    };
  }
  if (!absent(fromBlock) || !absent(toBlock)) {
    throw new ArgumentError('cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other');
  }
  return { kind: 'block', hash: readHash(blockHash) };
}

function readAddresses(value: unknown, maxCriteria: number): readonly Address[] {
  if (absent(value)) return [];
  if (!Array.isArray(value)) return [readAddress(value)];
  bound(value, maxCriteria, 'addresses');
  return value.map(readAddress);
}

function readTopics(value: unknown, maxCriteria: number): readonly (readonly Hash[])[] {
  if (absent(value)) return [];
  const positions = readArray(value);
  if (positions.length > MAX_TOPICS) throw rpcError('limit-exceeded', `exceed max topics: at most ${MAX_TOPICS}`);
  return positions.map((alternatives) => {
    if (absent(alternatives)) return [];
    if (!Array.isArray(alternatives)) return [readHash(alternatives)];
    bound(alternatives, maxCriteria, 'alternatives of a topic');
    // A null among the alternatives lets anything match, as in go-ethereum.
    return alternatives.some(absent) ? [] : alternatives.map(readHash);
  });
}

function bound(values: readonly unknown[], max: number, what: string): void {
  if (values.length > max) throw rpcError('limit-exceeded', `${values.length} ${what}, at most ${max} are allowed`);
}
