import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { loadSuite, type NodeConfig, readMemberKeyRing, readNodeConfig, readRecovery, recoveryFile } from '@hanse/node';
import {
  bytesToHex,
  Epoch,
  Height,
  ProtocolError,
  type Recovery,
  type RecoveryPlan,
  recoveredSet,
  recoveryBytes,
  type Suite,
} from '@hanse/protocol';
import { createHanseClient, type HanseClient, type MemberDescription, type MemberStatus } from '@hanse/sdk';
import type { Command } from 'commander';
import { writeJsonAtomically, writeNewFileAtomically } from '../atomicFile.ts';
import { CLIError } from '../cliError.ts';
import { addExamples, collect, usageError } from '../options.ts';
import { addOutputOption, fieldLines, type OutputOptions, printResult } from '../output.ts';

interface PlanOptions extends OutputOptions {
  readonly config: string;
  readonly without: readonly string[];
  readonly validator?: readonly string[];
  readonly reason: string;
  readonly out: string;
}

interface ConfirmOptions extends OutputOptions {
  readonly config: string;
  readonly abandon?: boolean;
  readonly yes?: boolean;
}

/** `hanse recovery`: how the members that are left go on when the quorum is gone for good. */
export function addRecoveryCommand(program: Command): void {
  const recovery = program
    .command('recovery')
    .description('go on after the quorum is lost for good: a document that every remaining member signs by hand');
  addPlan(recovery);
  addSign(recovery);
  addMerge(recovery);
  addShow(recovery);
  addApply(recovery);
}

const addConfigOption = (command: Command): Command =>
  command.requiredOption('--config <file>', "the own member's configuration; its node must run");

function addPlan(recovery: Command): void {
  const command = recovery
    .command('plan')
    .description('write the document: from the last final block here, without the members that are gone')
    .requiredOption('--without <name>', 'a member that is gone for good and leaves the alliance (repeatable)', collect)
    .option('--validator <name>', 'a validator of the new set (repeatable; default: those that are left)', collect)
    .requiredOption('--reason <text>', 'why, for those who sign and for later')
    .requiredOption('--out <file>', 'the document to write; is never overwritten');
  addExamples(
    addOutputOption(addConfigOption(command)),
    'hanse recovery plan --config ./bank/node.json --without farm --without market --reason "fire on 3 May" --out recovery.json',
  ).action(async (options: PlanOptions) => {
    const node = await openNode(options.config);
    const gone = options.without.map((name) => activeMember(node, name).name);
    const left = node.members.filter(({ name }) => !gone.includes(name));
    const validators = options.validator ?? left.filter(({ validator }) => validator).map(({ name }) => name);
    const plan: RecoveryPlan = {
      format: 1,
      genesisHash: node.status.genesisHash,
      height: Height(node.status.height),
      blockHash: node.status.blockHash ?? failWithoutBlock(),
      epoch: Epoch(node.status.epoch + 1),
      validators,
      removed: gone,
      reason: options.reason,
    };
    checkPlan(node, { ...plan, signatures: [] });
    const file = resolve(options.out);
    if (!writeNewFileAtomically(file, `${JSON.stringify({ ...plan, signatures: [] }, null, 2)}\n`))
      throw new CLIError(`${file} exists already; nothing was written. Choose another name.`);
    printResult(options, { ...plan, file }, () => [
      ...describe({ ...plan, signatures: [] }, node),
      '',
      `Written to ${file}. Every member that remains now checks and signs it:`,
      `  hanse recovery sign ${options.out} --config NODE.JSON`,
    ]);
  });
}

function addSign(recovery: Command): void {
  const command = recovery
    .command('sign')
    .description("sign the document with the own member's vote key, after asking; the signature is added to the file")
    .argument('<file>', 'the document')
    .option('--abandon', 'sign although this member signed a later block as final, which will be given up')
    .option('--yes', 'do not ask');
  addExamples(
    addOutputOption(addConfigOption(command)),
    'hanse recovery sign recovery.json --config ./bank/node.json',
  ).action(async (file: string, options: ConfirmOptions) => {
    const document = readRecovery(file);
    const node = await openNode(options.config);
    checkPlan(node, document);
    checkBlock(node, document, options.abandon === true);
    await confirm([...describe(document, node), ...consequences(node)], options);
    const signed = withSignature(document, signatureOf(node, document));
    writeJsonAtomically(resolve(file), signed);
    printResult(options, signed, () => [`Signed as ${node.config.name}.`, ...nextSteps(node, signed, file)]);
  });
}

