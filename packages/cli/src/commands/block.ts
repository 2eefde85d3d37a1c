import { isHash } from '@hanse/protocol';
import type { Command } from 'commander';
import { type Block, BlockNotFoundError, type Transaction } from 'viem';
import { type AddressBook, loadAddressBook } from '../addressBook.ts';
import { CLIError } from '../cliError.ts';
import { addGenesisOption, checkFinality, describeFinality, type Finality, type GenesisOption } from '../finality.ts';
import { loadModuleCalls } from '../loadModuleCalls.ts';
import { alignColumns } from '../localNetwork/membersTable.ts';
import type { ModuleCalls } from '../moduleCalls.ts';
import { addNetworkOptions, type ConnectedNetwork, connect, type NetworkOptions } from '../networkTarget.ts';
import { addExamples, usageError } from '../options.ts';
import { addOutputOption, fieldLines, type OutputOptions, printResult } from '../output.ts';

type BlockOptions = NetworkOptions & OutputOptions & GenesisOption;
type FullBlock = Block<bigint, true, 'latest'>;

/** `hanse block`: a block for people, with the proof that it is final. */
export function addBlockCommand(program: Command): void {
  const block = program
    .command('block')
    .description('show a block, its transactions, and who certified it')
    .argument('[block]', 'a height, a block hash, or latest', 'latest');
  addExamples(
    addOutputOption(addGenesisOption(addNetworkOptions(block))),
    'hanse block',
    'hanse block 12 --rpc http://bank.example.com:8545 --genesis ./genesis.json',
  ).action(async (which: string, options: BlockOptions) => {
    const network = await connect(options);
    const found = await findBlock(network, which);
    const [book, finality] = await Promise.all([loadAddressBook(network), checkFinality(network, found, options)]);
    const calls = await loadModuleCalls(network, book);
    const value = { ...found, leader: book.nameOf(found.miner) ?? null, finality };
    printResult(options, value, () => [
      ...blockLines(found, book, finality),
      ...transactionLines(found.transactions, book, calls),
    ]);
  });
}

async function findBlock({ client }: ConnectedNetwork, which: string): Promise<FullBlock> {
  try {
    if (which === 'latest') return await client.publicClient.getBlock({ includeTransactions: true });
    const text = which.toLowerCase();
    if (isHash(text)) return await client.publicClient.getBlock({ blockHash: text, includeTransactions: true });
    if (/^\d{1,15}$/.test(text))
      return await client.publicClient.getBlock({ blockNumber: BigInt(text), includeTransactions: true });
  } catch (error) {
    if (error instanceof BlockNotFoundError) {
      const head = await client.publicClient.getBlockNumber();
      throw new CLIError(`There is no block ${which}. The newest is ${head}.`);
    }
    throw error;
  }
  throw usageError(`${which} is no block: give a height, a block hash, or latest.`);
}

function blockLines(block: FullBlock, book: AddressBook, finality: Finality): readonly string[] {
  return fieldLines([
    ['block', String(block.number)],
    ['hash', block.hash],
    ['parent', block.parentHash],
    ['time', new Date(Number(block.timestamp) * 1000).toISOString().replace('.000Z', 'Z')],
    ['leader', BigInt(block.miner) === 0n ? 'none' : book.label(block.miner.toLowerCase())],
    ['state root', block.stateRoot],
    ['transactions root', block.transactionsRoot],
    ['receipts root', block.receiptsRoot],
    ['gas used', `${block.gasUsed} of ${block.gasLimit}`],
    ['transactions', String(block.transactions.length)],
    ['final', describeFinality(finality)],
  ]);
}

function transactionLines(
  transactions: readonly Transaction[],
  book: AddressBook,
  calls: ModuleCalls,
): readonly string[] {
  if (transactions.length === 0) return [];
  const rows = transactions.map(({ hash, from, to, input }) => {
    const decoded = calls.call(to, input);
    const what =
      decoded !== undefined && to !== null
        ? calls.text(decoded, to)
        : to === null
          ? 'creates a contract'
          : `to ${book.nameOf(to) ?? to.toLowerCase()}`;
    return [hash, book.nameOf(from) ?? from.toLowerCase(), what];
  });
  return ['', ...alignColumns([['transaction', 'from', 'what'], ...rows])];
}
