import type { Command } from 'commander';
import { act, printProposal } from '../../members/act.ts';
import { type ActingOptions, addActingOptions, type MemberContext, openMember } from '../../members/memberContext.ts';
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
    const approve = options.against !== true;
    const context = await openMember(options);
    const cast = () => context.client.members.vote({ proposal: id, approve });
    await printProposal(
      context,
      options,
      id,
      (await votedSo(context, id, approve)) ? undefined : await act(context, options, cast),
    );
  });
}

/** Whether the member's vote on an open proposal stands as wanted: after an interruption the command can be given again. */
async function votedSo({ client, self }: MemberContext, proposal: number, approve: boolean): Promise<boolean> {
  const vote = await client.members.voteOf({ proposal, member: self.number });
  if (vote !== (approve ? 'approve' : 'reject')) return false;
  return (await client.members.proposal(proposal)).state === 'open';
}
