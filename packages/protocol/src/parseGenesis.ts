import { isHex } from './bytes.ts';
import { MAX_PROPOSAL_TRANSACTIONS, MAX_VALIDATORS } from './consensus.ts';
import { parseEndpoint } from './endpoint.ts';
import { ProtocolError } from './errors.ts';
import type {
  Genesis,
  GenesisAccount,
  GenesisAllocation,
  GenesisCurrency,
  GenesisMember,
  GenesisParameters,
} from './genesis.ts';
import {
  DEFAULT_GOVERNANCE,
  type GenesisGovernance,
  GOVERNANCE_ACTIONS,
  type GovernanceAction,
  type GovernancePolicy,
  MAX_ROLE_MINIMUM,
  percentBounds,
  VOTING_PERIOD_SECONDS,
} from './governance.ts';
import { MAX_TRANSACTION_BYTES } from './transaction.ts';
import type { Address, Hex } from './types.ts';

/** The largest genesis document, in UTF-16 code units of its text. */
export const MAX_GENESIS_CHARACTERS = 16 * 1024 * 1024;
const MAX_ACCOUNTS = 100_000;
const MAX_CURRENCIES = 64;
const MAX_ALLOCATIONS = 10_000;
const MAX_SLOTS = 100_000;
/** EIP-170. */
const MAX_CODE_BYTES = 24_576;
const MAX_BLOCK_BYTES = 2 * 1024 * 1024;
/** The last millisecond of the year 9999. */
const MAX_TIME_MS = 253_402_300_799_999;

/** The most members of a network, and the most endpoints of one. */
export const MAX_MEMBERS = 256;
export const MAX_ENDPOINTS = 8;

/** The name of a member: it stands in file names, tables and URLs. */
export const MEMBER_NAME = /^[a-z][a-z0-9-]{0,30}$/;

/** What a document that leaves a parameter out means. */
export const DEFAULT_GENESIS_PARAMETERS: GenesisParameters = {
  blockGasLimit: 60_000_000,
  minGasPrice: '0',
  accounts: 'registered',
  idleBlockIntervalMs: 30_000,
  maxBlockTransactions: MAX_PROPOSAL_TRANSACTIONS,
  maxBlockBytes: MAX_BLOCK_BYTES,
  maxTransactionGas: 16_777_216,
  maxTransactionBytes: MAX_TRANSACTION_BYTES,
};

