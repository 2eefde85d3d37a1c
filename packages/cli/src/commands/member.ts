import type { Command } from 'commander';
import { addEnactCommand } from './member/enact.ts';
import { addEvidenceCommand } from './member/evidence.ts';
import { addInitCommand } from './member/init.ts';
import { addInviteCommand } from './member/invite.ts';
import { addListCommand } from './member/list.ts';
import { addProposeCommand } from './member/propose.ts';
import { addReadyCommand } from './member/ready.ts';
import { addRotateCommand } from './member/rotate.ts';
import { addVoteCommand } from './member/vote.ts';
import { addWithdrawCommand } from './member/withdraw.ts';

/** `hanse member`: what a member does on its own machine, and what the members decide together. */
export function addMemberCommand(program: Command): void {
  const member = program
    .command('member')
    .description('make a member, let it join, and decide with the others who is one');
  addInitCommand(member);
  addInviteCommand(member);
  addListCommand(member);
  addProposeCommand(member);
  addVoteCommand(member);
  addWithdrawCommand(member);
  addEnactCommand(member);
  addReadyCommand(member);
  addRotateCommand(member);
  addEvidenceCommand(member);
}
