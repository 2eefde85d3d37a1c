// The measurements that the records in docs/adr quote, each a second or two long. They print what this machine does now; the
// records name the machine and the day of their figures. Needs a build. Usage: node bench/decisions.mjs [name ...]
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMPT } from '@ethereumjs/mpt';
import { currencyAbi, currencyAddress, ModuleHost } from '@hanse/modules';
import { CompiledAbi, createInternationalSuite, encodeAccount, hexToBytes, parseGenesis } from '@hanse/protocol';
import { AbiCoder, Interface } from 'ethers';
import { decodeFunctionData, encodeFunctionData } from 'viem';
import { EVMAdapter } from '../packages/node/dist/execution/evmAdapter.js';
import { executionRules } from '../packages/node/dist/execution/executionRules.js';
import { JournaledState } from '../packages/node/dist/execution/journaledState.js';
import { commitState } from '../packages/node/dist/execution/stateCommit.js';
import { executeMessage } from '../packages/node/dist/execution/transactionExecutor.js';
import { loadNodePrimitives } from '../packages/node/dist/runtime/nodePrimitives.js';
import { createTransportIdentity } from '../packages/node/dist/runtime/transportKey.js';
import { WorkerCompute } from '../packages/node/dist/runtime/workerCompute.js';
import { serviceRegistry } from '../packages/node/dist/services/serviceRegistry.js';
import { emptyState } from '../packages/node/dist/storage/emptyState.js';
import { LMDBKeyValueStore } from '../packages/node/dist/storage/lmdbKeyValueStore.js';
import { StateKeys } from '../packages/node/dist/storage/stateKeys.js';
import { StoredState, writeState } from '../packages/node/dist/storage/storedState.js';

const primitives = await loadNodePrimitives();
const suite = createInternationalSuite(primitives);
const address = (number) => `0x${number.toString(16).padStart(40, '0')}`;
const key = (number) => Uint8Array.from({ length: 32 }, (_, index) => (index === 31 ? number : 1));

/** Microseconds of one `work`: the mean of the quickest of 300 slices of 2 ms, because other programs share the machine. */
async function microseconds(work) {
  for (const until = performance.now() + 300; performance.now() < until; ) await work();
  let best = Number.POSITIVE_INFINITY;
  for (let slice = 0; slice < 300; slice++) {
    const started = performance.now();
    let count = 0;
    for (; performance.now() - started < 2; count++) await work();
    best = Math.min(best, ((performance.now() - started) * 1_000) / count);
  }
  return best;
}

/** Milliseconds of processor time that this program used so far. */
function processorMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

async function show(what, work) {
  console.log(`  ${what.padEnd(58)} ${(await microseconds(work)).toFixed(1).padStart(9)} us`);
}

