import {
  type Address,
  type CallMessage,
  type CallResult,
  CompiledAbi,
  encodeErrorReason,
  firstRules,
  type Host,
  hexToBytes,
} from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { currencyAddress, moduleAddress } from '../abi/addresses.ts';
import { currencyAbi } from '../abi/currencyAbi.ts';
import { defineModule } from '../defineModule.ts';
import { BEGIN_BLOCK_GAS, GAS } from '../gasSchedule.ts';
import { encodeMarker } from '../marker.ts';
import { nativeModules } from '../nativeModules.ts';
import { uint256 } from '../storage/storageType.ts';
import { describeFailure, TestChain, testAccounts, testAddress, testGenesis, testSuite } from '../testing/testChain.ts';
import { ModuleHost } from './moduleHost.ts';

const { authority, bank, farm } = testAccounts;
const dcny = currencyAddress(1n);
const currency = new CompiledAbi(currencyAbi, testSuite);

const probeAbi = [
  { type: 'function', name: 'count', stateMutability: 'view', inputs: [], outputs: [{ name: '', type: 'uint256' }] },
  { type: 'function', name: 'increase', stateMutability: 'nonpayable', inputs: [], outputs: [] },
  { type: 'function', name: 'nothing', stateMutability: 'nonpayable', inputs: [], outputs: [] },
  {
    type: 'function',
    name: 'callOut',
    stateMutability: 'nonpayable',
    inputs: [
      { name: 'to', type: 'address' },
      { name: 'gas', type: 'uint64' },
    ],
    outputs: [{ name: 'status', type: 'string' }],
  },
  {
    type: 'function',
    name: 'ask',
    stateMutability: 'nonpayable',
    inputs: [{ name: 'to', type: 'address' }],
    outputs: [{ name: 'status', type: 'string' }],
  },
  { type: 'function', name: 'writingView', stateMutability: 'view', inputs: [], outputs: [] },
  { type: 'event', name: 'Increased', inputs: [{ name: 'count', type: 'uint256', indexed: false }] },
] as const;

const probeStorage = { count: uint256, blocks: uint256 } as const;
const probeAddress = moduleAddress(200);

/** What the probe's begin-block hook does; a test sets it. */
let onBeginBlock: (charge: (items: number) => void) => void = () => {};

const probe = defineModule({
  name: 'probe',
  version: 1,
  number: 200,
  kind: 'single',
  abi: probeAbi,
  storage: probeStorage,
  beginBlock(context) {
    context.storage.blocks.set(context.storage.blocks.get() + 1n);
    onBeginBlock((items) => context.chargeItems(items));
  },
  handlers: {
    count: ({ storage }) => storage.count.get(),
    increase(context) {
      const count = context.storage.count.get() + 1n;
      context.storage.count.set(count);
      context.emit('Increased', { count });
    },
    nothing() {},
    callOut(context, to, gas) {
      context.storage.count.set(context.storage.count.get() + 1n);
      return context.call(to, probeCalls.function('increase').encodeCall([]), { gas }).status;
    },
    ask: (context, to) => context.call(to, new Uint8Array(0)).status,
    writingView({ storage }) {
      (storage.count as unknown as { set(value: bigint): void }).set(1n);
    },
  },
});
const probeCalls = new CompiledAbi(probeAbi, testSuite);

const probeChain = () => new TestChain(testGenesis(), [...nativeModules, probe]);
const failureOf = (result: CallResult) => describeFailure(currency as unknown as CompiledAbi, result);