/** Reads a genesis document from its text; throws `invalid-genesis` with the place, `too-large` beyond the bound. */
export function parseGenesisText(text: string): Genesis {
  if (text.length > MAX_GENESIS_CHARACTERS) {
    throw new ProtocolError('too-large', `genesis: the document is longer than ${MAX_GENESIS_CHARACTERS} characters`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new ProtocolError('invalid-genesis', `genesis: not JSON: ${(error as Error).message}`);
  }
  return parseGenesis(json);
}

/**
 * Reads a genesis document strictly: no unknown field, every bound checked, names and keys distinct, references
 * resolved; parameters and policies left out get their defaults. Amounts come out as decimal, addresses must come in lower case.
 * Throws a ProtocolError `invalid-genesis` whose message names the field.
 */
export function parseGenesis(json: unknown): Genesis {
  const root = object(json, 'the document', ['format', 'name', 'chainId', 'suite', 'timeMs', 'members'], OPTIONAL_ROOT);
  if (root.format !== 1) throw fail('format', 'must be 1');
  const members = list(root.members, 'members', MAX_MEMBERS).map(parseMember);
  checkMembers(members);
  const accounts = list(root.accounts ?? [], 'accounts', MAX_ACCOUNTS).map((item, i) => parseAccount(item, i, members));
  distinct(accounts, 'accounts', 'address', (account) => account.address);
  const currencies = list(root.currencies ?? [], 'currencies', MAX_CURRENCIES).map((item, i) =>
    parseCurrency(item, i, members),
  );
  distinct(currencies, 'currencies', 'symbol', (currency) => currency.symbol);
  return {
    format: 1,
    name: text(root.name, 'name', 64),
    chainId: integer(root.chainId, 'chainId', 1, Number.MAX_SAFE_INTEGER),
    suite: oneOf(root.suite, 'suite', ['international', 'commercial']),
    timeMs: integer(root.timeMs, 'timeMs', 1, MAX_TIME_MS),
    parameters: parseParameters(root.parameters ?? {}),
    governance: parseGovernance(root.governance ?? {}),
    members,
    accounts,
    currencies,
    alloc: parseAllocations(root.alloc ?? {}),
  };
}

const OPTIONAL_ROOT = ['parameters', 'governance', 'accounts', 'currencies', 'alloc'] as const;

function parseParameters(json: unknown): GenesisParameters {
  const names = Object.keys(DEFAULT_GENESIS_PARAMETERS);
  const given = { ...DEFAULT_GENESIS_PARAMETERS, ...object(json, 'parameters', [], names) };
  const at = (name: keyof GenesisParameters) => `parameters.${name}`;
  const number = (name: keyof GenesisParameters, minimum: number, maximum: number) =>
    integer(given[name], at(name), minimum, maximum);
  const parameters: GenesisParameters = {
    blockGasLimit: number('blockGasLimit', 100_000, 1_000_000_000),
    minGasPrice: decimal(given.minGasPrice, at('minGasPrice'), 1n << 128n),
    accounts: oneOf(given.accounts, at('accounts'), ['registered', 'open']),
    idleBlockIntervalMs: number('idleBlockIntervalMs', 100, 86_400_000),
    maxBlockTransactions: number('maxBlockTransactions', 1, MAX_PROPOSAL_TRANSACTIONS),
    maxBlockBytes: number('maxBlockBytes', 1024, MAX_BLOCK_BYTES),
    maxTransactionGas: number('maxTransactionGas', 21_000, 1_000_000_000),
    maxTransactionBytes: number('maxTransactionBytes', 1024, MAX_TRANSACTION_BYTES),
  };
  // A transaction that fits its own limit must fit some block, else the pool would keep it for ever.
  if (parameters.maxTransactionGas > parameters.blockGasLimit) {
    throw fail(at('maxTransactionGas'), `must not exceed parameters.blockGasLimit (${parameters.blockGasLimit})`);
  }
  if (parameters.maxTransactionBytes > parameters.maxBlockBytes) {
    throw fail(at('maxTransactionBytes'), `must not exceed parameters.maxBlockBytes (${parameters.maxBlockBytes})`);
  }
  return parameters;
}

function parseGovernance(json: unknown): GenesisGovernance {
  const given = object(json, 'governance', [], ['votingPeriodSeconds', 'policies']);
  const { minimum, maximum } = VOTING_PERIOD_SECONDS;
  const { votingPeriodSeconds = DEFAULT_GOVERNANCE.votingPeriodSeconds, policies = {} } = given;
  const named = { ...DEFAULT_GOVERNANCE.policies, ...object(policies, 'governance.policies', [], GOVERNANCE_ACTIONS) };
  const parsed = GOVERNANCE_ACTIONS.map((action) => [action, parsePolicy(named[action], action)] as const);
  return {
    votingPeriodSeconds: integer(votingPeriodSeconds, 'governance.votingPeriodSeconds', minimum, maximum),
    policies: Object.fromEntries(parsed) as Record<GovernanceAction, GovernancePolicy>,
  };
}

/** A policy stands whole or not at all: half a policy with a default for the rest would be nobody's decision. */
function parsePolicy(json: unknown, action: GovernanceAction): GovernancePolicy {
  const path = `governance.policies.${action}`;
  const policy = object(json, path, ['authority', 'bank', 'company', 'percent'], []);
  const bounds = percentBounds(action);
  return {
    authority: integer(policy.authority, `${path}.authority`, 0, MAX_ROLE_MINIMUM),
    bank: integer(policy.bank, `${path}.bank`, 0, MAX_ROLE_MINIMUM),
    company: integer(policy.company, `${path}.company`, 0, MAX_ROLE_MINIMUM),
    percent: integer(policy.percent, `${path}.percent`, bounds.minimum, bounds.maximum),
  };
}

function parseMember(json: unknown, index: number): GenesisMember {
  const path = `members[${index}]`;
  const required = ['name', 'role', 'validator', 'address', 'voteKey', 'transportKey', 'endpoints'] as const;
  const member = object(json, path, required, []);
  if (!isHex(member.voteKey, 33) || !/^0x0[23]/.test(member.voteKey)) {
    throw fail(`${path}.voteKey`, 'must be a compressed public key: 33 bytes of lower-case hexadecimal');
  }
  if (!isHex(member.transportKey, 32)) {
    throw fail(`${path}.transportKey`, 'must be 32 bytes of lower-case hexadecimal');
  }
  const endpoints = list(member.endpoints, `${path}.endpoints`, MAX_ENDPOINTS).map((item, i) => {
    if (typeof item !== 'string' || parseEndpoint(item) === undefined) {
      throw fail(`${path}.endpoints[${i}]`, 'must be host:port or [IPv6]:port');
    }
    return item;
  });
  return {
    name: memberName(member.name, `${path}.name`),
    role: oneOf(member.role, `${path}.role`, ['authority', 'bank', 'company']),
    validator: boolean(member.validator, `${path}.validator`),
    address: address(member.address, `${path}.address`),
    voteKey: member.voteKey,
    transportKey: member.transportKey,
    endpoints,
  };
}

function checkMembers(members: readonly GenesisMember[]): void {
  distinct(members, 'members', 'name', (member) => member.name);
  distinct(members, 'members', 'address', (member) => member.address);
  distinct(members, 'members', 'voteKey', (member) => member.voteKey);
  distinct(members, 'members', 'transportKey', (member) => member.transportKey);
  const validators = members.filter((member) => member.validator).length;
  if (validators < 1 || validators > MAX_VALIDATORS) {
    throw fail('members', `must have 1 to ${MAX_VALIDATORS} validators, not ${validators}`);
  }
  if (!members.some((member) => member.role === 'authority')) throw fail('members', 'must have an authority');
}

function parseAccount(json: unknown, index: number, members: readonly GenesisMember[]): GenesisAccount {
  const path = `accounts[${index}]`;
  const account = object(json, path, ['address', 'member', 'mayDeploy'], []);
  return {
    address: address(account.address, `${path}.address`),
    member: reference(account.member, `${path}.member`, members).name,
    mayDeploy: boolean(account.mayDeploy, `${path}.mayDeploy`),
  };
}

function parseCurrency(json: unknown, index: number, members: readonly GenesisMember[]): GenesisCurrency {
  const path = `currencies[${index}]`;
  const currency = object(json, path, ['symbol', 'name', 'decimals', 'authority'], []);
  if (typeof currency.symbol !== 'string' || !/^[A-Z][A-Z0-9]{0,10}$/.test(currency.symbol)) {
    throw fail(`${path}.symbol`, 'must be 1 to 11 capitals or digits that begin with a capital');
  }
  const authority = reference(currency.authority, `${path}.authority`, members);
  if (authority.role !== 'authority') throw fail(`${path}.authority`, `${authority.name} is no authority`);
  return {
    symbol: currency.symbol,
    name: text(currency.name, `${path}.name`, 64),
    decimals: integer(currency.decimals, `${path}.decimals`, 0, 18),
    authority: authority.name,
  };
}

function parseAllocations(json: unknown): Record<Address, GenesisAllocation> {
  const entries = record(json, 'alloc', MAX_ALLOCATIONS);
  return Object.fromEntries(
    entries.map(([key, value]) => [address(key, `alloc[${shown(key)}]`), parseAllocation(value, `alloc[${key}]`)]),
  );
}

function parseAllocation(json: unknown, path: string): GenesisAllocation {
  const given = object(json, path, [], ['balance', 'nonce', 'code', 'storage']);
  if (given.code !== undefined && (!isHex(given.code) || given.code.length > 2 + 2 * MAX_CODE_BYTES)) {
    throw fail(`${path}.code`, `must be lower-case hexadecimal of at most ${MAX_CODE_BYTES} bytes`);
  }
  return {
    ...(given.balance !== undefined && { balance: amount(given.balance, `${path}.balance`, 1n << 256n) }),
    // EIP-2681: a nonce stays below 2^64 - 1.
    ...(given.nonce !== undefined && { nonce: amount(given.nonce, `${path}.nonce`, (1n << 64n) - 1n) }),
    ...(given.code !== undefined && { code: given.code as Hex }),
    ...(given.storage !== undefined && { storage: parseStorage(given.storage, `${path}.storage`) }),
  };
}

function parseStorage(json: unknown, path: string): Record<Hex, Hex> {
  const word = (value: unknown, at: string): Hex => {
    if (typeof value !== 'string' || !/^0x[0-9a-f]{1,64}$/.test(value)) {
      throw fail(at, 'must be lower-case hexadecimal of at most 32 bytes');
    }
    return `0x${value.slice(2).padStart(64, '0')}`;
  };
  const slots: Record<Hex, Hex> = {};
  for (const [key, value] of record(json, path, MAX_SLOTS)) {
    const at = `${path}[${shown(key)}]`;
    const slot = word(key, at);
    if (slot in slots) throw fail(at, 'is given twice');
    slots[slot] = word(value, at);
    if (/^0x0+$/.test(slots[slot])) throw fail(at, 'must not be zero: leave the slot out');
  }
  return slots;
}

// The pieces. Each names the field that is wrong; a value is shown only when it is short and printable.

function fail(path: string, reason: string): ProtocolError {
  return new ProtocolError('invalid-genesis', `genesis: ${path} ${reason}`);
}

function shown(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}...` : value);
}

function record(json: unknown, path: string, maximum: number): [string, unknown][] {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw fail(path, 'must be an object');
  const entries = Object.entries(json);
  if (entries.length > maximum) throw fail(path, `must have at most ${maximum} entries`);
  return entries;
}

function object<R extends string, O extends string>(
  json: unknown,
  path: string,
  required: readonly R[],
  optional: readonly O[],
): Record<R, unknown> & Partial<Record<O, unknown>> {
  const prefix = path === 'the document' ? '' : `${path}.`;
  const known: readonly string[] = [...required, ...optional];
  const entries = record(json, path, Number.MAX_SAFE_INTEGER);
  for (const [key] of entries) {
    if (!known.includes(key)) throw fail(`${prefix}${shown(key)}`, 'is no known field');
  }
  const result = Object.fromEntries(entries);
  for (const key of required) if (result[key] === undefined) throw fail(`${prefix}${key}`, 'is missing');
  return result as Record<R, unknown> & Partial<Record<O, unknown>>;
}

function list(json: unknown, path: string, maximum: number): readonly unknown[] {
  if (!Array.isArray(json)) throw fail(path, 'must be a list');
  if (json.length > maximum) throw fail(path, `must have at most ${maximum} entries`);
  return json;
}

function integer(json: unknown, path: string, minimum: number, maximum: number): number {
  if (typeof json !== 'number' || !Number.isSafeInteger(json) || json < minimum || json > maximum) {
    throw fail(path, `must be an integer from ${minimum} to ${maximum}`);
  }
  return json === 0 ? 0 : json; // -0 becomes 0, so that one value has one canonical form.
}

function boolean(json: unknown, path: string): boolean {
  if (typeof json !== 'boolean') throw fail(path, 'must be true or false');
  return json;
}

function text(json: unknown, path: string, maximum: number): string {
  if (typeof json !== 'string' || json.length < 1 || json.length > maximum || /[\p{Cc}\p{Cs}]/u.test(json)) {
    throw fail(path, `must be 1 to ${maximum} printable characters`);
  }
  if (json !== json.trim() || json !== json.normalize('NFC')) {
    throw fail(path, 'must be in Unicode NFC without spaces around it');
  }
  return json;
}

function oneOf<T extends string>(json: unknown, path: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === json);
  if (found === undefined) throw fail(path, `must be one of ${allowed.join(', ')}`);
  return found;
}

function decimal(json: unknown, path: string, limit: bigint): string {
  if (typeof json !== 'string' || !/^(0|[1-9][0-9]{0,77})$/.test(json) || BigInt(json) >= limit) {
    throw fail(path, 'must be a decimal number as a string, without leading zeros and within its range');
  }
  return json;
}

/** Decimal or `0x` hexadecimal, as geth allows; the result is decimal. */
function amount(json: unknown, path: string, limit: bigint): string {
  const isQuantity = typeof json === 'string' && /^0x[0-9a-f]{1,64}$/.test(json);
  return decimal(isQuantity ? BigInt(json).toString() : json, path, limit);
}

function address(json: unknown, path: string): Address {
  if (!isHex(json, 20)) throw fail(path, 'must be an address: 20 bytes of lower-case 0x hexadecimal');
  return json;
}

function memberName(json: unknown, path: string): string {
  if (typeof json !== 'string' || !MEMBER_NAME.test(json)) {
    throw fail(path, 'must be 1 to 31 lower-case letters, digits or hyphens that begin with a letter');
  }
  return json;
}

function reference(json: unknown, path: string, members: readonly GenesisMember[]): GenesisMember {
  const found = members.find((member) => member.name === json);
  if (found === undefined) throw fail(path, 'must be the name of a member');
  return found;
}

function distinct<T>(items: readonly T[], path: string, field: string, keyOf: (item: T) => string): void {
  const seen = new Map<string, number>();
  items.forEach((item, index) => {
    const key = keyOf(item);
    const earlier = seen.get(key);
    if (earlier !== undefined) throw fail(`${path}[${index}].${field}`, `is the same as that of ${path}[${earlier}]`);
    seen.set(key, index);
  });
}
