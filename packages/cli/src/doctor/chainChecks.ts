import { loadSuite, type NodeConfig, readMemberKeyRing, transportPublicKey } from '@hanse/node';
import { bytesToHex, type SuiteId } from '@hanse/protocol';
import { createHanseClient, type MemberDescription, type MemberEntry, type MemberStatus } from '@hanse/sdk';
import { type Probe, probeMember } from '../memberProbe.ts';
import { type Finding, good, problem, warning } from './finding.ts';

/** A member's configuration against the chain: whether it is a member, and whether its keys are those that count. */
export async function checkStanding(config: NodeConfig, rpcUrls: readonly string[]): Promise<readonly Finding[]> {
  const probes = await Promise.all(rpcUrls.map(probeMember));
  const best = probes.reduce<Extract<Probe, { status: MemberStatus }> | undefined>((found, probe) => {
    if ('problem' in probe) return found;
    return found !== undefined && found.status.height >= probe.status.height ? found : probe;
  }, undefined);
  if (best === undefined) return [];
  const members = await (await createHanseClient(best)).members.all();
  const suite = await loadSuite(best.status.suite as SuiteId);
  // What cannot be used is told by the check of the folder.
  const { votes, transports } = readMemberKeyRing(config.keys, () => undefined);
  return judgeStanding(config, members, {
    votes: votes.map(({ key }) => suite.publicKey(key)),
    transports: transports.map(({ key }) => transportPublicKey(bytesToHex(key))),
  });
}

export function judgeStanding(
  { name, keys }: Pick<NodeConfig, 'name' | 'keys'>,
  members: readonly MemberEntry[],
  held: { readonly votes: readonly string[]; readonly transports: readonly string[] },
): readonly Finding[] {
  const self = members.find((member) => member.name === name);
  if (self === undefined) return [notAMember(name, 'none')];
  if (!self.active) return [notAMember(name, 'removed')];
  const lost = [
    ...(held.votes.includes(self.voteKey) ? [] : (['vote'] as const)),
    ...(held.transports.includes(self.transportKey) ? [] : (['transport'] as const)),
  ];
  const effect = { vote: 'it cannot vote', transport: 'no member talks to it' };
  const findings = lost.map((kind) =>
    problem(
      `the ${kind} key that the chain has for ${name} is not in ${keys}: ${effect[kind]}`,
      `Put the key there from a copy and restart the member. If it is lost: hanse member rotate ${kind} --prepare, and let the others vote (hanse member propose keys ${name}).`,
    ),
  );
  return findings.length > 0 ? findings : [good(`${name}: its keys are those on the chain`)];
}

/** A node whose member is not, or no more, in the network. */
export function notAMember(name: string, membership: 'none' | 'removed'): Finding {
  if (membership === 'removed')
    return warning(
      `${name} was removed from the network: the members do not talk to it`,
      'Stop it. Its folder may be kept for its records; its name cannot be used again.',
    );
  return warning(
    `${name} is not admitted yet: it waits`,
    'A member proposes it with its descriptor (hanse member propose add FILE), and the members vote.',
  );
}

/** Whether a member uses the vote that it has. */
export function checkVoting({ name, voting, validators, height, recoveryPending }: MemberStatus): readonly Finding[] {
  if (voting === 'stopped')
    return [
      problem(`${name} has stopped voting for good`, `Look for "alarm" in its log; a person decides what follows.`),
    ];
  if (voting === 'observer' && validators.includes(name))
    return [
      problem(
        `${name} is a validator and does not vote: the vote key that the chain has is not in its folder of keys`,
        'Put the key there from a copy and restart the member, or let the others replace it (hanse member propose keys).',
      ),
    ];
  if (voting === 'recovery')
    return [
      warning(
        `${name} waits for the recovery of block ${recoveryPending} to be completed, and follows without a vote at block ${height}`,
        'Pass the document on until all have signed it, then at every member: hanse recovery apply. If it is given up: hanse recovery withdraw.',
      ),
    ];
  if (voting === 'amnesia')
    return [
      warning(
        `${name} lost its log of votes and follows without a vote until that is safe`,
        validators.length > 3
          ? 'Nothing is to be done if the other validators run: it votes again by itself.'
          : 'With three validators or fewer it cannot find out by itself. All sign a document that removes nobody: hanse recovery plan, without --without.',
      ),
    ];
  return [];
}

/** A rule to come that a member's program does not know. */
export function checkRules({ name, height, version, missingRule }: MemberStatus): readonly Finding[] {
  if (missingRule === null) return [];
  const { feature, version: wanted, height: from } = missingRule;
  return [
    problem(
      `${name} runs Hanse ${version}, which lacks version ${wanted} of the rule "${feature}": it stops before block ${from}, in ${from - height} blocks`,
      `Install a version of Hanse that has the rule on the machine of ${name}, and restart the member.`,
    ),
  ];
}

/** Double votes that a member saw and nobody has put on the chain. */
export async function checkEvidence(rpcUrl: string): Promise<readonly Finding[]> {
  const client = await createHanseClient({ rpcUrl });
  const [{ name }, seen] = await Promise.all([client.status(), client.members.seenEvidence()]);
  const validators = [...new Set(seen.filter(({ recorded }) => !recorded).map(({ validator }) => validator))];
  return validators.map((validator) =>
    problem(
      `${name} saw ${validator} vote twice in one view, and the chain does not know`,
      `hanse member evidence --report --rpc ${rpcUrl} (with --key or --config), then decide together about ${validator}.`,
    ),
  );
}

/** Members without a vote that nobody who was asked reaches; validators are told of one by one. */
export function checkAbsentObservers(
  members: readonly MemberDescription[],
  statuses: readonly MemberStatus[],
): readonly Finding[] {
  const reached = new Set(
    statuses.flatMap(({ name, peers }) => [
      name,
      ...peers.filter(({ connected }) => connected).map((peer) => peer.name),
    ]),
  );
  return members
    .filter(({ name, validator }) => !validator && !reached.has(name))
    .map(({ name }) =>
      warning(
        `${name} is a member on the chain and does not run, or nobody reaches it`,
        `Start it ("hanse up --only ${name}" in a local network), open its endpoint, or, if it left for good: hanse member propose remove ${name}`,
      ),
    );
}
