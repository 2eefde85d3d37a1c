import type { EvidenceDescription, HanseClient, MemberEntry, SeenDoubleVote } from '@hanse/sdk';
import type { Command } from 'commander';
import { alignColumns } from '../../localNetwork/membersTable.ts';
import { act } from '../../members/act.ts';
import { type ActingOptions, addActingOptions, connectOwn, openMember } from '../../members/memberContext.ts';
import { memberName } from '../../members/memberLookup.ts';
import { addExamples } from '../../options.ts';
import { printResult } from '../../output.ts';
import type { Settled } from '../../settle.ts';

interface EvidenceOptions extends ActingOptions {
  readonly report?: boolean;
}

/** `hanse member evidence`: double votes that a member saw, and those that the chain has. */
export function addEvidenceCommand(member: Command): void {
  const evidence = member
    .command('evidence')
    .description('show double votes that a member saw and those that stand on the chain')
    .option('--report', 'put those that the chain does not have on the chain, as the member that the options name');
  addExamples(
    addActingOptions(evidence),
    'hanse member evidence',
    'hanse member evidence --report --config ./bank/node.json',
  ).action(async (options: EvidenceOptions) => {
    const reported = options.report === true ? await report(options) : [];
    const { client, status } = await connectOwn(options);
    const [members, seen, recorded] = await Promise.all([
      client.members.all(),
      client.members.seenEvidence(),
      recordedEvidence(client),
    ]);
    const value = { seenBy: status.name, seen, recorded, reported };
    printResult(options, value, () => [
      ...seenLines(status.name, seen),
      '',
      ...recordedLines(recorded, members),
      ...(reported.length === 0 ? [] : ['', `Reported ${reported.length} now.`]),
    ]);
  });
}

async function recordedEvidence({ members }: HanseClient): Promise<readonly EvidenceDescription[]> {
  const count = await members.evidenceCount();
  return await Promise.all(Array.from({ length: count }, (_, index) => members.evidence(index)));
}

/** Reports a double vote of each validator and view that the chain does not have yet. */
async function report(options: EvidenceOptions): Promise<readonly Settled[]> {
  const context = await openMember(options);
  const { members } = context.client;
  const reported: Settled[] = [];
  const done = new Set<string>();
  for (const piece of await members.seenEvidence()) {
    const place = `${piece.epoch}/${piece.view}/${piece.signer}`;
    if (piece.recorded || done.has(place)) continue;
    done.add(place);
    const { signer, first, second } = piece;
    const evidence = {
      signer,
      statements: [first.statement, second.statement],
      signatures: [first.signature, second.signature],
    } as const;
    reported.push((await act(context, options, () => members.reportDoubleVote(evidence))).settled);
  }
  return reported;
}

function seenLines(name: string, seen: readonly SeenDoubleVote[]): readonly string[] {
  if (seen.length === 0) return [`${name} saw no validator vote twice.`];
  const rows = seen.map(({ validator, epoch, view, first, second, recorded }) => [
    validator,
    String(epoch),
    String(view),
    `${first.kind} and ${second.kind}`,
    recorded ? 'yes' : 'no: hanse member evidence --report',
  ]);
  return [`Seen by ${name}:`, ...alignColumns([['validator', 'epoch', 'view', 'votes', 'on the chain'], ...rows])];
}

function recordedLines(recorded: readonly EvidenceDescription[], members: readonly MemberEntry[]): readonly string[] {
  if (recorded.length === 0) return ['The chain has no evidence.'];
  const rows = recorded.map(({ member, epoch, view, kinds, height, reporter }) => {
    const by = members.find(({ account }) => account === reporter)?.name ?? reporter;
    return [memberName(members, member), String(epoch), String(view), kinds.join(' and '), String(height), by];
  });
  return ['On the chain:', ...alignColumns([['validator', 'epoch', 'view', 'votes', 'block', 'reported by'], ...rows])];
}
