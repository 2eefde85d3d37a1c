import { basename, resolve } from 'node:path';
import { loadSuite, writeKeyFile } from '@hanse/node';
import type { Command } from 'commander';
import { CLIError } from '../../cliError.ts';
import { updateDevelopmentAccount } from '../../localNetwork/developmentAccounts.ts';
import {
  type ActingOptions,
  addActingOptions,
  findOwnFolder,
  type MemberContext,
  openMember,
} from '../../members/memberContext.ts';
import { type KeyKind, nextKeyFile, publicPartOf } from '../../members/memberKeyFolder.ts';
import { assertOwnNode, type NodeCheck, waitForNode, waitForPending } from '../../members/ownNode.ts';
import { chainKeyOf, keyFolderOf, newKey, type Rotation, rotate } from '../../members/rotation.ts';
import { timeText } from '../../members/timeText.ts';
import { addExamples, parseChoice, usageError } from '../../options.ts';
import { fieldLines, printResult } from '../../output.ts';
import { settledLines } from '../../settle.ts';

interface RotateOptions extends ActingOptions {
  readonly keys?: string;
  readonly prepare?: boolean;
}

const KINDS: readonly KeyKind[] = ['vote', 'transport', 'account'];
/** A node takes a new key with the block that has it, or with the next epoch, which begins there. */
const PATIENCE_MS = 60_000;

/** `hanse member rotate`: a member changes one of its own keys. */
export function addRotateCommand(member: Command): void {
  const command = member
    .command('rotate')
    .description('change a key of the member: makes the new one, puts it on the chain, waits until the node uses it')
    .argument('<key>', 'vote, transport or account')
    .option('--keys <dir>', "where the new key goes (default: the member's folder of keys, or that of --key)")
    .option(
      '--prepare',
      'only make the new key, for the others to vote on where the account is lost (hanse member propose keys)',
    );
  addExamples(
    addActingOptions(command),
    'hanse member rotate vote --config ./bank/node.json',
    'hanse member rotate transport --member farm',
    'hanse member rotate vote --prepare --config ./bank/node.json',
  ).action(async (which: string, options: RotateOptions) => {
    const kind = parseChoice('<key>', which, KINDS);
    if (options.prepare === true) await prepare(kind, options);
    else await rotateNow(kind, options);
  });
}

/** Makes a key and tells its public part; asks nobody, because without a key the node may not even start. */
async function prepare(kind: KeyKind, options: RotateOptions): Promise<void> {
  const named = options.keys === undefined ? findOwnFolder(options)?.keys : resolve(options.keys);
  if (named === undefined) throw usageError('Say where the key goes: --member NAME, --config FILE, or --keys DIR.');
  const suite = await loadSuite('international');
  const key = newKey(kind, suite);
  const file = nextKeyFile(named, kind);
  writeKeyFile(file, key);
  const publicPart = publicPartOf(kind, key, suite);
  const option = kind === 'account' ? '--account' : `--${kind}-key`;
  printResult(options, { key: kind, file, publicPart }, () => [
    ...fieldLines([
      ['new key', file],
      [kind === 'account' ? 'account' : 'public key', publicPart],
    ]),
    '',
    `Another member proposes it, and the members vote: hanse member propose keys NAME ${option} ${publicPart}`,
  ]);
}

async function rotateNow(kind: KeyKind, options: RotateOptions): Promise<void> {
  const ownNode = kind !== 'account';
  let context = await openMember(options, { ownNode });
  // A run that was broken off may have sent its transaction: what it changed must be seen before anything is decided anew.
  if (await waitForPending(context)) context = await openMember(options, { ownNode });
  // Of an account the node knows nothing; of the others it must be told that this is the one that uses them.
  if (kind !== 'account') assertOwnNode(context);
  const rotation = await rotate(kind, context, keyFolderOf(context, options.keys, options.key), options);
  const use =
    kind === 'account' ? updateLocalAccounts(context, rotation, options) : await waitUntilUsed(kind, context, rotation);
  const value = { key: kind, member: context.self.name, use, ...rotation, transaction: rotation.transaction ?? null };
  printResult(options, value, () => lines(kind, rotation, use));
}

/** Of a local network, the development account of the member is the new one from now on. */
function updateLocalAccounts(context: MemberContext, { file }: Rotation, options: RotateOptions): string {
  const { folder, self } = context;
  if (folder === undefined || options.config !== undefined) return `sign with ${file} from now on`;
  updateDevelopmentAccount(resolve(options.data), { name: self.name, file }, context.suite);
  return `--from ${self.name} and --member ${self.name} take it from now on`;
}

async function waitUntilUsed(kind: KeyKind, context: MemberContext, { file, publicPart }: Rotation): Promise<string> {
  const after = (await context.client.members.all()).find(({ number }) => number === context.self.number);
  if (after === undefined || chainKeyOf(kind, after) !== publicPart)
    throw new CLIError(`The chain has another ${kind} key for ${context.self.name} already: run the command again.`);
  const { name } = context.self;
  const check: NodeCheck = (status) => {
    const used =
      kind === 'transport'
        ? status.transportKey === publicPart && status.peers.some(({ connected }) => connected)
        : !after.validator
          ? status.voteKeys.includes(publicPart)
          : status.voteKey === publicPart && status.voting === 'voting';
    return used
      ? undefined
      : `The chain has the new key (${file}), but the node of ${name} does not use it yet. Look at its log and at "hanse status"; the old key stays where it is.`;
  };
  const status = await waitForNode(context, PATIENCE_MS, check);
  if (kind === 'vote')
    return !after.validator ? `${name} has it at hand, and no vote` : `${name} votes with it in epoch ${status.epoch}`;
  const connected = status.peers.filter((peer) => peer.connected).length;
  return `${name} proves it to ${connected} of ${status.peers.length} members`;
}

function lines(kind: KeyKind, rotation: Rotation, use: string): readonly string[] {
  const { file, publicPart, previous, changed, notBefore, transaction } = rotation;
  return [
    ...fieldLines([
      [kind === 'account' ? 'account' : `${kind} key`, publicPart],
      ['before', changed ? previous : undefined],
      ['file', file],
      ['use', use],
      [
        'again',
        notBefore === undefined
          ? undefined
          : `from ${timeText(notBefore)} on; it was changed moments ago, nothing was done now`,
      ],
    ]),
    ...(transaction === undefined ? [] : ['', ...settledLines(transaction)]),
    ...(kind === 'account'
      ? []
      : ['', `Keep a copy of ${basename(file)} in a safe place. Leave the older key files where they are.`]),
  ];
}
