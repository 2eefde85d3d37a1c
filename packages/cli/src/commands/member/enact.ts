import type { Command } from 'commander';
import { act, printProposal } from '../../members/act.ts';
import { type ActingOptions, addActingOptions, openMember } from '../../members/memberContext.ts';
import { parseProposal } from '../../members/memberLookup.ts';
import { addExamples } from '../../options.ts';

/** `hanse member enact`: does what has passed and could not be done at once. */
export function addEnactCommand(member: Command): void {
  const enact = member
    .command('enact')
    .description('do what has passed and could not be done at once; any member may')
    .argument('<proposal>', 'its number');
  addExamples(addActingOptions(enact), 'hanse member enact 3 --member bank').action(
    async (proposal: string, options: ActingOptions) => {
      const id = parseProposal(proposal);
      const context = await openMember(options);
      await printProposal(context, options, id, await act(context, options, () => context.client.members.enact(id)));
    },
  );
}