const parts = {
  /** Votes, proposals, senders. */
  async signatures() {
    const message = new Uint8Array(120).fill(7);
    const publicKey = suite.publicKey(key(1));
    const signature = suite.sign(key(1), message);
    console.log(`  secp256k1: ${primitives.implementation.secp256k1}, keccak: ${primitives.implementation.keccak256}`);
    await show('sign a vote', () => suite.sign(key(1), message));
    await show('verify a vote', () => suite.verify(publicKey, message, signature));
    const commitment = new Uint8Array(64);
    await show('hash salt and content hash (64 bytes)', () => suite.hash(commitment));
    await show('make a TLS identity from a transport key', () => createTransportIdentity(`0x${'11'.repeat(32)}`));
  },

  /** A call of transfer(address,uint256): encode, decode. */
  async abi() {
    const args = [address(77), 123_456n];
    const ours = new CompiledAbi(currencyAbi, suite).function('transfer');
    const data = ours.encodeCall(args);
    const hex = encodeFunctionData({ abi: currencyAbi, functionName: 'transfer', args });
    const ethers = new Interface(currencyAbi);
    const coder = AbiCoder.defaultAbiCoder();
    await show('own codec: encode', () => ours.encodeCall(args));
    await show('own codec: decode', () => ours.decodeCall(data));
    await show('viem: encode', () => encodeFunctionData({ abi: currencyAbi, functionName: 'transfer', args }));
    await show('viem: decode', () => decodeFunctionData({ abi: currencyAbi, data: hex }));
    await show('ethers: encode', () => ethers.encodeFunctionData('transfer', args));
    await show('ethers: decode', () => coder.decode(['address', 'uint256'], `0x${hex.slice(10)}`));
  },

  /** One payment of the module `currency` and one of an OpenZeppelin ERC-20, both as whole messages without a signature. */
  async payment() {
    const genesis = testGenesis();
    const rules = executionRules(genesis, suite);
    const modules = new ModuleHost(suite);
    const engine = new EVMAdapter({
      suite,
      chainId: rules.chainId,
      fork: rules.fork,
      isModuleCode: (code) => modules.isModuleCode(code),
    });
    const state = new JournaledState(emptyState(suite), suite);
    state.beginTransaction();
    modules.initializeGenesis(state, genesis);
    state.finishTransaction();
    const block = {
      chainId: rules.chainId,
      genesisHash: `0x${'00'.repeat(32)}`,
      height: 1,
      timestamp: 1_700_000_001,
      beneficiary: address(1),
      gasLimit: rules.blockGasLimit,
      baseFeePerGas: 0n,
      prevRandao: `0x${'00'.repeat(32)}`,
      blockHash: () => undefined,
    };
    const context = { suite, fork: rules.fork, state, block, engine, modules };
    const send = async (from, to, data) => {
      state.beginTransaction();
      const message = { from, to, value: 0n, data, gasLimit: 16_000_000n, effectiveGasPrice: 0n, accessList: [] };
      const result = await executeMessage(context, message);
      state.finishTransaction();
      if (result.status !== 'success') throw new Error(result.error ?? 'reverted');
      return result;
    };
    const [authority, bank] = genesis.members.map((member) => member.address);
    const dcny = currencyAddress(1n);
    const abi = new CompiledAbi(currencyAbi, suite);
    await send(authority, dcny, abi.function('issue').encodeCall([bank, 1n << 100n]));
    const { contractAddress: token } = await send(bank, undefined, erc20Creation(bank));
    const transfer = (to) => abi.function('transfer').encodeCall([to, 1n]);
    const calls = Array.from({ length: 1_000 }, (_, index) => transfer(address(10_000 + index)));
    for (const to of [dcny, token]) for (const call of calls) await send(bank, to, call);
    let next = 0;
    await show('module currency: transfer', () => send(bank, dcny, calls[next++ % calls.length]));
    await show('OpenZeppelin ERC-20 in @ethereumjs/evm: transfer', () =>
      send(bank, token, calls[next++ % calls.length]),
    );
  },

  /** 1,000 accounts changed in a state of 50,000: the batch over LMDB, committed and flushed, and the same in @ethereumjs/mpt. */
  async state() {
    const total = 50_000;
    const batch = 1_000;
    const folder = mkdtempSync(join(tmpdir(), 'hanse-decisions-'));
    const store = new LMDBKeyValueStore(folder);
    const keys = new StateKeys(suite);
    try {
      let root = emptyState(suite).stateRoot;
      const stored = new StoredState(store, { suite, keys, head: () => ({ stateRoot: root }) });
      const write = (numbers, balance) => {
        const base = root === emptyState(suite).stateRoot ? emptyState(suite) : stored;
        const state = new JournaledState(base, suite);
        state.beginTransaction();
        for (const number of numbers) state.setBalance(address(number), balance);
        state.finishTransaction();
        const changes = commitState(base, state.changes(), suite, keys);
        const computed = processorMs();
        store.transaction((target) => writeState(target, changes, [], keys));
        root = changes.stateRoot;
        return { changes, computed };
      };
      const numbers = Array.from({ length: total }, (_, index) => index + 1);
      write(numbers, 1n);
      const some = (round) => Array.from({ length: batch }, (_, index) => ((index * 47 + round * 13) % total) + 1);
      const rounds = 10;
      let computing = Number.POSITIVE_INFINITY;
      let storing = Number.POSITIVE_INFINITY;
      for (let round = 1; round <= rounds; round++) {
        const started = processorMs();
        const { computed } = write(some(round), BigInt(round + 1));
        computing = Math.min(computing, computed - started);
        storing = Math.min(storing, processorMs() - computed);
      }
      console.log(
        `  own trie: root and nodes of ${batch} changed accounts of ${total}: ${computing.toFixed(1)} ms of processor time`,
      );
      console.log(`  LMDB: writing them in one transaction: ${storing.toFixed(1)} ms of processor time`);
      let next = 0;
      await show('flat read of an account', () => stored.account(address((next++ * 7919) % total)));
      await show('read of an account through the trie nodes', () =>
        walk(stored, keys.ofAddress(address(((next++ * 7919) % total) + 1)).nibbles),
      );
      const mpt = await createMPT({ useKeyHashing: true });
      const account = {
        nonce: 0n,
        balance: 1n,
        storageRoot: emptyState(suite).stateRoot,
        codeHash: suite.hashHex(new Uint8Array(0)),
      };
      for (const number of numbers) await mpt.put(hexToBytes(address(number)), encodeAccount(account));
      let other = Number.POSITIVE_INFINITY;
      for (let round = 1; round <= rounds; round++) {
        const started = processorMs();
        for (const number of some(round)) {
          await mpt.put(hexToBytes(address(number)), encodeAccount({ ...account, balance: BigInt(round + 1) }));
        }
        other = Math.min(other, processorMs() - started);
      }
      console.log(`  @ethereumjs/mpt in memory, the same ${batch} changes: ${other.toFixed(1)} ms of processor time`);
    } finally {
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },

  /** What a question to another thread costs beside its work. */
  async threads() {
    const logger = { log: () => undefined, child: () => logger };
    const compute = new WorkerCompute({ services: serviceRegistry }, { logger });
    const senders = await compute.spawn('senders', { genesis: testGenesis(), ledgerFolder: 'unused' });
    await show('an empty call of a service in another thread', () => senders.service.recover([]));
    await senders.close();
  },
};

/** How many stored nodes lead to a key, read one after another as a trie without a flat copy would. */
function walk(state, nibbles) {
  for (let depth = 0; depth < nibbles.length; depth++) {
    if (state.accountTrieNode(nibbles.slice(0, depth)) === undefined) return depth;
  }
  return nibbles.length;
}

function testGenesis() {
  const roles = ['authority', 'bank'];
  return parseGenesis({
    format: 1,
    name: 'decisions',
    chainId: 1,
    suite: 'international',
    timeMs: 1_700_000_000_000,
    members: roles.map((role, index) => ({
      name: role,
      role,
      validator: true,
      address: address(index + 1),
      voteKey: suite.publicKey(key(index + 1)),
      transportKey: `0x${String(index + 1).padStart(64, '0')}`,
      endpoints: [`127.0.0.1:${9_000 + index}`],
    })),
    currencies: [{ symbol: 'DCNY', name: 'Digital Yuan', decimals: 2, authority: 'authority' }],
  });
}

/** The creation of an OpenZeppelin ERC-20 that gives its whole supply to `owner`. */
function erc20Creation(owner) {
  const require = createRequire(import.meta.url);
  const source = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;
import "@openzeppelin/contracts/token/ERC20/ERC20.sol";
contract Token is ERC20 { constructor(address owner) ERC20("Token", "TKN") { _mint(owner, 1 << 100); } }`;
  const settings = {
    outputSelection: { '*': { '*': ['evm.bytecode.object'] } },
    evmVersion: 'prague',
    optimizer: { enabled: true },
  };
  const input = JSON.stringify({ language: 'Solidity', sources: { 'Token.sol': { content: source } }, settings });
  const output = JSON.parse(
    require('solc').compile(input, { import: (path) => ({ contents: readFileSync(require.resolve(path), 'utf8') }) }),
  );
  const code = output.contracts['Token.sol'].Token.evm.bytecode.object;
  return hexToBytes(`0x${code}${owner.slice(2).padStart(64, '0')}`);
}

const wanted = process.argv.slice(2);
for (const [name, run] of Object.entries(parts)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(name);
  await run();
}