function addMerge(recovery: Command): void {
  const command = recovery
    .command('merge')
    .description('join the signatures of copies of one document into the first file')
    .argument('<file...>', 'the copies');
  addExamples(addOutputOption(command), 'hanse recovery merge recovery.json from-bank.json from-farm.json').action(
    (files: readonly string[], options: OutputOptions) => {
      const [first, ...others] = files.map((file) => ({ file, document: readRecovery(file) }));
      if (first === undefined) throw usageError('Give the files to join.');
      let merged = first.document;
      for (const { file, document } of others) {
        if (bytesToHex(recoveryBytes(document)) !== bytesToHex(recoveryBytes(merged)))
          throw new CLIError(`${file} is another document than ${first.file}; nothing was written.`);
        for (const signature of document.signatures) merged = withSignature(merged, signature);
      }
      writeJsonAtomically(resolve(first.file), merged);
      printResult(options, merged, () => [
        `${first.file} is signed by ${merged.signatures.map(({ member }) => member).join(', ') || 'nobody'}.`,
      ]);
    },
  );
}

function addShow(recovery: Command): void {
  const command = recovery.command('show').description('show a document').argument('<file>', 'the document');
  addExamples(addOutputOption(command), 'hanse recovery show recovery.json').action(
    (file: string, options: OutputOptions) => {
      const document = readRecovery(file);
      printResult(options, document, () => describe(document, undefined));
    },
  );
}

function addApply(recovery: Command): void {
  const command = recovery
    .command('apply')
    .description('put the complete document beside the ledger of the own member; it counts from the next start')
    .argument('<file>', 'the document, signed by all');
  addExamples(
    addOutputOption(addConfigOption(command)),
    'hanse recovery apply recovery.json --config ./bank/node.json',
  ).action(async (file: string, options: ConfirmOptions) => {
    const document = readRecovery(file);
    const node = await openNode(options.config);
    if (node.status.height === document.height) checkComplete(node, document);
    const target = recoveryFile(node.config.data, document);
    if (existsSync(target) && bytesToHex(recoveryBytes(readRecovery(target))) !== bytesToHex(recoveryBytes(document)))
      throw new CLIError(`Another recovery from block ${document.height} stands in ${target}; nothing was changed.`);
    writeJsonAtomically(target, document, 0o600);
    printResult(options, { ...document, file: target }, () => [
      `The recovery from block ${document.height} stands in ${target}.`,
      `Start the node again: it goes on from there with ${document.validators.join(', ')}.`,
    ]);
  });
}

/** The own member, whose node runs. */
interface OwnNode {
  readonly config: NodeConfig;
  readonly client: HanseClient;
  readonly status: MemberStatus;
  /** Active ones. */
  readonly members: readonly MemberDescription[];
  readonly suite: Suite;
}

async function openNode(configFile: string): Promise<OwnNode> {
  const config = readNodeConfig(configFile);
  const { host, port } = config.rpc;
  const client = await createHanseClient({ rpcUrl: `http://${host.includes(':') ? `[${host}]` : host}:${port}` });
  const status = await client.status();
  if (status.name !== config.name)
    throw new CLIError(`At ${host}:${port} answers ${status.name}, but ${configFile} is of ${config.name}.`);
  const suite = await loadSuite(status.suite === 'commercial' ? 'commercial' : 'international');
  return { config, client, status, members: await client.members.list(), suite };
}

function failWithoutBlock(): never {
  throw new CLIError('The own node has no block.');
}

function activeMember({ members }: OwnNode, name: string): MemberDescription {
  const member = members.find((candidate) => candidate.name === name);
  if (member === undefined)
    throw new CLIError(
      `The network has no active member ${name}. Its members are: ${members.map((known) => known.name).join(', ')}.`,
    );
  return member;
}

/** Everything but the signatures. */
function checkPlan(node: OwnNode, document: Recovery): void {
  const signatures = node.members.map(({ name }) => ({ member: name, signature: '0x' as const }));
  const trusting: Suite = { ...node.suite, verify: () => true };
  checkRecovery(node, { ...document, signatures }, trusting);
}

function checkComplete(node: OwnNode, document: Recovery): void {
  checkRecovery(node, document, node.suite);
}

