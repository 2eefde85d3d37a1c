import { resolve } from 'node:path';
import { loadSuite, newPrivateKey } from '@hanse/node';
import type { Address } from '@hanse/protocol';
import type { SentTransaction } from '@hanse/sdk';
import type { Command } from 'commander';
import { type AddressBook, loadAddressBook } from '../addressBook.ts';
import { CLIError, exitCodes } from '../cliError.ts';
import { addGenesisOption, type GenesisOption } from '../finality.ts';
import { listKeystore, loadKeyFile, storeKey } from '../keyFiles.ts';
import { layoutOf } from '../localNetwork/layout.ts';
import { alignColumns } from '../localNetwork/membersTable.ts';
import { readNetworkFile } from '../localNetwork/networkFile.ts';
import {
  addNetworkOptions,
  type ConnectedNetwork,
  connect,
  type NetworkOptions,
  withAccount,
} from '../networkTarget.ts';
import { addExamples, usageError } from '../options.ts';
import { addOutputOption, fieldLines, type OutputOptions, printResult } from '../output.ts';
import { addPassphraseOption, type PassphraseOptions, readNewPassphrase } from '../passphrase.ts';
import { settle, settledLines } from '../settle.ts';
import { addSignerOptions, findSigner, type Signer, type SignerOptions } from '../signer.ts';

interface KeystoreOptions extends OutputOptions, PassphraseOptions {
  readonly data: string;
  readonly keystore?: string;
}

/** `hanse account`: keys on this machine, and what accounts may do on the chain. */
export function addAccountCommand(program: Command): void {
  const account = program.command('account').description('keep account keys, register accounts on the chain');
  addNew(account);
  addList(account);
  addImport(account);
  addRegister(account);
  addRemove(account);
}

function addKeystoreOptions(command: Command): Command {
  return command
    .option('--keystore <dir>', 'folder of the key files (default: keystore in the data folder)')
    .option('--data <dir>', 'the data folder', '.hanse');
}

const keystoreOf = (options: KeystoreOptions): string =>
  resolve(options.keystore ?? layoutOf(resolve(options.data)).keystore);

function addNew(account: Command): void {
  const command = account.command('new').description('make a new account; its key is encrypted with a passphrase');
  addExamples(
    addOutputOption(addPassphraseOption(addKeystoreOptions(command))),
    'hanse account new --keystore ./keys',
  ).action(async (options: KeystoreOptions) => {
    const suite = await loadSuite('international');
    const passphrase = await readNewPassphrase(options);
    const stored = await storeKey(keystoreOf(options), newPrivateKey(suite), passphrase, { suite, nowMs: Date.now() });
    reportStored(stored, options);
  });
}

function addImport(account: Command): void {
  const command = account
    .command('import')
    .description('encrypt a key from a file into the keystore: hexadecimal digits, or another keystore file')
    .argument('<file>', 'the key file; it stays as it is');
  addExamples(
    addOutputOption(addPassphraseOption(addKeystoreOptions(command))),
    'hanse account import ./bank/keys/account.key --keystore ./keys',
  ).action(async (file: string, options: KeystoreOptions) => {
    const suite = await loadSuite('international');
    const key = await loadKeyFile(file, suite, options);
    const passphrase = await readNewPassphrase(options);
    reportStored(await storeKey(keystoreOf(options), key, passphrase, { suite, nowMs: Date.now() }), options);
  });
}

function reportStored(stored: { readonly address: Address; readonly file: string }, options: OutputOptions): void {
  printResult(options, stored, () => [
    ...fieldLines([
      ['account', stored.address],
      ['key file', stored.file],
    ]),
    '',
    'Whoever has this file and its passphrase can sign for the account. Nobody can recover a lost passphrase.',
    `On a network of registered accounts a member registers it: hanse account register ${stored.address} --member NAME`,
  ]);
}

function addList(account: Command): void {
  const command = account
    .command('list')
    .description('list the accounts whose keys are here: the keystore, and development accounts of a local network');
  addExamples(addOutputOption(addKeystoreOptions(command)), 'hanse account list').action((options: KeystoreOptions) => {
    const folder = keystoreOf(options);
    const development = readNetworkFile(layoutOf(resolve(options.data)).network)?.accounts ?? [];
    const accounts = [
      ...listKeystore(folder).map(({ address, file }) => ({ address, name: null, kept: file })),
      ...development.map(({ address, name }) => ({ address, name, kept: 'development account' })),
    ];
    printResult(options, { keystore: folder, accounts }, () =>
      accounts.length === 0
        ? [`No accounts in ${folder}. Make one with: hanse account new`]
        : alignColumns([
            ['account', 'name', 'key'],
            ...accounts.map((entry) => [entry.address, entry.name ?? '-', entry.kept]),
          ]),
    );
  });
}

