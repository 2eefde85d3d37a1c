import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addressOfPrivateKey, loadSuite } from '@hanse/node';
import type { Suite } from '@hanse/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLIError } from './cliError.ts';
import {
  type DescriptorContent,
  descriptorFingerprint,
  type MemberDescriptor,
  parseDescriptor,
  readDescriptorFile,
  signDescriptor,
  verifyDescriptor,
} from './memberDescriptor.ts';

const account = new Uint8Array(32).fill(1);
const vote = new Uint8Array(32).fill(2);
const folder = mkdtempSync(join(tmpdir(), 'hanse-descriptor-'));
let suite: Suite;
let content: DescriptorContent;
let sound: MemberDescriptor;

beforeAll(async () => {
  suite = await loadSuite('international');
  content = {
    suite: 'international',
    name: 'bank',
    role: 'bank',
    address: addressOfPrivateKey(account, suite),
    accountKey: suite.publicKey(account),
    voteKey: suite.publicKey(vote),
    transportKey: `0x${'33'.repeat(32)}`,
    endpoints: ['bank.example.com:9545', '[2001:db8::1]:9545'],
  };
  sound = signDescriptor(content, { account, vote }, suite);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const message = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(CLIError);
    return (error as CLIError).message;
  }
  throw new Error('nothing was refused');
};

describe('a descriptor', () => {
  it('survives the way through a file, and its signatures hold', () => {
    const read = parseDescriptor(JSON.parse(JSON.stringify(sound)), 'bank.json');
    expect(read).toEqual(sound);
    verifyDescriptor(read, suite, 'bank.json');
  });

  it('has the frozen fingerprint, so that versions of this program agree about it', () => {
    expect(descriptorFingerprint(content, suite)).toMatchInlineSnapshot(
      `"0x6bf735927dd2472769fea9580b37995e48dc9185560441ba1eb86b8b13daacc6"`,
    );
  });

  it('is refused after any change of its content', () => {
    const changes: Partial<DescriptorContent>[] = [
      { name: 'bonk' },
      { role: 'authority' },
      { transportKey: `0x${'34'.repeat(32)}` },
      { endpoints: ['evil.example.com:9545'] },
      { endpoints: [...sound.endpoints, 'evil.example.com:9545'] },
      { suite: 'commercial' },
    ];
    for (const change of changes)
      expect(message(() => verifyDescriptor({ ...sound, ...change }, suite, 'bank.json'))).toContain('signature');
  });

  it("is refused with another member's key in the place of one of its own", () => {
    const thief = new Uint8Array(32).fill(9);
    const stolenVote = { ...sound, voteKey: suite.publicKey(thief) };
    expect(message(() => verifyDescriptor(stolenVote, suite, 'f'))).toContain('signature');
    // The thief signs what it can: it lacks the key of the account.
    const { signatures } = signDescriptor(
      { ...content, voteKey: suite.publicKey(thief) },
      { account: thief, vote: thief },
      suite,
    );
    expect(message(() => verifyDescriptor({ ...stolenVote, signatures }, suite, 'f'))).toContain(
      'account key is wrong',
    );
    const foreignVote = signDescriptor(content, { account, vote: thief }, suite);
    expect(message(() => verifyDescriptor(foreignVote, suite, 'f'))).toContain('vote key is wrong');
  });

  it('is refused if the address is not that of the account key', () => {
    const other = signDescriptor({ ...content, address: `0x${'11'.repeat(20)}` }, { account, vote }, suite);
    expect(message(() => verifyDescriptor(other, suite, 'f'))).toContain('address is not that of accountKey');
  });
});

describe('parseDescriptor', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['another kind', { kind: 'recipe' }, 'kind'],
    ['another format', { format: 2 }, 'format 1'],
    ['a suite that does not exist', { suite: 'rot13' }, 'suite'],
    ['a name in capitals', { name: 'Bank' }, 'name'],
    ['a role that does not exist', { role: 'king' }, 'role'],
    ['no endpoint', { endpoints: [] }, 'endpoints'],
    ['too many endpoints', { endpoints: Array.from({ length: 9 }, (_, i) => `a:${i + 1}`) }, 'endpoints'],
    ['an endpoint without a port', { endpoints: ['bank.example.com'] }, 'endpoint'],
    ['an endpoint that is no text', { endpoints: [7] }, 'endpoint'],
    ['a short vote key', { voteKey: '0x02' }, 'voteKey'],
    ['a key in capitals', { transportKey: `0x${'AB'.repeat(32)}` }, 'transportKey'],
    ['no signatures', { signatures: null }, 'signatures.account'],
  ])('refuses %s in one line that names the file', (_, change, word) => {
    const line = message(() => parseDescriptor({ ...sound, ...change }, 'bank.json'));
    expect(line).toContain(word);
    expect(line).toMatch(/^bank\.json .*Ask the member for it again\.$/);
  });

  it.each([null, 7, 'text', []])('refuses %j, which is no descriptor', (json) => {
    expect(message(() => parseDescriptor(json, 'x'))).toContain('x is no sound member descriptor');
  });
});

describe('readDescriptorFile', () => {
  it('refuses what is missing, damaged or too large before it parses it', () => {
    const file = join(folder, 'descriptor.json');
    expect(message(() => readDescriptorFile(file))).toContain('cannot be read');
    writeFileSync(file, '{');
    expect(message(() => readDescriptorFile(file))).toContain('is damaged');
    writeFileSync(file, ' '.repeat(70_000));
    expect(message(() => readDescriptorFile(file))).toContain('too large');
  });
});
