import {
  type Address,
  type Hash,
  type Header,
  Height,
  type Hex,
  hexToBytes,
  type Log,
  type Suite,
} from '@hanse/protocol';
import type { BlockReader } from './blockReader.ts';
import { rpcError } from './codes.ts';
import { formatLog, type RPCLog } from './formatLog.ts';
import type { RPCLimits } from './limits.ts';
import type { BlockReference } from './parameters.ts';
import type { TurnScheduler } from './turnScheduler.ts';

/** Which logs a client wants; an empty list means any. */
export interface LogCriteria {
  readonly addresses: readonly Address[];
  /** For each position, the alternatives. */
  readonly topics: readonly (readonly Hash[])[];
}

/** A log query as the client sent it. */
export interface LogFilter extends LogCriteria {
  readonly range:
    | { readonly kind: 'block'; readonly hash: Hash }
    | { readonly kind: 'range'; readonly from: BlockReference; readonly to: BlockReference };
}

/** Where a search stands: a block, and how many of its matching logs were taken already. */
export interface LogCursor {
  readonly height: Height;
  readonly skip: number;
}

export interface LogPage {
  readonly logs: readonly RPCLog[];
  /** Where to go on when the page was full; undefined when everything up to the end was searched. */
  readonly next: LogCursor | undefined;
}

/** Whether a block can hold matching logs, and whether a log matches. Built once for a query, for it hashes every criterion. */
export class LogMatcher {
  readonly #addresses: ReadonlySet<Address>;
  readonly #topics: readonly ReadonlySet<Hash>[];
  /** For each criterion, the bloom bits of each alternative. */
  readonly #blooms: readonly (readonly BloomBits[])[];

  constructor({ addresses, topics }: LogCriteria, suite: Suite) {
    this.#addresses = new Set(addresses);
    this.#topics = topics.map((alternatives) => new Set(alternatives));
    this.#blooms = [addresses, ...topics]
      .filter((alternatives) => alternatives.length > 0)
      .map((alternatives) => alternatives.map((value) => bloomBits(value, suite)));
  }

  mayMatch(header: Header): boolean {
    return this.#blooms.every((alternatives) =>
      alternatives.some((bits) => bits.every((bit) => hasBit(header.logsBloom, bit))),
    );
  }

  matches(log: Log): boolean {
    if (this.#addresses.size > 0 && !this.#addresses.has(log.address)) return false;
    if (this.#topics.length > log.topics.length) return false;
    return this.#topics.every(
      (alternatives, position) => alternatives.size === 0 || alternatives.has(log.topics[position]!),
    );
  }
}

type BloomBits = readonly number[];

/** Yellow Paper, section 4.3.1: three times eleven bits of the value's Keccak hash. */
function bloomBits(value: Hex, suite: Suite): BloomBits {
  const hash = suite.keccak256(hexToBytes(value));
  return [0, 2, 4].map((at) => ((hash[at]! << 8) | hash[at + 1]!) & 2047);
}

/** Bit 0 is the lowest of the last byte; read from the hexadecimal, because decoding 256 bytes for each block costs more. */
function hasBit(bloom: Hex, bit: number): boolean {
  const digit = Number.parseInt(bloom[bloom.length - 1 - (bit >> 2)]!, 16);
  return ((digit >> (bit & 3)) & 1) === 1;
}

export interface LogSearchModules {
  readonly blocks: BlockReader;
  readonly suite: Suite;
  readonly turns: TurnScheduler;
  readonly limits: RPCLimits;
}

/** What a log costs in the answer beside its data, with room to spare. */
const LOG_BYTES = 800;

/** Matching logs from `start` to the end of block `to`, as many as fit one answer. `check` runs between blocks and may throw. */
export async function searchLogs(
  criteria: LogCriteria,
  start: LogCursor,
  to: Height,
  { blocks, suite, turns, limits }: LogSearchModules,
  check: () => void = () => {},
): Promise<LogPage> {
  const matcher = new LogMatcher(criteria, suite);
  const logs: RPCLog[] = [];
  let bytes = 0;
  let { skip } = start;
  for (let height: number = start.height; height <= to; height++, skip = 0) {
    const turn = turns.pause();
    if (turn !== undefined) await turn;
    check();
    const head = blocks.head(Height(height));
    if (head === undefined || !matcher.mayMatch(head.header)) continue;
    const block = await blocks.block(Height(height));
    if (block === undefined) continue;
    let matched = 0;
    for (const [index, receipt] of block.receipts.entries()) {
      for (const [position, log] of receipt.logs.entries()) {
        if (!matcher.matches(log) || ++matched <= skip) continue;
        bytes += LOG_BYTES + 2 * log.data.length;
        if (logs.length >= limits.maxLogResults || (logs.length > 0 && bytes > limits.maxResponseBytes)) {
          return { logs, next: { height: Height(height), skip: matched - 1 } };
        }
        logs.push(formatLog(log, block, index, block.firstLogIndexes[index]! + position));
      }
    }
  }
  return { logs, next: undefined };
}

/** Answers a whole query or refuses it, as `eth_getLogs` and `eth_getFilterLogs` do. */
export async function queryLogs(
  filter: LogFilter,
  modules: LogSearchModules,
  check: () => void,
): Promise<readonly RPCLog[]> {
  const { from, to } = resolveRange(filter, modules);
  const { logs, next } = await searchLogs(filter, { height: from, skip: 0 }, to, modules, check);
  if (next !== undefined) {
    throw rpcError(
      'limit-exceeded',
      `query returns more than ${logs.length} results, try the range ${from} to ${next.height - 1}`,
    );
  }
  return logs;
}

function resolveRange({ range }: LogFilter, { blocks, limits }: LogSearchModules): { from: Height; to: Height } {
  if (range.kind === 'block') {
    const height = blocks.resolveExisting({ kind: 'hash', hash: range.hash });
    return { from: height, to: height };
  }
  const head = blocks.headHeight();
  const [from, to] = [boundary(range.from, head), boundary(range.to, head)];
  if (from > to) throw rpcError(from > head && range.to.kind === 'tag' ? 'range-beyond-head' : 'invalid-range');
  if (to > head) throw rpcError('range-beyond-head');
  if (to - from >= limits.maxLogBlocks) {
    throw rpcError('limit-exceeded', `query spans ${to - from + 1} blocks, at most ${limits.maxLogBlocks} are allowed`);
  }
  return { from, to };
}

function boundary(reference: BlockReference, head: Height): Height {
  if (reference.kind === 'number') return reference.height;
  return reference.kind === 'tag' && reference.tag === 'earliest' ? Height(0) : head;
}
