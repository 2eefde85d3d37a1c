import { existsSync } from 'node:fs';
import type { Hash } from '@hanse/protocol';
import { type MemberEntry, revertDataOfReceipt, type SentTransaction } from '@hanse/sdk';
import type { TransactionReceipt } from 'viem';
import { CLIError, exitCodes } from '../cliError.ts';
import type { GenesisOption } from '../finality.ts';
import { fieldLines, type OutputOptions, printResult } from '../output.ts';
import { type Settled, settle, settledLines } from '../settle.ts';
import type { MemberContext } from './memberContext.ts';
import { expiryText, type ProposalView, stateText, viewProposal } from './proposalView.ts';
import { refusable, refusalText } from './refusals.ts';

/** An act of a member in its final block. */
export interface Act {
  readonly settled: Settled;
  readonly receipt: TransactionReceipt;
}

/** Sends as a member and waits until it is final; a refusal of the module, before or in the block, is a CLIError of one line. */
export async function act(
  context: MemberContext,
  options: GenesisOption,
  send: () => Promise<SentTransaction>,
): Promise<Act> {
  const { network, members } = context;
  const sent = await refusable(members, send);
  const genesis = options.genesis ?? context.folder?.genesis;
  const settled = await settle(network, sent, genesis !== undefined && existsSync(genesis) ? { genesis } : {});
  const receipt = await network.client.publicClient.getTransactionReceipt({ hash: sent.hash });
  if (receipt.status !== 'success') throw refusedInBlock(receipt, members);
  return { settled, receipt };
}

/** The chain changed between the look at it and the block. */
function refusedInBlock(receipt: TransactionReceipt, members: readonly MemberEntry[]): CLIError {
  const data = revertDataOfReceipt(receipt);
  const why = data === undefined ? 'It ran out of gas; try again.' : refusalText(data, members);
  return new CLIError(
    `${why} (transaction ${receipt.transactionHash}, block ${receipt.blockNumber})`,
    exitCodes.refused,
  );
}

/** Prints a proposal as it is after an act of a member; without an act, that nothing was to be done. */
export async function printProposal(
  context: MemberContext,
  options: OutputOptions,
  id: number,
  done: Act | undefined,
  { fingerprint }: { readonly fingerprint?: Hash | undefined } = {},
): Promise<void> {
  const { client, self } = context;
  const proposal = await viewProposal(client, id, await client.members.all());
  const described = fingerprint === undefined ? {} : { fingerprint };
  printResult(options, { proposal, ...described, transaction: done?.settled ?? null }, () => [
    ...proposalLines(proposal, fingerprint),
    '',
    ...(done === undefined ? [`${self.name} voted so before: nothing was sent.`] : settledLines(done.settled)),
    ...nextLines(proposal),
  ]);
}

function proposalLines(proposal: ProposalView, fingerprint: Hash | undefined): readonly string[] {
  const names = (list: readonly string[]): string | undefined => (list.length === 0 ? undefined : list.join(', '));
  const pending = proposal.state === 'open' || proposal.state === 'passed';
  return fieldLines([
    ['proposal', `${proposal.id}: ${proposal.about}`],
    ['fingerprint', fingerprint === undefined ? undefined : `${fingerprint} (compare it with what the member told)`],
    ['state', stateText(proposal)],
    ['for it', names(proposal.approvedBy)],
    ['against it', names(proposal.rejectedBy)],
    ['no vote yet', proposal.state === 'open' ? names(proposal.undecided) : undefined],
    ['missing', proposal.missing ?? undefined],
    ['warning', proposal.warning ?? undefined],
    ['expires', pending ? expiryText(proposal, Date.now()) : undefined],
  ]);
}

function nextLines({ id, state, undecided }: ProposalView): readonly string[] {
  if (state !== 'open' || undecided.length === 0) return [];
  return ['', `The others vote: hanse member vote ${id} (--against to reject)`];
}
