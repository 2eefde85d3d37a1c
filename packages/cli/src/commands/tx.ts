import { type Hash, isHash } from '@hanse/protocol';
import { revertReasonOf } from '@hanse/sdk';
import type { Command } from 'commander';
import {
  type Transaction,
  TransactionNotFoundError,
  type TransactionReceipt,
  TransactionReceiptNotFoundError,
} from 'viem';
import { type AddressBook, loadAddressBook } from '../addressBook.ts';
import { CLIError } from '../cliError.ts';
import { addGenesisOption, checkFinality, describeFinality, type Finality, type GenesisOption } from '../finality.ts';
import { loadModuleCalls } from '../loadModuleCalls.ts';
import type { ModuleCalls } from '../moduleCalls.ts';
import { addNetworkOptions, type ConnectedNetwork, connect, type NetworkOptions } from '../networkTarget.ts';
import { addExamples, usageError } from '../options.ts';
import { addOutputOption, fieldLines, type OutputOptions, printResult } from '../output.ts';

type TransactionOptions = NetworkOptions & OutputOptions & GenesisOption;

/** `hanse tx`: a transaction for people: what it asked, what became of it, and the proof that this is final. */
export function addTransactionCommand(program: Command): void {
  const command = program
    .command('tx')
    .description('show a transaction: its call decoded, its result, its block and who certified it')
    .argument('<hash>', 'the transaction hash');
  addExamples(
    addOutputOption(addGenesisOption(addNetworkOptions(command))),
    'hanse tx 0x88df016429689c079f3b2f6ad39fa052532c56795b733da78a91ebe6a713944b',
  ).action(async (text: string, options: TransactionOptions) => {
    const hash = text.toLowerCase();
    if (!isHash(hash)) throw usageError(`${text} is no transaction hash: it has 0x and 64 hexadecimal digits.`);
    await showTransaction(await connect(options), hash, options);
  });
}

async function showTransaction(network: ConnectedNetwork, hash: Hash, options: TransactionOptions): Promise<void> {
  const transaction = await orUndefined(network.client.publicClient.getTransaction({ hash }));
  if (transaction === undefined)
    throw new CLIError(
      `${network.status.name} knows no transaction ${hash}. Perhaps another network, or it was dropped before it was final.`,
    );
  const receipt = await orUndefined(network.client.publicClient.getTransactionReceipt({ hash }));
  const book = await loadAddressBook(network);
  const calls = await loadModuleCalls(network, book);
  const finality =
    receipt === undefined
      ? null
      : await checkFinality(network, { number: receipt.blockNumber, hash: receipt.blockHash }, options);
  const call = calls.call(transaction.to, transaction.input) ?? null;
  const events = (receipt?.logs ?? []).map((log) => calls.event(log) ?? null);
  const revertReason = receipt?.status === 'reverted' ? (revertReasonOf(receipt) ?? null) : null;
  const status = receipt?.status ?? 'pending';
  const printed = { status, revertReason, call, events, finality, transaction, receipt: receipt ?? null };
  printResult(options, printed, () =>
    fieldLines([
      ...transactionFields(transaction, book, calls),
      ...(receipt === undefined || finality === null ? PENDING : receiptFields(receipt, finality, calls)),
    ]),
  );
}

type Field = readonly [name: string, value: string | undefined];

const PENDING: readonly Field[] = [['status', 'waits in the pool; no block has it yet']];

async function orUndefined<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (error instanceof TransactionNotFoundError || error instanceof TransactionReceiptNotFoundError) return undefined;
    throw error;
  }
}

function transactionFields(transaction: Transaction, book: AddressBook, calls: ModuleCalls): readonly Field[] {
  const { hash, from, to, nonce, value, gas, input } = transaction;
  const call = calls.call(to, input);
  const bytes = (input.length - 2) / 2;
  return [
    ['transaction', hash],
    ['from', book.label(from.toLowerCase())],
    ['to', to === null ? 'creates a contract' : book.label(to.toLowerCase())],
    ['call', call === undefined || to === null ? undefined : calls.text(call, to)],
    [
      'input',
      call === undefined && bytes > 0
        ? `${bytes} bytes${bytes > 4 ? `, selector ${input.slice(0, 10)}` : ''}`
        : undefined,
    ],
    ['value', value === 0n ? undefined : `${value} wei`],
    ['nonce', String(nonce)],
    ['gas limit', String(gas)],
  ];
}

function receiptFields(receipt: TransactionReceipt, finality: Finality, calls: ModuleCalls): readonly Field[] {
  const reason = revertReasonOf(receipt) ?? 'no reason was given';
  const events = receipt.logs.map((log): Field => {
    const decoded = calls.event(log);
    return [
      'event',
      decoded === undefined
        ? `of ${log.address.toLowerCase()}, topic ${log.topics[0] ?? 'none'}`
        : calls.text(decoded, log.address),
    ];
  });
  return [
    ['status', receipt.status === 'success' ? 'success' : `reverted: ${reason}`],
    ['contract', receipt.contractAddress?.toLowerCase()],
    ['gas used', String(receipt.gasUsed)],
    ...events,
    ['block', `${receipt.blockNumber} (${receipt.blockHash})`],
    ['final', describeFinality(finality)],
  ];
}
