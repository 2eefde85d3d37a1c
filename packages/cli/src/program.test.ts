import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram } from './program.ts';
import { helpOf, leafCommands, renderCommandReference } from './testing/renderCommandReference.ts';

const commands = leafCommands(createProgram()).map(({ name, command }) => [name, command] as const);

describe('docs/reference/cli.md', () => {
  it('is what the commands say of themselves (update with `vitest -u`)', async () => {
    await expect(renderCommandReference(createProgram())).toMatchFileSnapshot('../../../docs/reference/cli.md');
  });
});

describe.each(commands)('hanse %s', (name: string, command: Command) => {
  const help = helpOf(command);

  it('shows an example in its help, with its own name', () => {
    expect(help).toMatch(new RegExp(`Examples?:\\n  \\$ hanse ${name}`));
  });

  it('has --json, and describes every option and argument', () => {
    expect(command.options.map(({ long }) => long)).toContain('--json');
    for (const { long, description } of command.options) expect([long, description]).not.toEqual([long, '']);
    for (const argument of command.registeredArguments) expect(argument.description).not.toBe('');
  });
});
