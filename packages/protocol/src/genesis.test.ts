import { describe, expect, it } from 'vitest';
import { bytesToUtf8 } from './bytes.ts';
import { parseEndpoint } from './endpoint.ts';
import {
  canonicalGenesisBytes,
  checkGenesisKeys,
  type Genesis,
  genesisDocumentHash,
  genesisValidatorSet,
} from './genesis.ts';
import { DEFAULT_GOVERNANCE, GOVERNANCE_ACTIONS, MAX_ROLE_MINIMUM, percentBounds } from './governance.ts';
import { createInternationalSuite } from './internationalSuite.ts';
import { DEFAULT_GENESIS_PARAMETERS, parseGenesis, parseGenesisText } from './parseGenesis.ts';
import { portablePrimitives } from './portablePrimitives.ts';

const suite = createInternationalSuite(portablePrimitives);

function member(index: number, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    name: `member-${index}`,
    role: index === 0 ? 'authority' : 'bank',
    validator: true,
    address: `0x${(index + 16).toString(16).repeat(20)}`,
    voteKey: suite.publicKey(new Uint8Array(32).fill(index + 1)),
    transportKey: `0x${(index + 32).toString(16).repeat(32)}`,
    endpoints: ['127.0.0.1:30300', 'node.example.org:1', '[::1]:65535'],
    ...changes,
  };
}

const address = `0x${'aa'.repeat(20)}`;
const document = {
  format: 1,
  name: '联盟 network',
  chainId: 7_777,
  suite: 'international',
  timeMs: 1_700_000_000_000,
  members: [member(0), member(1), member(2, { validator: false })],
  accounts: [{ address, member: 'member-1', mayDeploy: true }],
  currencies: [{ symbol: 'DCNY', name: '数字人民币', decimals: 2, authority: 'member-0' }],
  alloc: {
    [address]: { balance: '0x10', nonce: '3', code: '0x6000', storage: { '0x1': '0x02' } },
  },
};

/** A governance section that changes one policy. */
const policyOf = (action: string, changes: Record<string, unknown>) => ({
  policies: { [action]: { authority: 1, bank: 0, company: 0, percent: 60, ...changes } },
});

/** The document with the value at a path such as `members.0.name` replaced, or removed if undefined. */
function changed(path: string, value: unknown): unknown {
  const copy = structuredClone(document) as Record<string, unknown>;
  const keys = path.split('.');
  let at = copy;
  for (const key of keys.slice(0, -1)) at = at[key] as Record<string, unknown>;
  if (value === undefined) delete at[keys.at(-1)!];
  else at[keys.at(-1)!] = value;
  return copy;
}

