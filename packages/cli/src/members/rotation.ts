import { randomBytes } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { newPrivateKey, writeKeyFile } from '@hanse/node';
import type { Hex, Suite } from '@hanse/protocol';
import type { MemberEntry, SentTransaction } from '@hanse/sdk';
import { CLIError, exitCodes } from '../cliError.ts';
import type { GenesisOption } from '../finality.ts';
import type { Settled } from '../settle.ts';
import { act } from './act.ts';
import type { MemberContext } from './memberContext.ts';
import { type HeldKey, type KeyKind, nextKeyFile, publicPartOf, readHeldKeys } from './memberKeyFolder.ts';
import { readRefusal, refusalText } from './refusals.ts';

/** How a rotation ended. */
export interface Rotation {
  /** False: the newest key is in force since less than ten minutes, as after an earlier run of the same command. */
  readonly changed: boolean;
  readonly file: string;
  readonly publicPart: Hex;
  readonly previous: Hex;
  readonly transaction: Settled | undefined;
  /** When the member may change this key again, in seconds since 1970; undefined if it was changed just now. */
  readonly notBefore: number | undefined;
}

const CALLS = { vote: 'rotateVoteKey', transport: 'rotateTransportKey', account: 'rotateAccount' } as const;

export function newKey(kind: KeyKind, suite: Suite): Uint8Array {
  return kind === 'transport' ? new Uint8Array(randomBytes(32)) : newPrivateKey(suite);
}

/** What the chain has for a member now. */
export function chainKeyOf(kind: KeyKind, member: MemberEntry): Hex {
  if (kind === 'vote') return member.voteKey;
  return kind === 'transport' ? member.transportKey : member.account;
}

/**
 * Replaces a key of the member on the chain. The new key is durable in the folder before the chain hears of it, and a key that an
 * interrupted run left there is taken before a new one is made, so this can be broken off at any point and repeated.
 */
export async function rotate(
  kind: KeyKind,
  context: MemberContext,
  folder: string,
  options: GenesisOption,
): Promise<Rotation> {
  const { suite, self, client } = context;
  const current = chainKeyOf(kind, self);
  const held = readHeldKeys(folder, kind, suite);
  const prepared = await findPrepared(kind, context, held);
  const key = prepared?.key ?? newKey(kind, suite);
  const publicPart = publicPartOf(kind, key, suite);
  // Asked before a file is made: a refusal leaves nothing behind.
  const refusal = await client.members.refusalOf(self.account, CALLS[kind], [publicPart]);
  if (refusal !== undefined) return inForceAlready(refusal, { kind, context, held, current, prepared });
  const file = prepared?.file ?? nextKeyFile(folder, kind);
  if (prepared === undefined) writeKeyFile(file, key);
  const { settled } = await act(context, options, () => send(kind, context, publicPart));
  return { changed: true, file, publicPart, previous: current, transaction: settled, notBefore: undefined };
}

function send(kind: KeyKind, { client }: MemberContext, publicPart: Hex): Promise<SentTransaction> {
  switch (kind) {
    case 'vote':
      return client.members.rotateVoteKey(publicPart);
    case 'transport':
      return client.members.rotateTransportKey(publicPart);
    case 'account':
      return client.members.rotateAccount(publicPart);
  }
}

/** The newest key after the one in force: made by an earlier run that did not get to its end, or with --prepare. */
async function findPrepared(
  kind: KeyKind,
  { self, client }: MemberContext,
  held: readonly HeldKey[],
): Promise<HeldKey | undefined> {
  const current = chainKeyOf(kind, self);
  // An account may have been the member's before, and the chain would take it again; a file named by hand has no place in the order.
  const inForce = held.find(({ publicPart }) => publicPart === current)?.number ?? 1;
  for (const candidate of held.filter(({ number }) => number > inForce).reverse()) {
    const refusal = await client.members.refusalOf(self.account, CALLS[kind], [candidate.publicPart]);
    if (refusal === undefined || readRefusal(refusal)?.name !== 'KeyUsed') return candidate;
  }
  return undefined;
}

interface Situation {
  readonly kind: KeyKind;
  readonly context: MemberContext;
  readonly held: readonly HeldKey[];
  readonly current: Hex;
  readonly prepared: HeldKey | undefined;
}

/** Too soon after the change that an earlier run made is no failure; everything else is. */
function inForceAlready(refusal: Hex, { context, held, current, prepared }: Situation): Rotation {
  const said = readRefusal(refusal);
  const newest = held.at(-1);
  if (said?.name !== 'TooSoon' || prepared !== undefined || newest?.publicPart !== current)
    throw new CLIError(refusalText(refusal, context.members), exitCodes.refused);
  const notBefore = Number(said.arguments.until);
  return {
    changed: false,
    file: newest.file,
    publicPart: current,
    previous: current,
    transaction: undefined,
    notBefore,
  };
}

/** The folder for a member's new key: where its other keys are, unless another one is named. */
export function keyFolderOf(context: MemberContext, named: string | undefined, keyFile: string | undefined): string {
  if (named !== undefined) return resolve(named);
  if (context.folder !== undefined) return context.folder.keys;
  if (keyFile !== undefined) return dirname(resolve(keyFile));
  throw new CLIError(
    `Where are the keys of ${context.self.name}? Name its configuration with --config, or the folder with --keys.`,
  );
}