describe('a module in two versions', () => {
  const { handlers, ...first } = probe;
  const second = { ...first, version: 2, handlers: { ...handlers, count: () => 1_000n } };
  const increase = probeCalls.function('increase').encodeCall([]);
  const countOf = (chain: TestChain) => {
    const { output } = chain.send(bank, probeAddress, probeCalls.function('count').encodeCall([]));
    return probeCalls.function('count').decodeResult(output);
  };

  it('runs the one that the rules of the height say, on the same storage', () => {
    const chain = new TestChain(testGenesis(), [...nativeModules, second as never, probe]);
    chain.send(bank, probeAddress, increase);
    expect(countOf(chain)).toBe(1n);
    chain.rules = { of: (feature) => (feature === 'module:probe' ? 2 : 1) };
    expect(countOf(chain)).toBe(1_000n);
    chain.send(bank, probeAddress, increase);
    chain.rules = firstRules;
    expect(countOf(chain)).toBe(2n);
  });

  it('stops a program that lacks the version in force', () => {
    const chain = probeChain();
    chain.rules = { of: (feature) => (feature === 'module:probe' ? 2 : 1) };
    expect(() => chain.send(bank, probeAddress, increase)).toThrow('lacks version 2 of the module probe: upgrade it');
  });
});

describe('module host', () => {
  it('finds modules by marker alone', () => {
    const host = new ModuleHost(testSuite);
    const marker = encodeMarker({ name: 'currency', version: 1 });
    expect(host.moduleAt(marker, firstRules)?.definition.name).toBe('currency');
    expect(host.moduleAt(marker.slice(), firstRules)).toBe(host.moduleAt(marker, firstRules));
    for (const code of ['0x', '0x6000', '0xef0001', '0xef0100aabb', '0xef48414e5345', '0xef48414e53450108']) {
      expect(host.moduleAt(hexToBytes(code), firstRules)).toBeUndefined();
      expect(host.isModuleCode(hexToBytes(code))).toBe(false);
    }
    const later = encodeMarker({ name: 'currency', version: 2 });
    expect(host.isModuleCode(later)).toBe(true);
    expect(() => host.moduleAt(later, firstRules)).toThrow('lacks version 2 of the module currency');
  });

  it('refuses what no module takes: other kinds of call, value, unknown functions, malformed data', () => {
    const chain = new TestChain();
    const transfer = currency.function('transfer').encodeCall([farm, 1n]);
    const before = chain.state.dump();
    const refuse = (input: Uint8Array, options: Partial<CallMessage>, reason: string) => {
      const result = chain.send(bank, dcny, input, options);
      expect([result.status, failureOf(result)]).toEqual(['revert', reason]);
      expect(result.gasLeft).toBeGreaterThan(9_000_000n);
    };
    const ownAccount = 'a module acts on its own account only: use call or staticcall';
    refuse(transfer, { kind: 'delegatecall', to: farm, codeAddress: dcny }, ownAccount);
    refuse(transfer, { kind: 'callcode', to: farm, codeAddress: dcny }, ownAccount);
    refuse(transfer, { to: farm, codeAddress: dcny }, ownAccount);
    refuse(transfer, { value: 1n }, 'a module takes no value');
    refuse(new Uint8Array(0), {}, 'currency has no such function');
    refuse(hexToBytes('0x12345678'), {}, 'currency has no such function');
    refuse(transfer.subarray(0, 67), {}, 'invalid call data: too-short');
    refuse(Uint8Array.of(...transfer, 0), {}, 'invalid call data: trailing-data');
    const dirty = transfer.slice();
    dirty[4] = 1;
    refuse(dirty, {}, 'invalid call data: dirty-padding');
    expect(chain.state.dump()).toEqual(before);
    expect(() => chain.send(bank, testAddress(99), transfer)).toThrow('is not the account of a module');
  });

  it('lets a static call read and not write', () => {
    const chain = new TestChain();
    const balance = currency.function('balanceOf').encodeCall([bank]);
    const issue = currency.function('issue').encodeCall([bank, 5n]);
    const options = { kind: 'staticcall', isStatic: true } as const;
    expect(chain.send(farm, dcny, balance, options).status).toBe('success');
    const result = chain.send(authority, dcny, issue, options);
    expect(result).toMatchObject({ status: 'failure', error: 'write protection', gasLeft: 0n });
    const quiet = probeChain();
    expect(quiet.send(farm, probeAddress, probeCalls.function('nothing').encodeCall([]), options).status).toBe(
      'success',
    );
    expect(() => quiet.send(farm, probeAddress, probeCalls.function('writingView').encodeCall([]))).toThrow('writes');
  });

  it('fails without a trace on every gas limit below the cost, and costs the same on every one above', () => {
    const issue = currency.function('issue').encodeCall([bank, 5n]);
    const run = (gas: bigint) => {
      const chain = new TestChain();
      const before = JSON.stringify(chain.state.dump());
      const result = chain.send(authority, dcny, issue, { gas });
      const touched = JSON.stringify(chain.state.dump()) !== before || chain.logs.length > 0;
      return { status: result.status, gasLeft: result.gasLeft, used: chain.lastGasUsed, touched };
    };
    const { used } = run(10_000_000n);
    for (const above of [0n, 1n, 12_345n]) {
      expect(run(used + above)).toMatchObject({ status: 'success', gasLeft: above, touched: true });
    }
    expect(run(2n ** 200n)).toMatchObject({ status: 'success', used });
    const limits = [0n, 1n, 700n, used / 4n, used / 2n, (used * 3n) / 4n, used - 9n, used - 1n];
    for (const gas of limits) expect(run(gas)).toEqual({ status: 'failure', gasLeft: 0n, used: gas, touched: false });
  });

  it('charges what the schedule says', () => {
    const chain = new TestChain();
    const at = chain.at(currencyAbi, dcny);
    at(authority, 'issue', bank, 100n);
    const word = 32;
    // Base, call data, one read, the result.
    at(bank, 'balanceOf', bank);
    expect(chain.lastGasUsed).toBe(BigInt(GAS.base + 4 + word + GAS.read + word));
    at(bank, 'transfer', farm, 1n);
    const first = chain.lastGasUsed;
    at(bank, 'transfer', farm, 1n);
    // A first holder's wallet and its place in the list are new slots; part of consensus, so frozen here.
    expect([first, chain.lastGasUsed]).toEqual([60_556n, 16_556n]);
  });

  it('gives back the gas of a revert that is not used', () => {
    const chain = new TestChain();
    const result = chain.send(bank, dcny, currency.function('transfer').encodeCall([farm, 1n]), { gas: 5_000n });
    expect(result.status).toBe('revert');
    expect(result.gasLeft).toBe(5_000n - BigInt(GAS.base + 68 + GAS.read + result.output.length));
  });
});

