import { type Address, bytesToHex, createAddress, type Hex, hexToBytes } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { EVMAdapter } from './evmAdapter.ts';
import { InternalExecutionError } from './internalExecutionError.ts';
import { JournaledState } from './journaledState.ts';
import {
  type Allocation,
  noModules,
  proposer,
  stateOf,
  testAccount,
  testBlock,
  testRules,
  testSuite,
  testTransaction,
} from './testing/executionFixture.ts';
import {
  effectiveGasPrice,
  executeTransaction,
  type ModuleRunner,
  type TransactionContext,
} from './transactionExecutor.ts';

const alice = testAccount(1).address;
const contract: Address = `0x${'c0'.repeat(20)}`;
const recipient: Address = `0x${'77'.repeat(20)}`;

function context(allocation: Allocation, baseFeePerGas = 0n, modules: ModuleRunner = noModules): TransactionContext {
  return {
    suite: testSuite,
    fork: 'prague',
    state: new JournaledState(stateOf(allocation), testSuite),
    block: { ...testBlock, baseFeePerGas },
    engine: new EVMAdapter({
      suite: testSuite,
      chainId: testRules.chainId,
      fork: 'prague',
      isModuleCode: (code) => modules.isModuleCode(code),
    }),
    modules,
  };
}

describe('executeTransaction', () => {
  it('moves value for 21,000 gas, raises the nonce and burns the base fee', async () => {
    const run = context({ [alice]: { balance: '0xde0b6b3a7640000' } }, 7n); // 10^18
    const fees = { maxFeePerGas: 100n, maxPriorityFeePerGas: 3n };
    const receipt = await executeTransaction(
      run,
      testTransaction({ nonce: 0n, to: recipient, value: 5n, ...fees }),
      1_000n,
    );
    expect(receipt).toMatchObject({
      type: 2,
      success: true,
      gasUsed: 21_000n,
      cumulativeGasUsed: 22_000n,
      effectiveGasPrice: 10n,
      logs: [],
    });
    expect(receipt).not.toHaveProperty('contractAddress');
    const { state } = run;
    expect([state.getNonce(alice), state.getBalance(recipient)]).toEqual([1n, 5n]);
    expect(state.getBalance(alice)).toBe(10n ** 18n - 5n - 210_000n);
    expect(state.getBalance(proposer)).toBe(63_000n);
  });

  it('needs no balance where nothing costs anything', async () => {
    const run = context({});
    const receipt = await executeTransaction(run, testTransaction({ nonce: 0n, to: recipient }), 0n);
    expect([receipt.success, run.state.getNonce(alice), run.state.exists(recipient)]).toEqual([true, 1n, false]);
  });

  it('caps the price a sender pays at its fee cap', () => {
    expect(effectiveGasPrice({ maxFeePerGas: 8n, maxPriorityFeePerGas: 3n }, 7n)).toBe(8n);
    expect(effectiveGasPrice({ maxFeePerGas: 80n, maxPriorityFeePerGas: 3n }, 7n)).toBe(10n);
  });

  it('charges the floor of EIP-7623 for data that runs nothing', async () => {
    const data = new Uint8Array(1_000).fill(1);
    const receipt = await executeTransaction(context({}), testTransaction({ nonce: 0n, to: recipient, data }), 0n);
    expect(receipt.gasUsed).toBe(21_000n + 1_000n * 40n);
  });

  it('gives back at most a fifth of the gas used (EIP-3529)', async () => {
    // Clears ten slots: 21,000 + 10 * (5,000 + 2 * 3) = 71,060 used, 48,000 counted, 14,212 given back.
    const clearing = Array.from({ length: 10 }, (_, slot) => `5f60${slot.toString(16).padStart(2, '0')}55`).join('');
    const storage: Record<Hex, Hex> = Object.fromEntries(
      Array.from({ length: 10 }, (_, slot) => [`0x0${slot}`, '0x01']),
    );
    const run = context({ [contract]: { code: `0x${clearing}`, storage } });
    const receipt = await executeTransaction(run, testTransaction({ nonce: 0n, to: contract }), 0n);
    const used = 21_000n + 10n * (5_000n + 2n + 3n);
    expect(receipt.gasUsed).toBe(used - used / 5n);
  });

  it('gives back the whole refund where it is less', async () => {
    const run = context({ [contract]: { code: '0x5f5f55', storage: { '0x00': '0x01' } } });
    const receipt = await executeTransaction(run, testTransaction({ nonce: 0n, to: contract }), 0n);
    expect(receipt.gasUsed).toBe(21_000n + 5_000n + 4n - 4_800n);
  });

  it('counts an access list as intrinsic gas and finds its slots warm', async () => {
    const accessList = [{ address: contract, storageKeys: [bytesToHex(new Uint8Array(32))] }];
    const run = context({ [contract]: { code: '0x5f54' } });
    const receipt = await executeTransaction(run, testTransaction({ nonce: 0n, to: contract, accessList }), 0n);
    expect(receipt.gasUsed).toBe(21_000n + 2_400n + 1_900n + 2n + 100n);
  });

  it('keeps the value and the fee of a reverted call apart, and up to 1 KiB of what it returned', async () => {
    // REVERT with 2,000 bytes of memory, the first word ...01.
    const run = context({ [alice]: { balance: '0x989680' }, [contract]: { code: '0x60015f526107d05ffd' } });
    const fees = { maxFeePerGas: 2n, maxPriorityFeePerGas: 2n };
    const receipt = await executeTransaction(run, testTransaction({ nonce: 0n, to: contract, value: 9n, ...fees }), 0n);
    expect(receipt).toMatchObject({ success: false, logs: [] });
    expect(receipt.revertData.length).toBe(1_024);
    expect(receipt.revertData[31]).toBe(1);
    expect(run.state.getBalance(contract)).toBe(0n);
    expect(run.state.getBalance(alice)).toBe(10_000_000n - receipt.gasUsed * 2n);
  });

  it('takes all the gas of a call that fails otherwise', async () => {
    const run = context({ [contract]: { code: '0xfe' } });
    const receipt = await executeTransaction(run, testTransaction({ nonce: 0n, to: contract, gasLimit: 90_000n }), 0n);
    expect(receipt).toMatchObject({ success: false, gasUsed: 90_000n, revertData: new Uint8Array(0) });
  });

  it('names the address of a creation that failed too', async () => {
    const run = context({});
    const data = hexToBytes('0xfe');
    const receipt = await executeTransaction(run, testTransaction({ nonce: 0n, data, gasLimit: 60_000n }), 0n);
    expect(receipt).toMatchObject({ success: false, contractAddress: createAddress(testSuite, alice, 0n) });
  });

  it('throws an InternalExecutionError for what the static checks should have caught', async () => {
    const cases = [
      testTransaction({ nonce: 1n, to: recipient }),
      testTransaction({ nonce: 0n, to: recipient, value: 1n }),
      testTransaction({ nonce: 0n, to: recipient, gasLimit: 20_999n }),
      testTransaction({ nonce: 0n, to: recipient, maxFeePerGas: 1n, maxPriorityFeePerGas: 1n }),
    ];
    for (const transaction of cases) {
      await expect(executeTransaction(context({}), transaction, 0n)).rejects.toBeInstanceOf(InternalExecutionError);
    }
    const belowBaseFee = executeTransaction(context({}, 1n), testTransaction({ nonce: 0n, to: recipient }), 0n);
    await expect(belowBaseFee).rejects.toBeInstanceOf(InternalExecutionError);
  });
});

