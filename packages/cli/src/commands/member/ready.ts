import type { Command } from 'commander';
import { CLIError, exitCodes } from '../../cliError.ts';
import { act } from '../../members/act.ts';
import {
  type ActingOptions,
  addActingOptions,
  connectOwn,
  findOwnFolder,
  type MemberContext,
  openMember,
} from '../../members/memberContext.ts';
import { assertOwnNode, type NodeCheck, waitForNode } from '../../members/ownNode.ts';
import { timeText } from '../../members/timeText.ts';
import { addExamples, parseWhole } from '../../options.ts';
import { fieldLines, printResult } from '../../output.ts';
import { settledLines } from '../../settle.ts';

interface ReadyOptions extends ActingOptions {
  readonly wait: string;
}

/** `hanse member ready`: shows the others that this member's node follows the chain, which a promotion takes. */
export function addReadyCommand(member: Command): void {
  const ready = member
    .command('ready')
    .description('declare that the own node follows the chain; its promotion counts on that for an hour')
    .option('--wait <seconds>', 'wait so long for the node to catch up, instead of giving up at once', '0');
  addExamples(
    addActingOptions(ready),
    'hanse member ready --config ./mill/node.json',
    'hanse member ready --member mill --wait 600',
  ).action(async (options: ReadyOptions) => {
    const waitMs = parseWhole('--wait', options.wait, 0, 86_400) * 1_000;
    const deadlineMs = Date.now() + waitMs;
    await waitUntilAdmitted(options, waitMs);
    const context = await openMember(options, { ownNode: true });
    await declareReady(context, options, Math.max(0, deadlineMs - Date.now()));
  });
}

/** Until the own node has seen it on the chain, the member cannot act through it. */
async function waitUntilAdmitted(options: ReadyOptions, waitMs: number): Promise<void> {
  const folder = findOwnFolder(options);
  if (waitMs === 0 || folder === undefined) return;
  const network = await connectOwn(options, folder, { ownNode: true });
  await waitForNode(network, waitMs, ({ name, membership, height }) =>
    membership === 'none' ? `${name} is not admitted, as far as it knows the chain (block ${height}).` : undefined,
  );
}

async function declareReady(context: MemberContext, options: ActingOptions, waitMs: number): Promise<void> {
  const { self, client } = context;
  assertOwnNode(context);
  if (self.validator)
    throw new CLIError(`${self.name} is a validator already: there is nothing to declare.`, exitCodes.refused);
  await waitForNode(context, waitMs, readiness(context));
  const { settled } = await act(context, options, () => client.members.declareReady());
  const [{ validator: promoted }, declared] = await Promise.all([
    client.members.member(self.number),
    client.members.readyOf(self.number),
  ]);
  const { height = 0, until = 0 } = declared ?? {};
  const proposal = promoted ? undefined : await findPromotion(context);
  const value = { member: self.name, height, readyUntil: until, promoted, transaction: settled };
  printResult(options, value, () => [
    ...fieldLines([
      ['member', self.name],
      ['has block', String(height)],
      ['ready', `until ${timeText(until)}`],
      ['validator', promoted ? 'yes: its promotion had passed and waited for this' : 'not yet'],
    ]),
    '',
    ...settledLines(settled),
    ...(promoted ? [] : ['', nextStep(self.name, proposal)]),
  ]);
}

/** Only the newest proposals are looked through: an older one has most likely expired. */
const PROPOSALS_LOOKED_AT = 20;

/** The open proposal to promote the member, the newest first. */
async function findPromotion({ client, self }: MemberContext): Promise<number | undefined> {
  const newest = await client.members.proposalCount();
  for (let id = newest; id > Math.max(0, newest - PROPOSALS_LOOKED_AT); id--) {
    const { state, change } = await client.members.proposal(id);
    if (state === 'open' && change.action === 'promote' && change.member === self.number) return id;
  }
  return undefined;
}

const nextStep = (name: string, proposal: number | undefined): string =>
  proposal === undefined
    ? `Now a member proposes it: hanse member propose promote ${name}`
    : `Its promotion is proposal ${proposal}: the others vote within the hour with: hanse member vote ${proposal}`;

/** What must be so before the others should count on this node. */
const readiness =
  ({ self }: MemberContext): NodeCheck =>
  (status) => {
    const { name } = self;
    if (status.height === 0) return 'There is no block yet that the node could show to have: wait for the first.';
    const connected = status.peers.filter((peer) => peer.connected).length;
    if (connected === 0)
      return `${name} is connected to nobody, so it cannot know the newest block. Look at its log and at: hanse doctor`;
    if (status.syncing !== false)
      return `${name} is at block ${status.height} of ${status.syncing.highestHeight} and is catching up. Wait until "hanse status" shows it at the newest block, or give --wait SECONDS.`;
    if (!status.voteKeys.includes(self.voteKey))
      return `The vote key that the chain has for ${name} is not in its folder of keys: it could not vote. Put the key there and restart it, or let the members replace it (hanse member propose keys).`;
    if (status.transportKey !== self.transportKey)
      return `${name} proves another transport key than the chain has for it. Put the right key into its folder of keys and restart it.`;
    if (status.missingRule !== null)
      return `${name} lacks version ${status.missingRule.version} of the rule "${status.missingRule.feature}", which counts from block ${status.missingRule.height} on: upgrade it first.`;
    return undefined;
  };
