import { type Address, type Hex, isHex } from '@hanse/protocol';
import { type Currency, type HanseClient, type SentTransaction, sentTransaction } from '@hanse/sdk';
import type { Command } from 'commander';
import { type AddressBook, loadAddressBook } from '../addressBook.ts';
import { CLIError, exitCodes } from '../cliError.ts';
import { addGenesisOption, type GenesisOption } from '../finality.ts';
import { addNetworkOptions, connect, type NetworkOptions, withAccount } from '../networkTarget.ts';
import { addExamples, usageError } from '../options.ts';
import { addOutputOption, type OutputOptions, printResult } from '../output.ts';
import { settle, settledLines } from '../settle.ts';
import { addSignerOptions, findSigner, type SignerOptions } from '../signer.ts';

interface SendOptions extends NetworkOptions, OutputOptions, SignerOptions, GenesisOption {
  readonly to?: string;
  readonly amount?: string;
  readonly currency?: string;
  readonly value?: string;
  readonly input?: string;
}

/** `hanse send`: a payment in a currency, or a raw transaction. */
export function addSendCommand(program: Command): void {
  const send = program
    .command('send')
    .description('pay in a currency, or send a raw transaction, and wait until it is final')
    .option(
      '--to <name|address>',
      'who receives, or which contract is called; absent with --input: a contract is created',
    )
    .option('--amount <amount>', 'a payment: how much, as in 12.50')
    .option('--currency <symbol>', 'a payment: in which currency (default: the only one of the network)')
    .option('--value <wei>', 'a raw transaction: native coin to send along')
    .option('--input <hex>', 'a raw transaction: call data, or the code that creates a contract');
  addExamples(
    addOutputOption(addGenesisOption(addSignerOptions(addNetworkOptions(send)))),
    'hanse send --from bank --to alice --amount 12.50 --currency DCNY',
    'hanse send --key ./bank/keys/account.key --rpc http://127.0.0.1:8545 --to 0x1f9090aae28b8a3dceadf281b0f12828e676c326 --value 0 --input 0x18160ddd',
  ).action(sendTransaction);
}

async function sendTransaction(options: SendOptions): Promise<void> {
  checkForm(options);
  const network = await connect(options);
  const book = await loadAddressBook(network);
  const to = options.to === undefined ? undefined : book.resolve(options.to);
  const signer = await findSigner(options, network, book);
  const client = await withAccount(network, signer.privateKey);
  const { sent, what } =
    options.amount === undefined ? await sendRaw(client, to, options) : await pay(client, to as Address, options);
  const settled = await settle(network, sent, options);
  const parties = { from: signer.address, to: to ?? null };
  printResult(options, { ...parties, ...settled }, () => [
    `${what} ${partiesText(book, signer.address, to)}`,
    ...settledLines(settled),
  ]);
  if (settled.status !== 'success') process.exitCode = exitCodes.refused;
}

function checkForm({ to, amount, currency, value, input }: SendOptions): void {
  const raw = value !== undefined || input !== undefined;
  if (amount === undefined && !raw)
    throw usageError('Say what to send: --amount 12.50, or --value WEI and --input 0x.. for a raw transaction.');
  if (raw && (amount !== undefined || currency !== undefined))
    throw usageError(
      '--amount and --currency are for a payment, --value and --input for a raw transaction: give one or the other.',
    );
  if (to === undefined && (amount !== undefined || input === undefined))
    throw usageError('Say who receives: --to NAME or --to ADDRESS.');
  if (value !== undefined && !/^\d{1,78}$/.test(value))
    throw usageError(`--value ${value} is not possible: give a whole number of wei.`);
  if (input !== undefined && !isHex(input.toLowerCase()))
    throw usageError('--input must be 0x and pairs of hexadecimal digits.');
}

interface Sending {
  readonly sent: SentTransaction;
  /** "12.50 DCNY". */
  readonly what: string;
}

async function pay(client: HanseClient, to: Address, options: SendOptions): Promise<Sending> {
  const currency = await findCurrency(client, options.currency);
  const amount = parseUnits(currency, options.amount ?? '');
  return { sent: await currency.transfer({ to, amount }), what: `${currency.format(amount)} ${currency.symbol}` };
}

async function findCurrency(client: HanseClient, symbol: string | undefined): Promise<Currency> {
  const currencies = await client.currencies();
  const symbols = currencies.map((currency) => currency.symbol).join(', ');
  if (symbols === '') throw new CLIError('This network has no currency.');
  if (symbol === undefined && currencies.length > 1)
    throw usageError(`Say in which currency: --currency with one of ${symbols}.`);
  const found = symbol === undefined ? currencies[0] : currencies.find((currency) => currency.symbol === symbol);
  if (found === undefined) throw new CLIError(`This network has no currency ${symbol}. It has: ${symbols}.`);
  return found;
}

function parseUnits(currency: Currency, text: string): bigint {
  try {
    return currency.parse(text);
  } catch (error) {
    if (error instanceof RangeError) throw usageError(`--amount: ${error.message} (in ${currency.symbol}).`);
    throw error;
  }
}

async function sendRaw(client: HanseClient, to: Address | undefined, options: SendOptions): Promise<Sending> {
  const value = BigInt(options.value ?? '0');
  const data = (options.input ?? '0x').toLowerCase() as Hex;
  const hash = await client.requireWallet().sendTransaction({ value, data, ...(to === undefined ? {} : { to }) });
  return {
    sent: sentTransaction(client.publicClient, hash),
    what: `${value} wei, ${(data.length - 2) / 2} bytes of input`,
  };
}

function partiesText(book: AddressBook, from: Address, to: Address | undefined): string {
  return `from ${book.label(from)} ${to === undefined ? 'to create a contract' : `to ${book.label(to)}`}`;
}
