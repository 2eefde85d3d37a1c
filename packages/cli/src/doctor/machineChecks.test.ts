import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkCryptography, checkMachine, checkMemberFolders, checkNodeVersion } from './machineChecks.ts';

const root = mkdtempSync(join(tmpdir(), 'hanse-doctor-'));
afterAll(() => {
  rmSync(root, { recursive: true });
});

describe('checkNodeVersion', () => {
  it.each([
    ['20.19.0', 'good'],
    ['20.20.2', 'good'],
    ['v22.0.0', 'good'],
    ['20.18.9', 'problem'],
    ['18.99.0', 'problem'],
  ])('takes Node.js %s for %s', (version, level) => {
    expect(checkNodeVersion(version).level).toBe(level);
  });
});

describe('checkCryptography', () => {
  const levels = (secp256k1: string, keccak256: string) =>
    checkCryptography({ secp256k1, keccak256 }).map(({ level }) => level);

  it('is content with the fastest, warns of WebAssembly on the curve, and calls JavaScript a problem', () => {
    expect(levels('native (libsecp256k1)', 'WebAssembly (hash-wasm)')).toEqual(['good', 'good']);
    expect(levels('WebAssembly (tiny-secp256k1)', 'WebAssembly (hash-wasm)')).toEqual(['warning', 'good']);
    expect(levels('JavaScript (@noble/curves)', 'JavaScript (@noble/hashes)')).toEqual(['problem', 'problem']);
  });

  it('comes with a remedy for everything that is not good', async () => {
    const findings = [
      ...checkCryptography({ secp256k1: 'WebAssembly', keccak256: 'JavaScript' }),
      ...(await checkMachine('18.0.0')),
    ];
    for (const { level, remedy } of findings) expect(level === 'good').toBe(remedy === undefined);
  });
});

describe('checkMemberFolders', () => {
  function memberFolder(name: string): { readonly keys: string; readonly data: string } {
    const folders = { keys: join(root, name, 'keys'), data: join(root, name, 'data') };
    mkdirSync(folders.keys, { recursive: true, mode: 0o700 });
    mkdirSync(folders.data, { mode: 0o700 });
    for (const file of ['vote.key', 'transport.key']) writeFileSync(join(folders.keys, file), '', { mode: 0o600 });
    return folders;
  }

  it('is content with keys for their owner alone', () => {
    expect(checkMemberFolders('bank', memberFolder('sound'))).toEqual([expect.objectContaining({ level: 'good' })]);
  });

  it('finds keys and folders that others can read, and says which command closes them', () => {
    const folders = memberFolder('open');
    chmodSync(folders.keys, 0o755);
    chmodSync(join(folders.keys, 'vote.key'), 0o640);
    writeFileSync(join(folders.keys, 'account.key'), '', { mode: 0o604 });
    writeFileSync(join(folders.keys, 'vote-2.key'), '', { mode: 0o644 });
    expect(checkMemberFolders('bank', folders).map(({ remedy }) => remedy)).toEqual([
      `Run: chmod 700 '${folders.keys}'`,
      `Run: chmod 600 '${join(folders.keys, 'account.key')}'`,
      `Run: chmod 600 '${join(folders.keys, 'vote-2.key')}'`,
      `Run: chmod 600 '${join(folders.keys, 'vote.key')}'`,
    ]);
  });

  it('finds a missing key, and asks nothing of a member that never ran', () => {
    const folders = memberFolder('missing');
    rmSync(join(folders.keys, 'transport.key'));
    rmSync(folders.data, { recursive: true });
    const findings = checkMemberFolders('bank', folders);
    expect(findings.map(({ what }) => what)).toEqual([`${join(folders.keys, 'transport.key')} is missing`]);
  });
});