describe('a module in executeTransaction', () => {
  const marker: Hex = '0xef01';
  const modules = (run: ModuleRunner['run']): ModuleRunner => ({
    ...noModules,
    isModuleCode: (code) => code[0] === 0xef,
    run,
  });
  const allocation = { [contract]: { code: marker, nonce: '0x01' } } as const;

  it('gets the gas that is left after the intrinsic gas, and pays for what it used', async () => {
    const run = context(
      allocation,
      0n,
      modules((host, message) => {
        expect([message.gas, message.caller, message.depth]).toEqual([1_000_000n - 21_016n, alice, 0]);
        host.state.setStorage(contract, 1n, 2n);
        host.state.addLog({ address: contract, topics: [], data: message.input });
        return { status: 'success', gasLeft: message.gas - 777n, output: new Uint8Array(0) };
      }),
    );
    const receipt = await executeTransaction(
      run,
      testTransaction({ nonce: 0n, to: contract, data: hexToBytes('0x01') }),
      0n,
    );
    expect(receipt).toMatchObject({ success: true, gasUsed: 21_016n + 777n });
    expect(receipt.logs).toEqual([{ address: contract, topics: [], data: hexToBytes('0x01') }]);
    expect(run.state.getStorage(contract, 1n)).toBe(2n);
  });

  it('leaves nothing behind when it reverts', async () => {
    const run = context(
      allocation,
      0n,
      modules((host, message) => {
        host.state.setStorage(contract, 1n, 2n);
        host.state.addLog({ address: contract, topics: [], data: message.input });
        return { status: 'revert', gasLeft: message.gas, output: hexToBytes('0xaabb') };
      }),
    );
    const receipt = await executeTransaction(run, testTransaction({ nonce: 0n, to: contract }), 0n);
    expect(receipt).toMatchObject({ success: false, gasUsed: 21_000n, logs: [], revertData: hexToBytes('0xaabb') });
    expect(run.state.getStorage(contract, 1n)).toBe(0n);
  });

  it('may move value to an account and call a module, and is refused a contract and a precompile', async () => {
    const other: Address = `0x${'d0'.repeat(20)}`;
    const precompile: Address = `0x${'00'.repeat(19)}04`;
    const results: string[] = [];
    const run = context(
      { ...allocation, [alice]: { balance: '0x64' }, [other]: { code: '0x00' } },
      0n,
      modules((host, message) => {
        if (message.depth > 0) return { status: 'success', gasLeft: message.gas, output: hexToBytes('0x07') };
        const call = (to: Address, value: bigint, isStatic = false) =>
          host.call({ ...message, kind: 'call', caller: contract, to, codeAddress: to, value, isStatic, depth: 1 });
        results.push(call(recipient, 40n).status, call(contract, 0n).status, call(other, 0n).status);
        results.push(call(precompile, 0n).status, call(recipient, 61n).status, call(recipient, 1n, true).status);
        results.push(host.call({ ...message, kind: 'create', to: undefined, codeAddress: undefined, depth: 1 }).status);
        return { status: 'success', gasLeft: message.gas, output: new Uint8Array(0) };
      }),
    );
    const receipt = await executeTransaction(run, testTransaction({ nonce: 0n, to: contract, value: 100n }), 0n);
    expect(receipt.success).toBe(true);
    expect(results).toEqual(['success', 'success', 'revert', 'revert', 'revert', 'revert', 'revert']);
    expect([run.state.getBalance(contract), run.state.getBalance(recipient)]).toEqual([60n, 40n]);
  });

  it('turns a defect into an InternalExecutionError and never into a receipt', async () => {
    const defect = new TypeError('a bug');
    const run = context(
      allocation,
      0n,
      modules(() => {
        throw defect;
      }),
    );
    const execution = executeTransaction(run, testTransaction({ nonce: 0n, to: contract }), 0n);
    await expect(execution).rejects.toMatchObject({ name: 'InternalExecutionError', cause: defect });
  });
});