interface RegistrationOptions extends NetworkOptions, OutputOptions, SignerOptions, GenesisOption {
  readonly member?: string;
  readonly mayDeploy?: boolean;
}

function addRegister(account: Command): void {
  const command = account
    .command('register')
    .description('let an account send transactions; the member answers for it')
    .argument('<account>', 'address, or name of a development account')
    .option('--member <name>', "the member that answers for it; its account's key signs")
    .option('--may-deploy', 'let it deploy contracts too');
  addExamples(
    addOutputOption(addGenesisOption(addSignerOptions(addNetworkOptions(command)))),
    'hanse account register 0x1f9090aae28b8a3dceadf281b0f12828e676c326 --member bank',
    'hanse account register 0x1f9090aae28b8a3dceadf281b0f12828e676c326 --may-deploy \\\n      --rpc http://127.0.0.1:8545 --member bank --key ./bank/keys/account.key',
  ).action(async (who: string, options: RegistrationOptions) => {
    await changeAccount(who, options, async (context, account) => {
      const { members } = await withAccount(context.network, context.signer.privateKey);
      return await members.registerAccount({ account, mayDeploy: options.mayDeploy ?? false });
    });
  });
}

function addRemove(account: Command): void {
  const command = account
    .command('remove')
    .description('take away an account; its member or an authority does')
    .argument('<account>', 'address, or name of a development account')
    .option('--member <name>', "the member that removes it; its account's key signs");
  addExamples(
    addOutputOption(addGenesisOption(addSignerOptions(addNetworkOptions(command)))),
    'hanse account remove 0x1f9090aae28b8a3dceadf281b0f12828e676c326 --member bank',
  ).action(async (who: string, options: RegistrationOptions) => {
    await changeAccount(who, options, async (context, account) => {
      const { members } = await withAccount(context.network, context.signer.privateKey);
      return await members.removeAccount(account);
    });
  });
}

interface MemberContext {
  readonly network: ConnectedNetwork;
  readonly book: AddressBook;
  readonly signer: Signer;
}

/** Signs with a member's account key, waits until it is final, and shows what the account may do now. */
async function changeAccount(
  who: string,
  options: RegistrationOptions,
  change: (context: MemberContext, account: Address) => Promise<SentTransaction>,
): Promise<void> {
  const network = await connect(options);
  const book = await loadAddressBook(network);
  const account = book.resolve(who);
  const signer = await findMemberSigner(options, network, book);
  const sent = await change({ network, book, signer }, account);
  const receipt = await settle(network, sent, options);
  const permissions = await network.client.members.permissionsOf(account);
  printResult(options, { account, ...permissions, ...receipt }, () => [
    ...fieldLines([
      ['account', book.label(account)],
      ['may transact', permissions.mayTransact ? 'yes' : 'no'],
      ['may deploy', permissions.mayDeploy ? 'yes' : 'no'],
    ]),
    '',
    ...settledLines(receipt),
  ]);
  if (receipt.status !== 'success') process.exitCode = exitCodes.refused;
}

/** The key of a member's own account: accounts are registered by nobody else. */
async function findMemberSigner(
  options: RegistrationOptions,
  network: ConnectedNetwork,
  book: AddressBook,
): Promise<Signer> {
  const { member } = options;
  if (member === undefined && options.from === undefined && options.key === undefined)
    throw usageError('Say which member signs: --member NAME, or --key FILE with the key of its account.');
  const from = options.from ?? (options.key === undefined ? member : undefined);
  const signer = await findSigner({ ...options, ...(from === undefined ? {} : { from }) }, network, book);
  const members = await network.client.members.list();
  const names = members.map(({ name }) => name).join(', ');
  const self = members.find(({ address }) => address === signer.address);
  if (member !== undefined && !members.some(({ name }) => name === member))
    throw new CLIError(`There is no member ${member}. Members are: ${names}.`);
  if (self === undefined)
    throw new CLIError(
      `${book.label(signer.address)} is no member's account: only members (${names}) register and remove accounts.`,
    );
  if (member !== undefined && self.name !== member)
    throw new CLIError(`The key is that of the member ${self.name}, not of ${member}.`);
  return signer;
}
