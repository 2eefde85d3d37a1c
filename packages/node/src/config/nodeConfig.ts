import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Hex, isHex, MEMBER_NAME, parseEndpoint } from '@hanse/protocol';
import { type RPCLimits, readRPCLimits } from '../rpc/limits.ts';
import type { LogLevel } from '../runtime/logger.ts';
import { ConfigError } from './configError.ts';

/** What `hanse node --config FILE` reads. Relative paths count from the file's folder. */
export interface NodeConfig {
  readonly format: 1;
  /** The member's name, as in the genesis or on the chain. */
  readonly name: string;
  /** The network's genesis document. */
  readonly genesis: string;
  /** The folder of vote.key and transport.key. */
  readonly keys: string;
  /** The member's data folder: ledger, log of votes, lock. */
  readonly data: string;
  readonly peer: {
    /** host:port to accept members at; port 0 takes any free one. */
    readonly listen: string;
    /** Where to reach members, by name; tried before the endpoints on the chain. */
    readonly known?: Readonly<Record<string, readonly string[]>>;
    /** Members of today, for a node that begins at the genesis: they count until the chain, as far as it is known here, has them. */
    readonly introduced?: readonly IntroducedMember[];
  };
  readonly rpc: {
    readonly host: string;
    readonly port: number;
    /** `Access-Control-Allow-Origin`; absent: `*` if the host is a loopback address, else none. */
    readonly corsOrigin?: string;
    /** Host names that are answered, lower case and without port; absent: all. Guards a browser on this machine against DNS rebinding. */
    readonly allowedHosts?: readonly string[];
    /** Bounds on what clients may ask; what the file leaves out has its default. */
    readonly limits?: RPCLimits;
  };
  readonly log: LogLevel;
}

/** A member as an invitation names it. */
export interface IntroducedMember {
  readonly name: string;
  /** Raw transport public key, 32 bytes. */
  readonly transportKey: Hex;
  /** host:port, one or more. */
  readonly endpoints: readonly string[];
}

const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** Parses a configuration; every complaint names the file, the field and what was expected. */
export function parseNodeConfig(json: unknown, file: string): NodeConfig {
  const fail = (field: string, expected: string): never => {
    throw new ConfigError(`${file}: ${field} must be ${expected}.`);
  };
  const object = (value: unknown, field: string): Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : fail(field, 'an object');
  const text = (value: unknown, field: string): string =>
    typeof value === 'string' && value !== '' ? value : fail(field, 'a text that is not empty');
  const known = (value: Record<string, unknown>, field: string, names: readonly string[]): void => {
    for (const key of Object.keys(value)) {
      if (!names.includes(key))
        throw new ConfigError(`${file}: ${field}${key} is not a setting. Known are: ${names.join(', ')}.`);
    }
  };
  const root = object(json, 'the file');
  known(root, '', ['format', 'name', 'genesis', 'keys', 'data', 'peer', 'rpc', 'log']);
  if (root.format !== 1) fail('format', '1 (this program reads no other)');
  const peer = object(root.peer, 'peer');
  known(peer, 'peer.', ['listen', 'known', 'introduced']);
  const rpc = object(root.rpc, 'rpc');
  known(rpc, 'rpc.', ['host', 'port', 'corsOrigin', 'allowedHosts', 'limits']);
  const port = rpc.port;
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 0 || port > 65_535)
    fail('rpc.port', 'a port from 0 to 65535');
  const log = root.log ?? 'info';
  if (!LOG_LEVELS.includes(log as LogLevel)) fail('log', `one of ${LOG_LEVELS.join(', ')}`);
  const folder = dirname(resolve(file));
  return {
    format: 1,
    name: text(root.name, 'name'),
    genesis: resolve(folder, text(root.genesis, 'genesis')),
    keys: resolve(folder, text(root.keys, 'keys')),
    data: resolve(folder, text(root.data, 'data')),
    peer: {
      listen: text(peer.listen, 'peer.listen'),
      ...(peer.known === undefined ? {} : { known: parseKnown(object(peer.known, 'peer.known'), fail) }),
      ...(peer.introduced === undefined ? {} : { introduced: parseIntroduced(peer.introduced, fail) }),
    },
    rpc: {
      host: text(rpc.host, 'rpc.host'),
      port: port as number,
      ...(rpc.corsOrigin === undefined ? {} : { corsOrigin: text(rpc.corsOrigin, 'rpc.corsOrigin') }),
      ...(rpc.allowedHosts === undefined ? {} : { allowedHosts: parseHosts(rpc.allowedHosts, fail) }),
      ...(rpc.limits === undefined ? {} : { limits: parseLimits(rpc.limits, file) }),
    },
    log: log as LogLevel,
  };
}

/** As a Host header has it before the port. */
const HOST = /^(\[[\da-fA-F:.]+\]|[^:/\s[\]]+)$/;

function parseHosts(value: unknown, fail: (field: string, expected: string) => never): readonly string[] {
  const good =
    Array.isArray(value) && value.length > 0 && value.every((host) => typeof host === 'string' && HOST.test(host));
  if (!good) fail('rpc.allowedHosts', 'a list of host names without port');
  return (value as string[]).map((host) => host.toLowerCase());
}

function parseLimits(value: unknown, file: string): RPCLimits {
  try {
    return readRPCLimits(value);
  } catch (error) {
    throw new ConfigError(`${file}: ${(error as Error).message}.`);
  }
}

function parseKnown(
  value: Record<string, unknown>,
  fail: (field: string, expected: string) => never,
): Record<string, readonly string[]> {
  for (const [name, endpoints] of Object.entries(value)) {
    const good = Array.isArray(endpoints) && endpoints.every((endpoint) => typeof endpoint === 'string');
    if (!good) fail(`peer.known.${name}`, 'a list of host:port');
  }
  return value as Record<string, readonly string[]>;
}

/** More than a network has members. */
const MAX_INTRODUCED = 1_024;

function parseIntroduced(
  value: unknown,
  fail: (field: string, expected: string) => never,
): readonly IntroducedMember[] {
  if (!Array.isArray(value) || value.length > MAX_INTRODUCED) return fail('peer.introduced', 'a list of members');
  const members = value.map((entry: unknown, index): IntroducedMember => {
    const { name, transportKey, endpoints } = (entry ?? {}) as Record<string, unknown>;
    const good =
      typeof name === 'string' &&
      MEMBER_NAME.test(name) &&
      isHex(transportKey, 32) &&
      Array.isArray(endpoints) &&
      endpoints.every((endpoint) => typeof endpoint === 'string' && parseEndpoint(endpoint) !== undefined);
    if (!good) fail(`peer.introduced[${index}]`, 'a member with name, transportKey and endpoints');
    return { name: name as string, transportKey: transportKey as Hex, endpoints: endpoints as string[] };
  });
  for (const field of ['name', 'transportKey'] as const) {
    const distinct = new Set(members.map((member) => member[field]));
    if (distinct.size < members.length) fail('peer.introduced', `a list that has every ${field} once`);
  }
  return members;
}

/** Reads a JSON file; a missing or damaged one is a ConfigError that says what to do. */
export function readJsonFile(file: string, what: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError(`${what} ${file} cannot be read: ${(error as Error).message}`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConfigError(
      `${what} ${file} is damaged (${(error as Error).message}). Restore it from a copy, or name another file.`,
    );
  }
}

export function readNodeConfig(file: string): NodeConfig {
  return parseNodeConfig(readJsonFile(file, 'The configuration'), file);
}
