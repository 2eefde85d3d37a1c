import { readFileSync } from 'node:fs';
import {
  type Address,
  bytesToHex,
  createAddress,
  encodeErrorReason,
  type Height,
  type Hex,
  hexToBytes,
} from '@hanse/protocol';
import { encodeDeployData, encodeFunctionData } from 'viem';
import { describe, expect, it } from 'vitest';
import { hasSharedData, sharedData } from '../../../../test/sharedData.ts';
import { ManualClock } from '../runtime/manualClock.ts';
import { type CallRequest, CallService, defaultCallOptions } from './callService.ts';
import type { ExecutionRules } from './executionRules.ts';
import {
  type Allocation,
  ExecutionChain,
  initCodeFor,
  noModules,
  testAccount,
  testRules,
  testSuite,
  testTransaction,
} from './testing/executionFixture.ts';
import type { ModuleRunner } from './transactionExecutor.ts';

const alice = testAccount(1).address;
const contract: Address = `0x${'c0'.repeat(20)}`;
const recipient: Address = `0x${'77'.repeat(20)}`;

const request = (fields: Partial<CallRequest>): CallRequest => ({
  from: alice,
  to: contract,
  gas: undefined,
  gasPrice: 0n,
  value: 0n,
  data: new Uint8Array(0),
  accessList: [],
  ...fields,
});

interface ServiceOptions {
  readonly rules?: ExecutionRules;
  readonly modules?: ModuleRunner;
  /** How far the clock goes with each look at it. */
  readonly msPerReading?: number;
}

function serviceOn(
  chain: ExecutionChain,
  { rules = testRules, modules = noModules, msPerReading = 0 }: ServiceOptions = {},
) {
  const clock = new ManualClock();
  let nowMs = 0;
  const service = new CallService(
    { suite: testSuite, rules },
    {
      ledger: {
        refresh: () => {},
        headHeight: () => (chain.blocks.length - 1) as Height,
        header: (height) => chain.blocks[height],
        state: () => chain.state,
      },
      modules,
      scheduledRules: () => [],
      clock: msPerReading === 0 ? clock : { monotonicMs: () => (nowMs += msPerReading) },
    },
  );
  return service;
}

const serviceWith = (allocation: Allocation, options: ServiceOptions = {}) =>
  serviceOn(new ExecutionChain(allocation, options.rules === undefined ? {} : { rules: options.rules }), options);

const precompile = (number: number): Address => `0x${number.toString(16).padStart(40, '0')}`;

/** Input of BLAKE2 F with so many rounds (EIP-152). */
function blake2(rounds: number): Uint8Array {
  const input = new Uint8Array(213);
  new DataView(input.buffer).setUint32(0, rounds);
  return input;
}

const codeAt = (code: Hex): Allocation => ({ [contract]: { code, nonce: '0x01' } });