describe('calls of a module', () => {
  const contract = testAddress(50);
  const output = (result: CallResult) => probeCalls.function('callOut').decodeResult(result.output);
  const callOut = (chain: TestChain, to: Address, gas = 1n << 40n) =>
    chain.send(bank, probeAddress, probeCalls.function('callOut').encodeCall([to, gas]), { gas: 1_000_000n });

  it('give at most 63/64 of what is left and pay for what was used', () => {
    const chain = probeChain();
    const seen: CallMessage[] = [];
    chain.contract = (_, message) => {
      seen.push(message);
      return { status: 'success', gasLeft: message.gas - 1_000n, output: new Uint8Array(0) };
    };
    expect(output(callOut(chain, contract, 5_000n))).toBe('success');
    const paid = chain.lastGasUsed;
    expect(seen[0]).toMatchObject({
      kind: 'call',
      caller: probeAddress,
      to: contract,
      gas: 5_000n,
      depth: 1,
      value: 0n,
    });
    callOut(chain, contract);
    const left = 1_000_000n - (chain.lastGasUsed - 1_000n - BigInt(3 * 32));
    expect(seen[1]!.gas).toBe(left - left / 64n);
    expect(paid).toBeGreaterThan(BigInt(GAS.call) + 1_000n);
  });

  it('do not get back in to change the account while it runs, but may look', () => {
    const chain = probeChain();
    const inner: CallResult[] = [];
    chain.contract = (host, message) => {
      const back = {
        ...message,
        caller: contract,
        to: probeAddress,
        codeAddress: probeAddress,
        depth: message.depth + 1,
      };
      inner.push(host.call(back));
      inner.push(
        host.call({ ...back, input: probeCalls.function('count').encodeCall([]), isStatic: true, kind: 'staticcall' }),
      );
      return { status: 'success', gasLeft: 0n, output: new Uint8Array(0) };
    };
    expect(output(callOut(chain, contract))).toBe('success');
    expect(inner[0]).toMatchObject({ status: 'revert', output: encodeErrorReason('re-entrant call') });
    expect(inner[1]).toMatchObject({ status: 'success' });
    // Once the frame is over the account is free again.
    expect(chain.at(probeAbi, probeAddress)(bank, 'increase')).toBeUndefined();
    // A module may not call itself either.
    expect(output(callOut(chain, probeAddress))).toBe('revert');
  });

  it('leave the account free after a mistake of a module', () => {
    const chain = probeChain();
    chain.contract = () => {
      throw new Error('a bug');
    };
    expect(() => callOut(chain, contract)).toThrow('a bug');
    expect(chain.at(probeAbi, probeAddress)(bank, 'increase')).toBeUndefined();
  });

  it('stop at the depth of 1,024 and stay static below a static frame', () => {
    const chain = probeChain();
    const input = probeCalls.function('callOut').encodeCall([contract, 1_000n]);
    expect(output(chain.send(bank, probeAddress, input, { depth: 1_024 }))).toBe('revert');
    const seen: CallMessage[] = [];
    chain.contract = (_: Host, message) => {
      seen.push(message);
      return { status: 'success', gasLeft: message.gas, output: new Uint8Array(0) };
    };
    const ask = probeCalls.function('ask').encodeCall([contract]);
    chain.send(bank, probeAddress, ask);
    chain.send(bank, probeAddress, ask, { kind: 'staticcall', isStatic: true });
    expect(seen.map(({ kind, isStatic }) => [kind, isStatic])).toEqual([
      ['call', false],
      ['staticcall', true],
    ]);
  });
});

