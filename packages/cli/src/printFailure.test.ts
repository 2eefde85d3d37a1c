import { ConfigError } from '@hanse/node';
import { ProtocolError } from '@hanse/protocol';
import { RpcRequestError } from 'viem';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CLIError } from './cliError.ts';
import { usageError } from './options.ts';
import { printFailure } from './printFailure.ts';
import { createProgram } from './program.ts';

let printed = '';
beforeEach(() => {
  printed = '';
  const keep = (text: string | Uint8Array): boolean => {
    printed += String(text);
    return true;
  };
  vi.spyOn(process.stderr, 'write').mockImplementation(keep);
  vi.spyOn(process.stdout, 'write').mockImplementation(keep);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const refused = (code: number, message: string): RpcRequestError =>
  new RpcRequestError({ body: {}, url: 'http://x', error: { code, message } });

describe('printFailure', () => {
  it.each<[string, unknown, number, string]>([
    ['what the user can mend', new CLIError('Port 1 is taken.'), 1, 'Port 1 is taken.\n'],
    ['a damaged configuration', new ConfigError('node.json is damaged.'), 1, 'node.json is damaged.\n'],
    [
      'a damaged genesis',
      new ProtocolError('invalid-genesis', 'genesis: name is missing'),
      1,
      'genesis: name is missing\n',
    ],
    ['wrong usage', usageError('Give --to.'), 64, 'Give --to.\n'],
    [
      'a refusal of the chain',
      refused(-32_000, 'nonce too low: next nonce 5'),
      2,
      'The chain refused: nonce too low: next nonce 5.\n',
    ],
    ['a member that is not ready', refused(-32_000, 'member not ready'), 1, 'member not ready.\n'],
  ])('prints %s as one line', (_, error, code, line) => {
    expect(printFailure(error)).toBe(code);
    expect(printed).toBe(line);
  });

  it('prints a bug with its stack', () => {
    expect(printFailure(new TypeError('x is undefined'))).toBe(70);
    expect(printed).toMatch(/^TypeError: x is undefined\n +at /);
    expect(printFailure('text')).toBe(70);
  });
});

describe('the exit code of the command line', () => {
  const run = async (...arguments_: readonly string[]): Promise<number> => {
    try {
      await createProgram().parseAsync(['node', 'hanse', ...arguments_]);
    } catch (error) {
      return printFailure(error);
    }
    throw new Error('the command did something');
  };

  it.each([
    ['--help'],
    ['--version'],
    ['send', '--help'],
    ['account', 'new', '--help'],
    ['help', 'send'],
  ])('is 0 for hanse %s %s', async (...words) => {
    expect(await run(...words)).toBe(0);
    expect(printed).not.toBe('');
  });

  it.each([
    ['sned'],
    ['account'],
    ['member', 'init'],
    ['status', '--nonsense'],
    ['tx'],
    ['block', '1', '2'],
  ])('is 64 for hanse %s %s', async (...words) => {
    expect(await run(...words)).toBe(64);
    expect(printed).not.toBe('');
  });
});
