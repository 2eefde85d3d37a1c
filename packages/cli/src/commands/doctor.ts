import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { exitCodes } from '../cliError.ts';
import { type Finding, good } from '../doctor/finding.ts';
import { checkMachine } from '../doctor/machineChecks.ts';
import { checkConfiguration, checkMembers } from '../doctor/memberChecks.ts';
import { isAlive } from '../localNetwork/isAlive.ts';
import { layoutOf } from '../localNetwork/layout.ts';
import { readNetworkFile } from '../localNetwork/networkFile.ts';
import { openLocalNetwork, presentMembers } from '../localNetwork/networkFolder.ts';
import { findNetwork } from '../networkTarget.ts';
import { addExamples } from '../options.ts';
import { addOutputOption, counted, type OutputOptions, printResult } from '../output.ts';

interface DoctorOptions extends OutputOptions {
  readonly rpc?: string;
  readonly data: string;
  readonly config?: string;
}

/** `hanse doctor`: looks at this machine, at a member's files and at members that run, and says what to do. */
export function addDoctorCommand(program: Command): void {
  const doctor = program
    .command('doctor')
    .description('look for what is wrong with this machine, a member or a network, and say what to do')
    .option('--config <file>', "check this member's configuration, keys and ports")
    .option('--rpc <url>', 'check the member at this JSON-RPC address; with --config, the chain is asked there')
    .option('--data <dir>', 'else: check the local network in this data folder, if there is one', '.hanse');
  addExamples(addOutputOption(doctor), 'hanse doctor', 'hanse doctor --config ./bank/node.json').action(
    async (options: DoctorOptions) => {
      const findings = distinct([...(await checkMachine(process.versions.node)), ...(await checkChosen(options))]);
      printResult(options, { findings }, () => describe(findings));
      if (findings.some(({ level }) => level === 'problem')) process.exitCode = exitCodes.failure;
    },
  );
}

/** What two checks found alike is said once. */
const distinct = (findings: readonly Finding[]): readonly Finding[] =>
  findings.filter(({ what }, index) => findings.findIndex((other) => other.what === what) === index);

async function checkChosen(options: DoctorOptions): Promise<readonly Finding[]> {
  const others = options.rpc === undefined ? [] : findNetwork(options).rpcUrls;
  if (options.config !== undefined) return await checkConfiguration(resolve(options.config), others);
  if (options.rpc !== undefined) return await checkMembers(findNetwork(options).rpcUrls);
  return await checkLocalNetwork(resolve(options.data));
}

async function checkLocalNetwork(root: string): Promise<readonly Finding[]> {
  const layout = layoutOf(root);
  if (!existsSync(layout.manifest)) return [good(`no local network in ${root}: nothing more to look at`)];
  const { manifest } = openLocalNetwork(root);
  const configurations = presentMembers(manifest).map((name) => layout.member(name).config);
  const file = readNetworkFile(layout.network);
  const urls = file?.members.filter(({ pid }) => isAlive(pid)).map(({ rpcUrl }) => rpcUrl) ?? [];
  const findings = (await Promise.all(configurations.map((config) => checkConfiguration(config, urls)))).flat();
  return file === undefined
    ? findings
    : [...findings, ...(await checkMembers(file.members.map(({ rpcUrl }) => rpcUrl)))];
}

const SIGNS = { good: 'ok', warning: 'warning', problem: 'PROBLEM' } as const;

function describe(findings: readonly Finding[]): readonly string[] {
  const lines = findings.flatMap(({ level, what, remedy }) => {
    const first = `${SIGNS[level].padEnd(7)}  ${what}`;
    return remedy === undefined ? [first] : [first, `         -> ${remedy}`];
  });
  const problems = findings.filter(({ level }) => level === 'problem').length;
  return [...lines, '', problems === 0 ? 'No problem was found.' : `${counted(problems, 'problem')} to mend.`];
}
