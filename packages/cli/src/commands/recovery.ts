import { resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import {
  readNodeConfig,
  readPromises,
  readRecoveries,
  readRecovery,
  recoveryFolder,
  removePromise,
  type StoppedMember,
  writePromise,
  writeRecovery,
  writeRefusal,
} from '@hanse/node';
import { bytesToHex, Epoch, isSamePlan, type Recovery, type RecoveryPlan, recoveryBytes } from '@hanse/protocol';
import type { Command } from 'commander';
import { writeJsonAtomically, writeNewFileAtomically } from '../atomicFile.ts';
import { CLIError } from '../cliError.ts';
import { addExamples, collect, usageError } from '../options.ts';
import { addOutputOption, fieldLines, type OutputOptions, printResult } from '../output.ts';
import {
  assertActiveMember,
  checkApplicable,
  checkBlock,
  checkLog,
  checkPlan,
  checkPromises,
  withStoppedMember,
} from '../recovery/recoveryChecks.ts';

interface PlanOptions extends OutputOptions {
  readonly config: string;
  readonly without?: readonly string[];
  readonly validator?: readonly string[];
  readonly reason: string;
  readonly out: string;
}

interface ConfirmOptions extends OutputOptions {
  readonly config: string;
  readonly yes?: boolean;
}

interface SignOptions extends ConfirmOptions {
  readonly abandon?: boolean;
}

interface WithdrawOptions extends ConfirmOptions {
  readonly unsigned: string;
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
  addWithdraw(recovery);
  addRefuse(recovery);
}

const addConfigOption = (command: Command): Command =>
  command.requiredOption('--config <file>', "the own member's configuration; its node must be stopped");

function addPlan(recovery: Command): void {
  const command = recovery
    .command('plan')
    .description('write the document: from the last final block here, without the members that are gone')
    .option(
      '--without <name>',
      'a member that is gone for good and leaves the alliance (repeatable; none: the same members go on)',
      collect,
    )
    .option('--validator <name>', 'a validator of the new set (repeatable; default: those that are left)', collect)
    .requiredOption('--reason <text>', 'why, for those who sign and for later')
    .requiredOption('--out <file>', 'the document to write; is never overwritten');
  addExamples(
    addOutputOption(addConfigOption(command)),
    'hanse recovery plan --config ./bank/node.json --without farm --without market --reason "fire on 3 May" --out recovery.json',
    'hanse recovery plan --config ./bank/node.json --reason "farm lost its log of votes" --out recovery.json',
  ).action((options: PlanOptions) =>
    withStoppedMember(options.config, async (member) => {
      const gone = (options.without ?? []).map((name) => assertActiveMember(member, name));
      const { height, blockHash, validators: set } = member.head;
      const left = set.validators.map(({ name }) => name).filter((name) => !gone.includes(name));
      const plan: RecoveryPlan = {
        format: 1,
        genesisHash: member.genesisHash,
        height,
        blockHash,
        epoch: Epoch(set.epoch + 1),
        validators: options.validator ?? left,
        removed: gone,
        reason: options.reason,
      };
      checkPlan(member, { ...plan, signatures: [] });
      const file = resolve(options.out);
      if (!writeNewFileAtomically(file, `${JSON.stringify({ ...plan, signatures: [] }, null, 2)}\n`))
        throw new CLIError(`${file} exists already; nothing was written. Choose another name.`);
      printResult(options, { ...plan, file }, () => [
        ...describe({ ...plan, signatures: [] }, member),
        '',
        `Written to ${file}. Every member that remains now checks and signs it, with its node stopped:`,
        `  hanse recovery sign ${options.out} --config NODE.JSON`,
      ]);
    }),
  );
}

function addSign(recovery: Command): void {
  const command = recovery
    .command('sign')
    .description(
      "sign the document with the own member's vote key, after asking; from then on the member votes only as it says",
    )
    .argument('<file>', 'the document, to which the signature is added')
    .option('--abandon', 'sign although this member signed a later block as final, which will be given up')
    .option('--yes', 'do not ask');
  addExamples(
    addOutputOption(addConfigOption(command)),
    'hanse recovery sign recovery.json --config ./bank/node.json',
  ).action((file: string, options: SignOptions) =>
    withStoppedMember(options.config, async (member) => {
      const document = readRecovery(file);
      checkPlan(member, document);
      checkBlock(member, document);
      checkPromises(member, document);
      await promise(member, document, options);
      // Somebody may have refused it in the meantime.
      checkPromises(member, document);
      const { name } = member.config;
      const signed = withSignature(document, { member: name, signature: member.sign(document) });
      writeJsonAtomically(resolve(file), signed);
      printResult(options, signed, () => [`Signed as ${name}.`, ...nextSteps(member, signed, file)]);
    }),
  );
}

/** Binds the member to the plan, durably, before its signature exists. */
async function promise(member: StoppedMember, document: Recovery, options: SignOptions): Promise<void> {
  const { name, keys } = member.config;
  const log = await member.openLog();
  try {
    checkLog(member, log, document, options.abandon === true);
    await confirm('recover', [...describe(document, member), ...consequences(name)], options);
    if (readPromises(keys).some((plan) => isSamePlan(plan, document))) return;
    // Where a signature exists already, this log may have been begun after votes in the new epoch: it says nothing of them.
    const first = !document.signatures.some((signature) => signature.member === name);
    if (first) await log.note(document.epoch, member.hashOf(document));
    writePromise(keys, document);
  } finally {
    await log.close();
  }
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
    .description('put the complete document beside the ledger of the own member; its next start goes on by it')
    .argument('<file>', 'the document, signed by all');
  addExamples(
    addOutputOption(addConfigOption(command)),
    'hanse recovery apply recovery.json --config ./bank/node.json',
  ).action((file: string, options: ConfirmOptions) =>
    withStoppedMember(options.config, async (member) => {
      const document = readRecovery(file);
      checkApplicable(member, document);
      const { data } = member.config;
      writeRecovery(data, document);
      printResult(options, document, () => [
        `The recovery from block ${document.height} stands in ${recoveryFolder(data)}.`,
        `Start the node: it goes on from there with ${document.validators.join(', ')}.`,
      ]);
    }),
  );
}

function addWithdraw(recovery: Command): void {
  const command = recovery
    .command('withdraw')
    .description('take the signature back, of a document that can never be completed: the member votes again as before')
    .argument('<file>', 'the document, with all signatures that are known')
    .requiredOption('--unsigned <name>', 'who must sign it, has not, and never will: gone for good, or it refused')
    .option('--yes', 'do not ask');
  addExamples(
    addOutputOption(addConfigOption(command)),
    'hanse recovery withdraw recovery.json --unsigned farm --config ./bank/node.json',
  ).action((file: string, options: WithdrawOptions) =>
    withStoppedMember(options.config, async (member) => {
      const document = readRecovery(file);
      checkWithdrawable(member, document, options.unsigned);
      await confirm('withdraw', withdrawal(member.config.name, options.unsigned), options);
      removePromise(member.config.keys, document);
      printResult(options, document, () => [
        `${member.config.name} is not bound by the document any more, and votes again from its next start.`,
      ]);
    }),
  );
}

function checkWithdrawable(member: StoppedMember, document: Recovery, unsigned: string): void {
  const { name, keys, data } = member.config;
  if (!readPromises(keys).some((plan) => isSamePlan(plan, document)))
    throw new CLIError(`${name} has not signed this document: there is nothing to take back.`);
  if (readRecoveries(recoveryFolder(data)).some((given) => isSamePlan(given, document)))
    throw new CLIError(
      'The document is complete and in force here, so that others may have gone on by it. If it came to nothing, all who signed it and are left sign another one, which goes on from it: hanse recovery plan.',
    );
  assertActiveMember(member, unsigned);
  if (unsigned === name || document.removed.includes(unsigned))
    throw new CLIError(`Name another member that must sign: the document does not wait for ${unsigned}.`);
  if (document.signatures.some((signature) => signature.member === unsigned))
    throw new CLIError(`${unsigned} has signed it, so that it may still be completed. Nothing was changed.`);
}

const withdrawal = (name: string, unsigned: string): readonly string[] => [
  `Without the signature of ${unsigned} nobody can ever go on by this document, so that ${name} may vote as before.`,
  `If ${unsigned} signed it after all, here or on a copy, or ever does, two histories can become final.`,
  `Make sure of it over another channel: it is gone for good, or it ran hanse recovery refuse.`,
];

function addRefuse(recovery: Command): void {
  const command = recovery
    .command('refuse')
    .description('never sign the document, so that those who did can take their signatures back; the node may run')
    .argument('<file>', 'the document')
    .requiredOption('--config <file>', "the own member's configuration");
  addExamples(addOutputOption(command), 'hanse recovery refuse recovery.json --config ./farm/node.json').action(
    (file: string, options: ConfirmOptions) => {
      const document = readRecovery(file);
      const { name, keys } = readNodeConfig(options.config);
      const signed = (): boolean => readPromises(keys).some((plan) => isSamePlan(plan, document));
      const late = new CLIError(`${name} has signed this document, and cannot refuse it any more.`);
      if (signed() || document.signatures.some((signature) => signature.member === name)) throw late;
      writeRefusal(keys, document);
      // It may be being signed at this moment, which looks for a refusal once more before it signs.
      if (signed()) throw late;
      printResult(options, document, () => [`${name} will never sign this document. Tell those who did.`]);
    },
  );
}

function withSignature(document: Recovery, signature: Recovery['signatures'][number]): Recovery {
  const others = document.signatures.filter(({ member }) => member !== signature.member);
  return { ...document, signatures: [...others, signature].sort((a, b) => (a.member < b.member ? -1 : 1)) };
}

function describe(document: Recovery, member: StoppedMember | undefined): readonly string[] {
  const signed = document.signatures.map((signature) => signature.member);
  return fieldLines([
    ['goes on from block', `${document.height} ${document.blockHash}`],
    ['begins epoch', String(document.epoch)],
    ['validators', document.validators.join(', ')],
    ['leave the alliance', document.removed.join(', ') || 'nobody'],
    ['reason', document.reason],
    ['signed by', signed.join(', ') || 'nobody yet'],
    [
      'still to sign',
      member === undefined ? undefined : missingFrom(member, document).join(', ') || 'nobody: it is complete',
    ],
  ]);
}

function missingFrom({ members }: StoppedMember, { removed, signatures }: Recovery): readonly string[] {
  return members
    .map(({ name }) => name)
    .filter((name) => !removed.includes(name) && !signatures.some(({ member }) => member === name));
}

const consequences = (name: string): readonly string[] => [
  '',
  `With this signature ${name} says that the members that leave are gone for good. From now on it votes only as the document says, whether or not that is ever completed.`,
  'Whatever the others signed after this block is given up. Compare the document with the other members over another channel.',
];

function nextSteps(member: StoppedMember, document: Recovery, file: string): readonly string[] {
  const missing = missingFrom(member, document);
  return missing.length > 0
    ? [
        `Still to sign: ${missing.join(', ')}. Pass ${file} on, or join copies with: hanse recovery merge`,
        'The node may be started meanwhile: it follows without a vote.',
      ]
    : [`It is complete. At every member, with its node stopped: hanse recovery apply ${file} --config NODE.JSON`];
}

async function confirm(word: string, lines: readonly string[], { yes, json }: ConfirmOptions): Promise<void> {
  if (yes === true) return;
  if (json === true || !process.stdin.isTTY)
    throw new CLIError('This must be confirmed by hand: run it on a terminal, or give --yes.');
  process.stderr.write(`${lines.join('\n')}\n\n`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`Type "${word}" to go on: `);
    if (answer.trim() !== word) throw new CLIError('Nothing was changed.');
  } finally {
    terminal.close();
  }
}
