import type { Command } from 'commander';
import { act, printProposal } from '../../members/act.ts';
import { type ActingOptions, addActingOptions, openMember } from '../../members/memberContext.ts';
import { parseProposal } from '../../members/memberLookup.ts';
import { addExamples } from '../../options.ts';

interface VoteOptions extends ActingOptions {
  readonly against?: boolean;
}

/** `hanse member vote`: for a proposal, or against it. */
export function addVoteCommand(member: Command): void {
  const vote = member
    .command('vote')
    .description('vote for a proposal, or against it; the vote that suffices enacts at once')
    .argument('<proposal>', 'its number')
    .option('--against', 'reject it; a vote can be changed while the proposal is open');
  addExamples(
    addActingOptions(vote),
    'hanse member vote 3 --member bank',
    'hanse member vote 3 --against --config ./bank/node.json',
  ).action(async (proposal: string, options: VoteOptions) => {
    const id = parseProposal(proposal);
    const context = await openMember(options);
    const done = await act(context, options, () =>
      context.client.members.vote({ proposal: id, approve: options.against !== true }),
    );
    await printProposal(context, options, id, done);
  });
}
