import {
  FolderLockedError,
  openStoppedMember,
  readNodeConfig,
  readPromises,
  readRecoveries,
  readRefusals,
  recoveryFolder,
  type StoppedMember,
} from '@hanse/node';
import { isSamePlan, ProtocolError, type Recovery, type RecoveryPlan, recoveredSet, type Suite } from '@hanse/protocol';
import { CLIError } from '../cliError.ts';

/** What `hanse recovery` asks of the member's log before it signs. */
type RecoveryLog = Awaited<ReturnType<StoppedMember['openLog']>>;

/** Runs with the own member's data, which its node must not hold: what is decided here counts from its next start. */
export async function withStoppedMember<T>(configFile: string, use: (member: StoppedMember) => Promise<T>): Promise<T> {
  const config = readNodeConfig(configFile);
  const member = await openStoppedMember(config).catch((error: unknown) => {
    if (!(error instanceof FolderLockedError)) throw error;
    throw new CLIError(
      `The node of ${config.name} runs: stop it first, so that it signs nothing that contradicts the recovery. (${error.message})`,
    );
  });
  try {
    return await use(member);
  } finally {
    await member.close();
  }
}

export function assertActiveMember({ members }: StoppedMember, name: string): string {
  if (members.some((candidate) => candidate.name === name)) return name;
  throw new CLIError(
    `The network has no active member ${name}. Its members are: ${members.map((known) => known.name).join(', ')}.`,
  );
}

/** Everything but the signatures. */
export function checkPlan(member: StoppedMember, document: Recovery): void {
  const signatures = member.members.map(({ name }) => ({ member: name, signature: '0x' as const }));
  const trusting: Suite = { ...member.suite, verify: () => true };
  checkRecovery(member, { ...document, signatures }, trusting);
}

export function checkComplete(member: StoppedMember, document: Recovery): void {
  checkRecovery(member, document, member.suite);
}

function checkRecovery({ genesisHash, head, members }: StoppedMember, document: Recovery, suite: Suite): void {
  try {
    recoveredSet(suite, genesisHash, head.validators, members, document);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new CLIError(`The document cannot be used: ${error.message.replace(/^recovery: /, '')}.`);
  }
}

/** The document must name the last final block here. */
export function checkBlock({ head, config }: StoppedMember, document: Recovery): void {
  if (head.height > document.height)
    throw new CLIError(
      `The document goes on from block ${document.height}, but at ${config.name} block ${head.height} is final. Make it anew at ${config.name}.`,
    );
  if (head.height < document.height)
    throw new CLIError(
      `The document goes on from block ${document.height}, but ${config.name} has block ${head.height} only. Start its node, let it catch up with a member that has the block, and stop it again.`,
    );
  if (head.blockHash !== document.blockHash)
    throw new CLIError(
      `Block ${document.height} here is ${head.blockHash}, but the document says ${document.blockHash}. Do not sign; find out why.`,
    );
}

/** This member must not have signed a later block as final, or its operator must give that up. */
export function checkLog({ config }: StoppedMember, log: RecoveryLog, document: Recovery, abandon: boolean): void {
  if (log.finalAbove !== undefined)
    throw new CLIError(
      `Block ${log.finalAbove} is final: ${config.name} has its certificate. Start its node, and make the document anew from there.`,
    );
  // If nobody leaves, all that could have shown a later block say by their signatures that they have none.
  if (abandon || document.removed.length === 0) return;
  const [later] = log.signedAsFinal;
  if (later !== undefined)
    throw new CLIError(
      `${config.name} signed block ${later.height} (${later.blockHash}) as final. A member that is gone may have shown it as final to somebody. ` +
        'If that cannot matter any more, sign with --abandon.',
    );
  if (log.lost)
    throw new CLIError(
      `${config.name} lost its log of votes, and cannot know whether it signed a later block as final, which a member that is gone may have shown to somebody. ` +
        'If that cannot matter any more, sign with --abandon.',
    );
}

/** A member is bound by one plan at a time: of two that both become complete, each would begin a history of its own. */
export function checkPromises({ config }: StoppedMember, document: RecoveryPlan): void {
  const { name, keys } = config;
  if (readRefusals(keys).some((refused) => isSamePlan(refused, document)))
    throw new CLIError(`${name} refused this document for good, and others may rely on that. Make another one.`);
  const other = openPromise(config, document);
  if (other !== undefined)
    throw new CLIError(
      `${name} signed another document, ${titleOf(other)}, and is bound by it: only one of the two may ever be completed. ` +
        'Complete that one; or, if one who must sign it never will, take it back: hanse recovery withdraw',
    );
}

/** A plan that the member signed, other than this one, and whose complete document it does not have. */
function openPromise({ keys, data }: StoppedMember['config'], document: RecoveryPlan): RecoveryPlan | undefined {
  const given = readRecoveries(recoveryFolder(data));
  return readPromises(keys).find(
    (plan) => !isSamePlan(plan, document) && !given.some((complete) => isSamePlan(complete, plan)),
  );
}

/** Whether the complete document may be put beside this member's ledger. */
export function checkApplicable(member: StoppedMember, document: Recovery): void {
  const { config, head, genesisHash } = member;
  const given = readRecoveries(recoveryFolder(config.data));
  if (given.some((complete) => isSamePlan(complete, document))) return;
  if (document.genesisHash !== genesisHash) throw new CLIError('The document is of another network.');
  const rival = given.find(({ height, epoch }) => height === document.height && epoch === document.epoch);
  if (rival !== undefined)
    throw new CLIError(`Another recovery, ${titleOf(rival)}, is in force at ${config.name}; nothing was changed.`);
  const other = openPromise(config, document);
  if (other !== undefined)
    throw new CLIError(
      `${config.name} is bound by another document that it signed, ${titleOf(other)}; nothing was changed. See: hanse recovery withdraw`,
    );
  if (head.height === document.height) {
    checkBlock(member, document);
    checkComplete(member, document);
  } else if (head.height > document.height && !member.wentOnBy(document)) {
    throw new CLIError(
      `The chain at ${config.name} went on from block ${document.height} without this document, up to block ${head.height}; nothing was changed. Ask those that signed it.`,
    );
  }
}

/** How messages call a plan. */
export const titleOf = ({ height, epoch, validators, reason }: RecoveryPlan): string =>
  `from block ${height} to epoch ${epoch} with ${validators.join(', ')} ("${reason}")`;
