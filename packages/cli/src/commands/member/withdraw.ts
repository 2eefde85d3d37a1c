import type { Command } from 'commander';
import { act, printProposal } from '../../members/act.ts';
import { type ActingOptions, addActingOptions, openMember } from '../../members/memberContext.ts';
import { parseProposal } from '../../members/memberLookup.ts';
import { addExamples } from '../../options.ts';

/** `hanse member withdraw`: takes back a proposal of one's own. */
export function addWithdrawCommand(member: Command): void {
  const withdraw = member
    .command('withdraw')
    .description('take back a proposal; the member that made it does')
    .argument('<proposal>', 'its number');
  addExamples(addActingOptions(withdraw), 'hanse member withdraw 3 --member bank').action(
    async (proposal: string, options: ActingOptions) => {
      const id = parseProposal(proposal);
      const context = await openMember(options);
      await printProposal(context, options, id, await act(context, options, () => context.client.members.withdraw(id)));
    },
  );
}