function checkRecovery({ status, members }: OwnNode, document: Recovery, suite: Suite): void {
  const previous = { epoch: Epoch(document.epoch - 1), validators: members.filter(({ validator }) => validator) };
  try {
    recoveredSet(suite, status.genesisHash, previous, members, document);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw new CLIError(`The document cannot be used: ${error.message.replace(/^recovery: /, '')}.`);
  }
}

/** The document must name the last final block here, and this member must not have signed a later one as final. */
function checkBlock({ status, config }: OwnNode, document: Recovery, abandon: boolean): void {
  if (status.height > document.height)
    throw new CLIError(
      `The document goes on from block ${document.height}, but at ${config.name} block ${status.height} is final. Make it anew at ${config.name}.`,
    );
  if (status.height < document.height)
    throw new CLIError(
      `The document goes on from block ${document.height}, but ${config.name} has block ${status.height} only. Let it catch up with a member that has the block first.`,
    );
  if (status.blockHash !== document.blockHash)
    throw new CLIError(
      `Block ${document.height} here is ${status.blockHash}, but the document says ${document.blockHash}. Do not sign; find out why.`,
    );
  const later = status.signedAsFinal.find(({ height }) => height > document.height);
  if (later !== undefined && !abandon)
    throw new CLIError(
      `${config.name} signed block ${later.height} (${later.blockHash}) as final. A member that is gone may have shown it as final to somebody. ` +
        'If that cannot matter any more, sign with --abandon.',
    );
}

function signatureOf(node: OwnNode, document: Recovery): Recovery['signatures'][number] {
  const { name, keys } = node.config;
  const { voteKey } = activeMember(node, name);
  const stored = readMemberKeyRing(keys).votes.find(({ key }) => node.suite.publicKey(key) === voteKey);
  if (stored === undefined)
    throw new CLIError(`The vote key that the chain has for ${name} is not in ${keys}. Sign where it is.`);
  return { member: name, signature: bytesToHex(node.suite.sign(stored.key, recoveryBytes(document))) };
}

function withSignature(document: Recovery, signature: Recovery['signatures'][number]): Recovery {
  const others = document.signatures.filter(({ member }) => member !== signature.member);
  return { ...document, signatures: [...others, signature].sort((a, b) => (a.member < b.member ? -1 : 1)) };
}

function describe(document: Recovery, node: OwnNode | undefined): readonly string[] {
  const signed = document.signatures.map(({ member }) => member);
  const missing = node?.members
    .map(({ name }) => name)
    .filter((name) => !document.removed.includes(name) && !signed.includes(name));
  return fieldLines([
    ['goes on from block', `${document.height} ${document.blockHash}`],
    ['begins epoch', String(document.epoch)],
    ['validators', document.validators.join(', ')],
    ['leave the alliance', document.removed.join(', ') || 'nobody'],
    ['reason', document.reason],
    ['signed by', signed.join(', ') || 'nobody yet'],
    ['still to sign', missing === undefined ? undefined : missing.join(', ') || 'nobody: it is complete'],
  ]);
}

const consequences = ({ config }: OwnNode): readonly string[] => [
  '',
  `With this signature ${config.name} says that the members that leave are gone for good, and that it signs nothing in the old epoch any more.`,
  'Whatever the others signed after this block is given up. Compare the document with the other members over another channel.',
];

function nextSteps(node: OwnNode, document: Recovery, file: string): readonly string[] {
  const missing = node.members
    .map(({ name }) => name)
    .filter((name) => !document.removed.includes(name) && !document.signatures.some(({ member }) => member === name));
  return missing.length > 0
    ? [`Still to sign: ${missing.join(', ')}. Pass ${file} on, or join copies with: hanse recovery merge`]
    : [`It is complete. At every member: hanse recovery apply ${file} --config NODE.JSON, then start the node again.`];
}

async function confirm(lines: readonly string[], { yes, json }: ConfirmOptions): Promise<void> {
  if (yes === true) return;
  if (json === true || !process.stdin.isTTY)
    throw new CLIError('This must be confirmed by hand: run it on a terminal, or give --yes.');
  process.stderr.write(`${lines.join('\n')}\n\n`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question('Type "recover" to sign: ');
    if (answer.trim() !== 'recover') throw new CLIError('Nothing was signed.');
  } finally {
    terminal.close();
  }
}