describe('the genesis document', () => {
  it('reads with defaults filled in and amounts in decimal', () => {
    const genesis = parseGenesis(document);
    expect(genesis.parameters).toEqual(DEFAULT_GENESIS_PARAMETERS);
    expect(genesis.governance).toEqual(DEFAULT_GOVERNANCE);
    expect(genesis.alloc).toEqual({
      [address]: {
        balance: '16',
        nonce: '3',
        code: '0x6000',
        storage: { [`0x${'00'.repeat(31)}01`]: `0x${'00'.repeat(31)}02` },
      },
    });
    expect(parseGenesis(JSON.parse(bytesToUtf8(canonicalGenesisBytes(genesis))))).toEqual(genesis);
    expect(genesisValidatorSet(genesis).validators.map(({ name }) => name)).toEqual(['member-0', 'member-1']);
    expect(() => checkGenesisKeys(suite, genesis)).not.toThrow();
  });

  it('hashes to a frozen value, whatever the order of keys and whether defaults are written out', () => {
    const genesis = parseGenesis(document);
    expect(genesisDocumentHash(suite, genesis)).toMatchInlineSnapshot(
      `"0x890ce1340197a1b04db516731c02b538e3a5caa17df66a347a227b3929d23f4f"`,
    );
    const reordered = Object.fromEntries(Object.entries(document).reverse());
    expect(genesisDocumentHash(suite, parseGenesis(reordered))).toBe(genesisDocumentHash(suite, genesis));
    const explicit = {
      ...document,
      parameters: { ...DEFAULT_GENESIS_PARAMETERS },
      governance: { policies: DEFAULT_GOVERNANCE.policies },
    };
    expect(genesisDocumentHash(suite, parseGenesis(explicit))).toBe(genesisDocumentHash(suite, genesis));
    const other = parseGenesis(changed('chainId', 7_778));
    expect(genesisDocumentHash(suite, other)).not.toBe(genesisDocumentHash(suite, genesis));
    expect(bytesToUtf8(canonicalGenesisBytes(genesis)).slice(0, 60)).toBe(
      '{"accounts":[{"address":"0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    );
  });

  it.each([
    ['format', 2, 'format must be 1'],
    ['name', '', 'name must be 1 to 64'],
    ['name', 'a\nb', 'name must be'],
    ['name', ' a', 'name must be in Unicode NFC'],
    ['name', 'e\u0301', 'name must be in Unicode NFC'],
    ['chainId', 0, 'chainId must be an integer from 1'],
    ['chainId', 2 ** 53, 'chainId'],
    ['chainId', '1', 'chainId'],
    ['chainId', undefined, 'chainId is missing'],
    ['suite', 'other', 'suite must be one of international, commercial'],
    ['timeMs', 0, 'timeMs'],
    ['timeMs', 1.5, 'timeMs'],
    ['extra', 1, '"extra" is no known field'],
    ['members', {}, 'members must be a list'],
    ['members', [], 'members must have 1 to 31 validators, not 0'],
    ['members.0', 5, 'members[0] must be an object'],
    ['members.0.name', 'Bank', 'members[0].name must be'],
    ['members.0.name', 'member-1', 'members[1].name is the same as that of members[0]'],
    ['members.1.role', 'king', 'members[1].role must be one of'],
    ['members.0.role', 'bank', 'members must have an authority'],
    ['members.0.validator', 1, 'members[0].validator must be true or false'],
    ['members.0.address', `0x${'AA'.repeat(20)}`, 'members[0].address must be an address'],
    ['members.1.address', `0x${'10'.repeat(20)}`, 'members[1].address is the same'],
    ['members.0.voteKey', `0x04${'00'.repeat(32)}`, 'members[0].voteKey must be a compressed'],
    ['members.1.voteKey', suite.publicKey(new Uint8Array(32).fill(1)), 'members[1].voteKey is the same'],
    ['members.0.transportKey', '0x00', 'members[0].transportKey must be 32 bytes'],
    ['members.0.endpoints', ['host'], 'members[0].endpoints[0] must be host:port'],
    ['members.0.endpoints', Array.from({ length: 9 }, () => 'a:1'), 'members[0].endpoints must have at most 8'],
    ['members.0.secret', 'x', 'members[0]."secret" is no known field'],
    ['accounts.0.member', 'nobody', 'accounts[0].member must be the name of a member'],
    ['accounts.0.mayDeploy', 'yes', 'accounts[0].mayDeploy'],
    ['accounts.1', { address, member: 'member-0', mayDeploy: false }, 'accounts[1].address is the same'],
    ['currencies.0.symbol', 'dcny', 'currencies[0].symbol'],
    ['currencies.0.decimals', 19, 'currencies[0].decimals must be an integer from 0 to 18'],
    ['currencies.0.authority', 'member-1', 'currencies[0].authority member-1 is no authority'],
    ['parameters', { blockGasLimit: 5 }, 'parameters.blockGasLimit must be an integer from 100000'],
    ['parameters', { blockGasLimit: 1_000_000 }, 'parameters.maxTransactionGas must not exceed'],
    ['parameters', { maxBlockBytes: 2048 }, 'parameters.maxTransactionBytes must not exceed'],
    ['parameters', { minGasPrice: 5 }, 'parameters.minGasPrice must be a decimal'],
    ['parameters', { minGasPrice: '05' }, 'parameters.minGasPrice'],
    ['parameters', { accounts: 'closed' }, 'parameters.accounts must be one of registered, open'],
    ['parameters', { maxBlockTransactions: 4097 }, 'parameters.maxBlockTransactions'],
    ['parameters', { maxGas: 1 }, 'parameters."maxGas" is no known field'],
    ['governance', [], 'governance must be an object'],
    [
      'governance',
      { votingPeriodSeconds: 59 },
      'governance.votingPeriodSeconds must be an integer from 60 to 31536000',
    ],
    ['governance', { votingPeriodSeconds: 31_536_001 }, 'governance.votingPeriodSeconds'],
    ['governance', { quorum: 1 }, 'governance."quorum" is no known field'],
    ['governance', { policies: { admit: {} } }, 'governance.policies."admit" is no known field'],
    ['governance', { policies: { demote: { percent: 60 } } }, 'governance.policies.demote.authority is missing'],
    ['governance', policyOf('demote', { percent: 49 }), 'demote.percent must be an integer from 50 to 99'],
    ['governance', policyOf('remove', { percent: 67 }), 'remove.percent must be an integer from 50 to 66'],
    ['governance', policyOf('addMember', { percent: 100 }), 'addMember.percent must be an integer from 0 to 99'],
    ['governance', policyOf('changeRule', { bank: 32 }), 'changeRule.bank must be an integer from 0 to 31'],
    ['governance', policyOf('changeRule', { company: -1 }), 'changeRule.company must be an integer'],
    ['governance', policyOf('changeRule', { king: 1 }), 'changeRule."king" is no known field'],
    ['alloc', { '0x1': {} }, 'alloc["0x1"] must be an address'],
    ['alloc', { [address]: { balance: '-1' } }, `alloc[${address}].balance must be a decimal`],
    ['alloc', { [address]: { balance: (2n ** 256n).toString() } }, 'balance'],
    ['alloc', { [address]: { nonce: (2n ** 64n - 1n).toString() } }, 'nonce'],
    ['alloc', { [address]: { code: '0x0' } }, 'code'],
    ['alloc', { [address]: { storage: { '0x1': '0x0' } } }, 'must not be zero'],
    ['alloc', { [address]: { storage: { '0x1': '0x2', '0x01': '0x2' } } }, 'is given twice'],
    ['alloc', JSON.parse(`{"__proto__": {}}`), 'alloc["__proto__"] must be an address'],
  ])('refuses %s = %j', (path, value, message) => {
    expect(() => parseGenesis(changed(path, value))).toThrow(
      expect.objectContaining({ code: 'invalid-genesis', message: expect.stringContaining(message) }),
    );
  });

  it('takes policies one by one and keeps the defaults of the others', () => {
    const demote = { authority: 0, bank: 2, company: MAX_ROLE_MINIMUM, percent: 99 };
    const { governance } = parseGenesis(changed('governance', { votingPeriodSeconds: 60, policies: { demote } }));
    expect(governance).toEqual({ votingPeriodSeconds: 60, policies: { ...DEFAULT_GOVERNANCE.policies, demote } });
    const whole = parseGenesis(changed('governance', DEFAULT_GOVERNANCE)).governance;
    expect(whole).toEqual(DEFAULT_GOVERNANCE);
    // Whoever consents to everything is enough, so no policy makes its own change impossible.
    for (const action of GOVERNANCE_ACTIONS) expect(percentBounds(action).maximum).toBeLessThan(100);
  });

  it('refuses more than 31 validators, and allows 31', () => {
    const members = (count: number) => Array.from({ length: count }, (_, index) => member(index));
    const none = { ...document, accounts: [], currencies: [] };
    expect(genesisValidatorSet(parseGenesis({ ...none, members: members(31) })).validators).toHaveLength(31);
    expect(() => parseGenesis({ ...none, members: members(32) })).toThrow('not 32');
  });

  it('refuses what is no object, and text that is no JSON or too long, in one line', () => {
    for (const bad of [null, undefined, 5, 'x', []])
      expect(() => parseGenesis(bad)).toThrow('the document must be an object');
    expect(() => parseGenesisText('{"format":')).toThrow(/^genesis: not JSON: .+$/);
    expect(parseGenesisText(JSON.stringify(document))).toEqual(parseGenesis(document));
    expect(() => parseGenesisText(' '.repeat(16 * 1024 * 1024 + 1))).toThrow(
      expect.objectContaining({ code: 'too-large' }),
    );
  });

  it('is refused for a vote key off the curve and for another suite', () => {
    const offCurve = parseGenesis(changed('members.1.voteKey', `0x02${'00'.repeat(31)}05`)) as Genesis;
    expect(() => checkGenesisKeys(suite, offCurve)).toThrow('members[1].voteKey is not a point');
    const commercial = parseGenesis(changed('suite', 'commercial')) as Genesis;
    expect(() => checkGenesisKeys(suite, commercial)).toThrow('suite is commercial');
  });
});

describe('endpoints', () => {
  it('are a name or address and a port', () => {
    expect(parseEndpoint('node.example.org:30300')).toEqual({ host: 'node.example.org', port: 30_300 });
    expect(parseEndpoint('10.0.0.1:1')).toEqual({ host: '10.0.0.1', port: 1 });
    expect(parseEndpoint('[fe80::1]:65535')).toEqual({ host: 'fe80::1', port: 65_535 });
    const bad = [
      'host',
      'host:',
      ':1',
      'host:0',
      'host:65536',
      'host:01',
      'a b:1',
      '::1:5',
      '[::1]',
      'host:1/x',
      '-a:1',
      'a:1\n',
    ];
    for (const text of bad) expect(parseEndpoint(text), text).toBeUndefined();
  });
});
