import { createServer } from 'node:net';
import { type NodeConfig, readNodeConfig } from '@hanse/node';
import { parseEndpoint, quorum } from '@hanse/protocol';
import { createHanseClient } from '@hanse/sdk';
import { type Probe, probeMember } from '../memberProbe.ts';
import { rpcUrlOf } from '../rpcUrlOf.ts';
import {
  checkAbsentObservers,
  checkEvidence,
  checkRules,
  checkStanding,
  checkVoting,
  notAMember,
} from './chainChecks.ts';
import { type ClockReading, certainDifferenceMs, clockOffsetOf } from './clockOffset.ts';
import { type Finding, good, problem, warning } from './finding.ts';
import { checkMemberFolders } from './machineChecks.ts';

/** A proposal may be ahead of a member's clock by so much (packages/consensus/spec.md, "Time"). */
const MAX_CLOCK_LEAD_MS = 500;
/** What is worth a word before it hurts. */
const NOTABLE_CLOCK_DIFFERENCE_MS = 250;
/** Spread over a second, these readings tell a clock to about a tenth of a second. */
const CLOCK_READINGS = 10;
const CLOCK_INTERVAL_MS = 100;

/**
 * One member from its configuration: folders, ports if it does not run, and its keys against the chain. The chain is asked through the
 * member itself, or through `others` where it does not run.
 */
export async function checkConfiguration(
  configFile: string,
  others: readonly string[] = [],
): Promise<readonly Finding[]> {
  const config = readNodeConfig(configFile);
  const folders = checkMemberFolders(config.name, config);
  const probe = await probeMember(rpcUrlOf(config));
  const runs = !('problem' in probe) && probe.status.name === config.name;
  const use = runs ? [good(`${config.name} runs: JSON-RPC at ${probe.rpcUrl}`)] : await checkPorts(config);
  // One that was not admitted yet knows little of the chain, so the others come first.
  return [...folders, ...use, ...(await checkStanding(config, [...others, ...(runs ? [probe.rpcUrl] : [])]))];
}

async function checkPorts(config: NodeConfig): Promise<readonly Finding[]> {
  const { name, rpc, peer } = config;
  const endpoint = parseEndpoint(peer.listen);
  const wanted = [
    { host: rpc.host, port: rpc.port, use: 'JSON-RPC', setting: 'rpc.port' },
    ...(endpoint === undefined ? [] : [{ ...endpoint, use: 'members', setting: 'peer.listen' }]),
  ];
  const findings: Finding[] = [];
  for (const { host, port, use, setting } of wanted) {
    const code = await listenError(host, port);
    if (code === undefined) findings.push(good(`${name}: port ${port} for ${use} is free`));
    else if (code === 'EADDRINUSE')
      findings.push(
        problem(
          `${name}: port ${port} for ${use} is taken by another program`,
          `Stop that program, or change ${setting}.`,
        ),
      );
    else findings.push(problem(`${name}: ${host}:${port} for ${use} cannot be opened (${code})`, `Change ${setting}.`));
  }
  return findings;
}

function listenError(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? error.message);
    });
    server.listen({ port, host, exclusive: true }, () => {
      server.close(() => {
        resolve(undefined);
      });
    });
  });
}

/** Members that run: whether they answer, reach each other, and agree about the time. */
export async function checkMembers(rpcUrls: readonly string[]): Promise<readonly Finding[]> {
  const probes = await Promise.all(rpcUrls.map(probeMember));
  const answering = probes.filter((probe) => !('problem' in probe));
  const statuses = answering.flatMap((probe) => ('status' in probe ? [probe.status] : []));
  const first = answering.find((probe) => 'status' in probe && probe.status.membership === 'active');
  const members = first === undefined ? [] : await (await createHanseClient(first)).members.list();
  const validators = members.filter(({ validator }) => validator).map(({ name }) => name);
  const [clocks, evidence] = await Promise.all([
    Promise.all(answering.map(({ rpcUrl }) => readClock(rpcUrl))),
    Promise.all(answering.map(({ rpcUrl }) => checkEvidence(rpcUrl))),
  ]);
  return [
    ...probes.flatMap((probe) => checkProbe(probe, validators)),
    ...checkAbsentObservers(members, statuses),
    ...evidence.flat(),
    ...answering.map((probe, index) =>
      checkClock('status' in probe ? probe.status.name : probe.rpcUrl, clocks[index] ?? []),
    ),
  ];
}

function checkProbe(probe: Probe, validators: readonly string[]): readonly Finding[] {
  if ('problem' in probe)
    return [
      problem(
        probe.problem,
        'Start the member ("hanse up --only NAME" for one of a local network), or correct the address.',
      ),
    ];
  const { name, healthy, peers, membership } = probe.status;
  if (membership !== 'active') return [notAMember(name, membership)];
  const reached = new Set([name, ...peers.filter(({ connected }) => connected).map((peer) => peer.name)]);
  const missing = validators.filter((validator) => !reached.has(validator));
  const findings: Finding[] = [];
  if (missing.length > 0) {
    const enough = validators.length - missing.length >= quorum(validators.length);
    const remedy = `Check that ${missing.join(', ')} ${missing.length === 1 ? 'runs and its endpoint is' : 'run and their endpoints are'} open to ${name} (firewall, address).`;
    const what = `${name} does not reach ${missing.join(', ')}`;
    findings.push(enough ? warning(what, remedy) : problem(`${what}: too few are left to make blocks`, remedy));
  }
  if (!healthy && missing.length === 0)
    findings.push(problem(`${name} is not healthy`, `Look at ${probe.rpcUrl}/health and at its log.`));
  findings.push(...checkVoting(probe.status), ...checkRules(probe.status));
  return findings.length > 0 ? findings : [good(`${name} answers and reaches all validators`)];
}

async function readClock(rpcUrl: string): Promise<readonly ClockReading[]> {
  const readings: ClockReading[] = [];
  for (let reading = 0; reading < CLOCK_READINGS; reading++) {
    const askedMs = Date.now();
    const response = await fetch(new URL('/health', rpcUrl)).catch(() => undefined);
    const answeredMs = Date.now();
    await response?.arrayBuffer();
    const dateMs = Date.parse(response?.headers.get('date') ?? '');
    if (Number.isFinite(dateMs)) readings.push({ askedMs, answeredMs, dateMs });
    await new Promise((resolve) => {
      setTimeout(resolve, CLOCK_INTERVAL_MS);
    });
  }
  return readings;
}

export function checkClock(name: string, readings: readonly ClockReading[]): Finding {
  const offset = clockOffsetOf(readings);
  if (offset === undefined)
    return warning(
      `the clock of ${name} could not be read`,
      'Ask again; if it stays, look whether a proxy removes the Date of HTTP answers.',
    );
  const difference = certainDifferenceMs(offset);
  const side = offset.leastMs > 0 ? 'ahead of' : 'behind';
  const what = `the clock of ${name} is at least ${difference} ms ${side} this machine's`;
  const remedy = 'Let both machines take their time from NTP (chrony, systemd-timesyncd).';
  if (difference > MAX_CLOCK_LEAD_MS) return problem(what, remedy);
  if (difference > NOTABLE_CLOCK_DIFFERENCE_MS) return warning(what, remedy);
  return good(`the clock of ${name} agrees with this machine's`);
}
