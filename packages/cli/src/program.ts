import { Command } from 'commander';
import { addNodeCommand } from './commands/node.ts';
import { addUpCommand } from './commands/up.ts';
import { version } from './version.ts';

/** The whole command line of `hanse`. */
export function createProgram(): Command {
  const program = new Command('hanse')
    .description('Hanse, an alliance chain: run members, use the chain')
    .version(version)
    .showHelpAfterError('(add --help to see the options)')
    .configureHelp({ sortSubcommands: false })
    .exitOverride();
  addUpCommand(program);
  addNodeCommand(program);
  return program;
}