describe('call', () => {
  it('returns what the code returns, on the newest block', async () => {
    const chain = new ExecutionChain(codeAt('0x5f545f524360205260405ff3')); // slot 0 and NUMBER
    const service = serviceOn(chain);
    expect(await service.call(request({}))).toEqual({ status: 'success', output: new Uint8Array(64) });
    await chain.execute([]);
    const { output } = (await service.call(request({}))) as { output: Uint8Array };
    expect(output[63]).toBe(1);
  });

  it('keeps nothing: neither state nor nonce', async () => {
    const chain = new ExecutionChain(codeAt('0x5f546001015f555f545f5260205ff3')); // slot 0 += 1, returned
    const service = serviceOn(chain);
    for (let i = 0; i < 3; i++) {
      const outcome = await service.call(request({}));
      expect(outcome).toMatchObject({ status: 'success' });
      expect((outcome as { output: Uint8Array }).output[31]).toBe(1);
    }
    expect([chain.state.storage(contract, 0n), chain.state.account(alice)]).toEqual([0n, undefined]);
  });

  it('returns revert data whole', async () => {
    const outcome = await serviceWith(codeAt('0x60075f526107d05ffd')).call(request({}));
    expect(outcome).toMatchObject({ status: 'revert' });
    expect((outcome as { output: Uint8Array }).output.length).toBe(2_000);
  });

  it.each([
    ['an endless loop', '0x5b5f56', /^out of gas$/],
    ['a jump to nowhere', '0x600756', /^invalid jump destination$/],
    ['INVALID', '0xfe', /^invalid opcode$/],
    ['an empty stack', '0x01', /^stack underflow$/],
  ])('says how %s failed', async (_, code, error) => {
    const outcome = await serviceWith(codeAt(code as Hex)).call(request({ gas: 100_000n }));
    expect(outcome).toMatchObject({ status: 'failure', error: expect.stringMatching(error) });
  });

  it('stops an endless loop at its deadline, and goes on', async () => {
    const service = serviceWith(
      { ...codeAt('0x5b5f56'), [recipient]: { code: '0x60055f5260205ff3', nonce: '0x01' } },
      { msPerReading: 1 },
    );
    expect(await service.call(request({}), { gasCap: 50_000_000n, timeoutMs: 50 })).toEqual({ status: 'timeout' });
    expect(await service.estimateGas(request({}), { gasCap: 50_000_000n, timeoutMs: 50 })).toEqual({
      status: 'timeout',
    });
    const next = await service.call(request({ to: recipient }), { gasCap: 50_000_000n, timeoutMs: 50 });
    expect(next).toMatchObject({ status: 'success' });
  });

  it('looks at the clock in every frame, so that calls without jumps end too', async () => {
    // Calls itself as often as it can: no jump destination anywhere.
    const code = `0x${`5f5f5f5f5f305af150`.repeat(50)}` as Hex;
    const outcome = await serviceWith(codeAt(code), { msPerReading: 1 }).call(request({}), {
      gasCap: 50_000_000n,
      timeoutMs: 200,
    });
    expect(outcome).toEqual({ status: 'timeout' });
  });

  it('leaves nothing of a call that was stopped to the next one, transient storage included', async () => {
    // With call data: TSTORE(0, 7), then an endless loop. Without: returns TLOAD(0).
    const service = serviceWith(codeAt('0x3615600d5760075f5d5b6009565b5f5c5f5260205ff3'), {
      msPerReading: 1,
    });
    const options = { gasCap: 50_000_000n, timeoutMs: 50 };
    expect(await service.call(request({ data: Uint8Array.of(1) }), options)).toEqual({ status: 'timeout' });
    expect(await service.call(request({}), options)).toEqual({ status: 'success', output: new Uint8Array(32) });
  });

  it.each<[string, Address, Uint8Array, Uint8Array]>([
    ['rounds of BLAKE2', precompile(9), blake2(1_000), blake2(40_000_000)],
    ['pairings', precompile(8), new Uint8Array(192), new Uint8Array(192 * 1_000)],
    ['pairings on BLS12-381', precompile(0x0f), new Uint8Array(384), new Uint8Array(384 * 1_000)],
  ])('does not begin %s that would take longer than is left', async (_, to, little, much) => {
    const service = serviceWith({});
    const options = { gasCap: 50_000_000n, timeoutMs: 1_000 };
    expect((await service.call(request({ to, data: little }), options)).status).toBe('success');
    expect(await service.call(request({ to, data: much }), options)).toEqual({ status: 'timeout' });
    // Without the gas for it nothing is computed, so the reason is the gas.
    const poor = request({ to, data: much, gas: 25_000_000n });
    if (to === precompile(9))
      expect(await service.call(poor, options)).toEqual({ status: 'failure', error: 'out of gas' });
  });

  it('caps the gas, and gives all of the cap to who asks for none', async () => {
    const service = serviceWith(codeAt('0x5a5f5260205ff3')); // GAS
    const gasIn = async (gas: bigint | undefined) => {
      const outcome = await service.call(request({ gas }), { ...defaultCallOptions, gasCap: 1_000_000n });
      return BigInt(bytesToHex((outcome as { output: Uint8Array }).output));
    };
    expect(await gasIn(undefined)).toBe(1_000_000n - 21_002n);
    expect(await gasIn(10n ** 12n)).toBe(1_000_000n - 21_002n);
    expect(await gasIn(50_000n)).toBe(50_000n - 21_002n);
  });

  it('says why a message cannot begin', async () => {
    const service = serviceWith(codeAt('0x00'), { rules: { ...testRules, baseFeePerGas: 7n } });
    const errorOf = async (fields: Partial<CallRequest>) => (await service.call(request(fields))) as { error: string };
    expect((await errorOf({ gas: 20_000n })).error).toMatch(/^intrinsic gas too low: have 20000, want 21000$/);
    expect((await errorOf({ value: 1n })).error).toMatch(/^insufficient funds for gas \* price \+ value/);
    expect((await errorOf({ gasPrice: 6n })).error).toMatch(/^max fee per gas less than block base fee/);
    expect((await errorOf({ gasPrice: 8n })).error).toMatch(/^insufficient funds for gas \* price \+ value/);
    const initCode = await errorOf({ to: undefined, data: new Uint8Array(49_153) });
    expect(initCode.error).toMatch(/^max initcode size exceeded/);
    expect(await service.call(request({}))).toMatchObject({ status: 'success' });
  });

  it('runs modules and creations', async () => {
    const modules: ModuleRunner = {
      ...noModules,
      isModuleCode: (code) => code[0] === 0xef,
      run: (_, message) => ({ status: 'revert', gasLeft: message.gas, output: encodeErrorReason('no') }),
    };
    const service = serviceWith(codeAt('0xef01'), { modules });
    expect(await service.call(request({}))).toEqual({ status: 'revert', output: encodeErrorReason('no') });
    const created = await service.call(request({ to: undefined, data: hexToBytes(`0x${initCodeFor('6001')}`) }));
    expect(created).toEqual({ status: 'success', output: hexToBytes('0x6001') });
  });

  it('runs concurrent calls one after another, and closes after the last', async () => {
    const service = serviceWith(codeAt('0x345f5260205ff3')); // CALLVALUE
    const outcomes = Promise.all(Array.from({ length: 10 }, () => service.call(request({}))));
    await service.close();
    expect((await outcomes).every(({ status }) => status === 'success')).toBe(true);
  });

  it('rejects with an InternalExecutionError for a defect', async () => {
    const modules: ModuleRunner = { ...noModules, isModuleCode: (code) => code[0] === 0xef };
    const call = serviceWith(codeAt('0xef01'), { modules }).call(request({}));
    await expect(call).rejects.toMatchObject({ name: 'InternalExecutionError' });
  });
});

