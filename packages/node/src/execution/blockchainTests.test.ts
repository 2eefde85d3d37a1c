import { readdirSync, readFileSync } from 'node:fs';
import {
  type Address,
  decodeRlp,
  decodeTransaction,
  type Epoch,
  encodeRlp,
  firstRules,
  type Hash,
  Height,
  type Hex,
  type Host,
  hexToBytes,
  type RlpItem,
  recoverSender,
  type SignedTransaction,
  type WorldState,
} from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { hasSharedData, sharedData } from '../../../../test/sharedData.ts';
import { StateKeys } from '../storage/stateKeys.ts';
import { BlockExecutor, type ExecutedBlock } from './blockExecutor.ts';
import { checkBlockTransactions } from './staticChecks.ts';
import { type Allocation, noModules, stateOf, testRules, testSuite } from './testing/executionFixture.ts';

const path = 'ethereum/ethereum-tests/BlockchainTests/ValidBlocks/';
const root = sharedData(path);
const isPresent = hasSharedData(path, 'BlockchainTests');

/** A filled BlockchainTest (ethereum/tests, docs/test_formats/blockchain_tests.md), as far as it is used. */
interface BlockchainTest {
  readonly pre: Allocation;
  readonly genesisBlockHeader: TestHeader;
  readonly blocks: readonly {
    readonly rlp: Hex;
    readonly blockHeader: TestHeader;
    readonly withdrawals?: readonly unknown[];
  }[];
}

type TestHeader = Readonly<Record<string, Hex>>;

const folders = isPresent ? readdirSync(root) : [];
const beaconRoots: Address = '0x000f3df6d732807ef1319fb7b8bb8522d0beac02';
const keys = new StateKeys(testSuite);

/** What Ethereum's consensus layer writes before every block (EIP-4788), which this chain has no use for. */
function writeBeaconRoot(state: WorldState, timestamp: number, beaconRoot: Hex): void {
  const slot = BigInt(timestamp % 8191);
  state.setStorage(beaconRoots, slot, BigInt(timestamp));
  state.setStorage(beaconRoots, slot + 8191n, BigInt(beaconRoot));
}

function transactionsOf(rlp: Hex): SignedTransaction[] {
  const [, transactions] = decodeRlp(hexToBytes(rlp)) as readonly RlpItem[];
  return (transactions as readonly RlpItem[]).map((item) => {
    const transaction = decodeTransaction(item instanceof Uint8Array ? item : encodeRlp(item), testSuite);
    return { ...transaction, sender: recoverSender(transaction, testSuite)! };
  });
}

async function executeAll(test: BlockchainTest): Promise<{ executed: ExecutedBlock; expected: TestHeader }[]> {
  const hashes: Hash[] = [test.genesisBlockHeader.hash!];
  const results: { executed: ExecutedBlock; expected: TestHeader }[] = [];
  let state = stateOf(test.pre, testSuite, keys);
  let timestamp = Number(test.genesisBlockHeader.timestamp);
  for (const { rlp, blockHeader: header } of test.blocks) {
    const transactions = transactionsOf(rlp);
    const rules = {
      ...testRules,
      chainId: 1n,
      fork: 'cancun' as const,
      blockGasLimit: BigInt(header.gasLimit!),
      maxTransactionGas: BigInt(header.gasLimit!),
      baseFeePerGas: BigInt(header.baseFeePerGas!),
    };
    const protectedOnes = transactions.map((transaction) => ({ ...transaction, chainId: transaction.chainId ?? 1n }));
    const permissions = () => ({ maySend: true, mayDeploy: true });
    // Ethereum holds a gas limit to what the transactions before have left; this chain holds the sum of the limits to the block's.
    const checkRules = { ...rules, blockGasLimit: 2n ** 64n, maxTransactionGas: 2n ** 64n };
    const checkOptions = { rules: checkRules, parentState: state, permissions };
    expect(checkBlockTransactions(protectedOnes, checkOptions)).toBeUndefined();
    const modules = {
      ...noModules,
      beginBlock: (host: Host) => {
        writeBeaconRoot(host.state, host.block.timestamp, header.parentBeaconBlockRoot!);
        return [];
      },
    };
    const height = Number(header.number);
    const options = { suite: testSuite, rules, genesisHash: hashes[0]! };
    const executed = await new BlockExecutor(options, { modules, keys }).executeBlock({
      parent: { hash: hashes.at(-1)!, header: { number: Height(height - 1), timestamp } as never },
      parentState: state,
      height: Height(height),
      timeMs: Number(header.timestamp) * 1000,
      beneficiary: header.coinbase!.toLowerCase() as Address,
      digest: hashes[0]!,
      epoch: 0 as Epoch,
      rules: firstRules,
      nextSetHash: () => hashes[0]!,
      transactions,
      blockHash: (asked) => hashes[asked],
    });
    results.push({ executed, expected: header });
    hashes.push(header.hash!);
    timestamp = Number(header.timestamp);
    state = executed.overlay;
  }
  return results;
}

describe.skipIf(!isPresent)('BlockchainTests of ethereum/tests (Cancun): roots, bloom and gas of whole blocks', () => {
  it.each(folders)('%s', async (folder) => {
    let blocks = 0;
    for (const file of readdirSync(new URL(`${folder}/`, root))) {
      const tests: Record<string, BlockchainTest> = JSON.parse(
        readFileSync(new URL(`${folder}/${file}`, root), 'utf8'),
      );
      for (const test of Object.values(tests)) {
        // Here PREVRANDAO is the hash of the parent, and not what the header of the test says.
        if (file === 'mergeExample.json') continue;
        // This chain has no withdrawals.
        if (test.blocks.some(({ withdrawals }) => (withdrawals?.length ?? 0) > 0)) continue;
        for (const { executed, expected } of await executeAll(test)) {
          const { header } = executed;
          blocks += 1;
          expect
            .soft(
              {
                gasUsed: header.gasUsed,
                transactionsRoot: header.transactionsRoot,
                receiptsRoot: header.receiptsRoot,
                logsBloom: header.logsBloom,
                stateRoot: header.stateRoot,
              },
              `${file}, block ${header.number}`,
            )
            .toEqual({
              gasUsed: BigInt(expected.gasUsed!),
              transactionsRoot: expected.transactionsTrie,
              receiptsRoot: expected.receiptTrie,
              logsBloom: expected.bloom,
              stateRoot: expected.stateRoot,
            });
        }
      }
    }
    expect(blocks).toBeGreaterThan(0);
  });
});
