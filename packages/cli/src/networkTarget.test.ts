import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findNetwork } from './networkTarget.ts';

const root = mkdtempSync(join(tmpdir(), 'hanse-target-'));
afterAll(() => {
  rmSync(root, { recursive: true });
});

/** A pid that no process has: Linux gives out at most 4,194,304. */
const DEAD = 2 ** 22 + 1;

function dataFolder(name: string, files: Readonly<Record<string, unknown>>): string {
  const folder = join(root, name);
  mkdirSync(folder);
  for (const [file, content] of Object.entries(files))
    writeFileSync(join(folder, file), typeof content === 'string' ? content : JSON.stringify(content));
  return folder;
}

const members = (...pids: readonly number[]): unknown => ({
  accounts: [],
  members: pids.map((pid, index) => ({ name: `m${index}`, rpcUrl: `http://127.0.0.1:${9_000 + index}`, pid })),
});

describe('findNetwork', () => {
  it('takes the address that is given, with or without a scheme', () => {
    const at = (rpc: string): readonly string[] => findNetwork({ rpc, data: join(root, 'nowhere') }).rpcUrls;
    expect(at('http://bank.example.com:8545')).toEqual(['http://bank.example.com:8545']);
    expect(at('127.0.0.1:8545')).toEqual(['http://127.0.0.1:8545']);
    expect(at('https://bank.example.com/rpc')).toEqual(['https://bank.example.com/rpc']);
  });

  it.each(['ftp://x', 'ws://127.0.0.1:8545', 'http://', ''])('refuses %j as an address', (rpc) => {
    expect(() => findNetwork({ rpc, data: root })).toThrow('is not possible');
  });

  it('takes the members of a local network that live', () => {
    const data = dataFolder('running', { 'network.json': members(DEAD, process.pid) });
    expect(findNetwork({ data }).rpcUrls).toEqual(['http://127.0.0.1:9001']);
  });

  it('says what to do where no network runs', () => {
    expect(() => findNetwork({ data: join(root, 'nowhere') })).toThrow('There is no local network');
    const stopped = dataFolder('stopped', { 'hanse.json': {} });
    expect(() => findNetwork({ data: stopped })).toThrow('does not run. Start it with "hanse up"');
    const killed = dataFolder('killed', { 'network.json': members(DEAD) });
    expect(() => findNetwork({ data: killed })).toThrow('no member runs');
    ['{', '{}', 'null', '7'].forEach((content, index) => {
      const damaged = dataFolder(`damaged${index}`, { 'network.json': content });
      expect(() => findNetwork({ data: damaged })).toThrow('is damaged');
    });
  });
});