describe('estimateGas', () => {
  /** Executes the message as a transaction with exactly so much gas. */
  async function succeedsWith(
    allocation: Allocation,
    fields: Partial<CallRequest>,
    gasLimit: bigint,
  ): Promise<boolean> {
    const { to, value, data } = request(fields);
    const { receipts } = await new ExecutionChain(allocation).execute([
      testTransaction({ nonce: 0n, to, value, data, gasLimit }),
    ]);
    return receipts[0]!.success;
  }

  it('says 21,000 for a plain transfer', async () => {
    const service = serviceWith({ [alice]: { balance: '0x64' } });
    expect(await service.estimateGas(request({ to: recipient, value: 5n }))).toEqual({
      status: 'success',
      gas: 21_000n,
    });
  });

  const cases: [string, Hex][] = [
    ['writes a new slot', '0x60015f55'],
    ['clears a slot and earns a refund', '0x5f600155'],
    // Calls with all but a 64th of the gas (EIP-150) and fails if the callee ran out.
    ['needs more than it uses, because of the 64th', `0x5f5f5f5f5f73${'dd'.repeat(20)}5af1602057fe5b00` as Hex],
  ];
  const callee = { [`0x${'dd'.repeat(20)}`]: { code: '0x6001600255' as Hex, nonce: '0x01' as Hex } };

  it.each(cases)('finds enough, and not 2 % too much, for a call that %s', async (_, code) => {
    const allocation = { ...callee, [contract]: { code, nonce: '0x01' as Hex, storage: { '0x01': '0x01' as Hex } } };
    const outcome = await serviceWith(allocation).estimateGas(request({}));
    expect(outcome.status).toBe('success');
    const { gas } = outcome as { gas: bigint };
    expect(await succeedsWith(allocation, {}, gas)).toBe(true);
    expect(await succeedsWith(allocation, {}, (gas * 98n) / 100n)).toBe(false);
  });

  it('covers the floor of EIP-7623', async () => {
    const data = new Uint8Array(1_000).fill(1);
    const outcome = await serviceWith(codeAt('0x00')).estimateGas(request({ data }));
    const { gas } = outcome as { gas: bigint };
    expect(gas).toBeGreaterThanOrEqual(61_000n);
    expect(gas).toBeLessThan(62_000n);
  });

  it('hands on a revert with its data, and a failure with its word', async () => {
    const reverting = serviceWith(codeAt('0x60075f5260205ffd'));
    expect(await reverting.estimateGas(request({}))).toMatchObject({ status: 'revert', output: { length: 32 } });
    const failing = serviceWith(codeAt('0x01'));
    expect(await failing.estimateGas(request({}))).toEqual({ status: 'failure', error: 'stack underflow' });
  });

  it("names the allowance where no gas suffices: the request's, a transaction's, or what the balance buys", async () => {
    const service = serviceWith({ ...codeAt('0x63ffffffff51'), [alice]: { balance: '0x7a120' } }); // 500,000
    expect(await service.estimateGas(request({ gas: 80_000n }))).toEqual({ status: 'allowance', allowance: 80_000n });
    expect(await service.estimateGas(request({}))).toEqual({ status: 'allowance', allowance: 16_777_216n });
    expect(await service.estimateGas(request({ gasPrice: 5n }))).toEqual({ status: 'allowance', allowance: 100_000n });
    expect(await service.estimateGas(request({ gasPrice: 50n }))).toEqual({ status: 'allowance', allowance: 10_000n });
    const capped = await service.estimateGas(request({}), { gasCap: 90_000n, timeoutMs: 1_000 });
    expect(capped).toEqual({ status: 'allowance', allowance: 90_000n });
  });

  it('refuses a value that the sender does not have', async () => {
    const outcome = await serviceWith(codeAt('0x00')).estimateGas(request({ value: 1n }));
    expect(outcome).toMatchObject({ status: 'failure', error: expect.stringMatching(/^insufficient funds/) });
  });

  const artefact = 'contracts/openzeppelin-4.9.6/ERC20PresetFixedSupply.json';
  const isPresent = hasSharedData(artefact, 'Gas of an ERC-20');
  it.skipIf(!isPresent)('suffices for deploying and using an ERC-20 of OpenZeppelin', async () => {
    const { abi, bytecode } = JSON.parse(readFileSync(sharedData(artefact), 'utf8')) as {
      abi: readonly unknown[];
      bytecode: Hex;
    };
    const chain = new ExecutionChain({});
    const service = serviceOn(chain);
    const deploy = hexToBytes(encodeDeployData({ abi, bytecode, args: ['Token', 'TOK', 1_000n, alice] }));
    const token = createAddress(testSuite, alice, 0n);
    const transfer = hexToBytes(encodeFunctionData({ abi, functionName: 'transfer', args: [recipient, 5n] }));
    for (const [nonce, message] of [
      { to: undefined, data: deploy },
      { to: token, data: transfer },
    ].entries()) {
      const outcome = await service.estimateGas(request(message));
      expect(outcome.status).toBe('success');
      const gasLimit = (outcome as { gas: bigint }).gas;
      const { receipts } = await chain.execute([testTransaction({ nonce: BigInt(nonce), ...message, gasLimit })]);
      expect(receipts[0]?.success).toBe(true);
      expect(gasLimit).toBeLessThan((receipts[0]!.gasUsed * 105n) / 100n);
    }
  });
});