describe('begin-block hooks', () => {
  const blocks = (chain: TestChain) => chain.state.getStorage(probeAddress, 1n);

  it('run for the modules of the state, without events', () => {
    onBeginBlock = () => {};
    const chain = probeChain();
    expect(chain.host.beginBlock(chain.frameHost())).toEqual([]);
    expect(blocks(chain)).toBe(1n);
    expect(chain.logs).toHaveLength(0);
    // A state without the module, as before an upgrade.
    const older = new TestChain();
    const host = new ModuleHost(testSuite, [...nativeModules, probe]);
    expect(host.beginBlock(older.frameHost())).toEqual([]);
    expect(blocks(older)).toBe(0n);
  });

  it('are undone and reported when they use more gas than they may', () => {
    const chain = probeChain();
    onBeginBlock = (charge) => charge(BEGIN_BLOCK_GAS / GAS.loopItem + 1);
    expect(chain.host.beginBlock(chain.frameHost())).toEqual([{ module: 'probe', error: 'out of gas' }]);
    expect(blocks(chain)).toBe(0n);
    onBeginBlock = () => {};
  });
});

describe('the genesis', () => {
  it('leaves reserved addresses to the modules', () => {
    const genesis = { ...testGenesis(), alloc: { [moduleAddress(9)]: { balance: '1' } } };
    expect(() => new TestChain(genesis)).toThrow('reserved');
  });

  it('registers an account once', () => {
    const genesis = testGenesis();
    const twice = { ...genesis, accounts: [...genesis.accounts, { address: bank, member: 'farm', mayDeploy: false }] };
    expect(() => new TestChain(twice)).toThrow('stands twice');
  });
});
