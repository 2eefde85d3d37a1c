import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts, hanse, LocalNetwork, removeFolders, temporaryFolder } from './localNetwork.ts';

// The code and the commands of the documents, executed on one network.

const examples = fileURLToPath(new URL('../../examples/', import.meta.url));

/** What each example prints last. */
const LAST_LINES: Readonly<Record<string, RegExp>> = {
  'pay.mjs': /^alice holds \d+\.50 DCNY$/,
  'finality.mjs': /^the proof is good: 0x[0-9a-f]{64} is final$/,
  'deploy.mjs': /^Counter at 0x[0-9a-f]{40}: 1 since block \d+$/,
  'anchor.mjs': /^anchored by farm in block \d+$/,
  'ethers.mjs': /^bob holds \d+ DCNY$/,
};

/** The command lines of the README's blocks that are marked to be run. */
function readmeCommands(): readonly string[] {
  const readme = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');
  return [...readme.matchAll(/<!-- run -->\n```sh\n([\s\S]*?)```/g)].flatMap(([, text = '']) =>
    text.split('\n').filter((line) => line !== ''),
  );
}

describe('the documents', () => {
  let network: LocalNetwork;

  beforeAll(async () => {
    network = await LocalNetwork.start(temporaryFolder(), await freePorts(4));
  });

  afterAll(async () => {
    await network.stop();
    removeFolders();
  });

  it('have a test for every example', () => {
    const files = readdirSync(examples).filter((file) => file.endsWith('.mjs'));
    expect(files.toSorted()).toEqual(Object.keys(LAST_LINES).toSorted());
  });

  // In their order: the bank can pay only after the authority has issued.
  for (const [file, lastLine] of Object.entries(LAST_LINES)) {
    it(`show code that works: ${file}`, async () => {
      const environment = { ...process.env, HANSE_DATA: network.root };
      const { stdout } = await promisify(execFile)(process.execPath, [`${examples}${file}`], { env: environment });
      expect(stdout.trimEnd().split('\n').at(-1)).toMatch(lastLine);
    });
  }

  it('show commands that work, in the README', async () => {
    const commands = readmeCommands();
    expect(commands.length).toBeGreaterThan(2);
    for (const command of commands) {
      const words = command.split(' ').slice(2);
      const { code, stderr } = await hanse([...words, '--data', network.root]);
      expect([command, code, stderr]).toEqual([command, 0, '']);
    }
  });
});
