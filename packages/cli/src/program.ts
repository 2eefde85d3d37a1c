import { Command } from 'commander';
import { addAccountCommand } from './commands/account.ts';
import { addBlockCommand } from './commands/block.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addMemberCommand } from './commands/member.ts';
import { addNetworkCommand } from './commands/network.ts';
import { addNodeCommand } from './commands/node.ts';
import { addRecoveryCommand } from './commands/recovery.ts';
import { addSendCommand } from './commands/send.ts';
import { addStatusCommand } from './commands/status.ts';
import { addTransactionCommand } from './commands/tx.ts';
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
  addMemberCommand(program);
  addNetworkCommand(program);
  addStatusCommand(program);
  addAccountCommand(program);
  addSendCommand(program);
  addBlockCommand(program);
  addTransactionCommand(program);
  addDoctorCommand(program);
  addRecoveryCommand(program);
  return program;
}
