import {
  type Address,
  bytesToHex,
  type CallMessage,
  type CallResult,
  CompiledAbi,
  createInternationalSuite,
  decodeRevertReason,
  firstRules,
  type Genesis,
  type GenesisMember,
  type Hash,
  type Host,
  type Log,
  numberToBytes,
  type ParameterValues,
  parseGenesis,
  portablePrimitives,
  type ResultValue,
  type RuleVersions,
  readSelector,
} from '@hanse/protocol';
import type { Abi, ExtractAbiFunction, ExtractAbiFunctionNames } from 'abitype';
import type { NativeModule } from '../defineModule.ts';
import { ModuleReaders } from '../moduleReaders.ts';
import { nativeModules } from '../nativeModules.ts';
import { ModuleHost } from '../runtime/moduleHost.ts';
import { MemoryState } from './memoryState.ts';

export const testSuite = createInternationalSuite(portablePrimitives);

export const testGenesisHash = testSuite.hashHex(Uint8Array.of(0));

/** The hash of a block below the one being made. */
export const testBlockHash = (height: number): Hash => testSuite.hashHex(numberToBytes(height + 1));

/** An address that ends in this number. */
export const testAddress = (number: number): Address => `0x${number.toString(16).padStart(40, 'a')}`;

export const testAccounts = {
  authority: testAddress(1),
  bank: testAddress(2),
  farm: testAddress(3),
  market: testAddress(4),
  /** Registered by the bank, without the right to deploy. */
  alice: testAddress(5),
  /** Registered by the farm, with the right to deploy. */
  bob: testAddress(6),
  stranger: testAddress(7),
} as const;

/** Four members, of which the last is no validator, two accounts and the currency DCNY. */
export function testGenesis(accounts: 'registered' | 'open' = 'registered'): Genesis {
  const { authority, bank, farm, market, alice, bob } = testAccounts;
  const roles = { authority, bank, farm, market };
  const members = Object.entries(roles).map(
    ([name, address], i): GenesisMember => ({
      name,
      role: name === 'authority' || name === 'bank' ? name : 'company',
      validator: name !== 'market',
      address,
      voteKey: testSuite.publicKey(Uint8Array.of(...new Array(31).fill(0), i + 1)),
      transportKey: `0x${String(i + 1).padStart(64, '0')}`,
      endpoints: [`${name}.example:30${i}00`, `[2001:db8::${i}]:9000`],
    }),
  );
  return parseGenesis({
    format: 1,
    name: 'test',
    chainId: 1337,
    suite: 'international',
    timeMs: 1_700_000_000_000,
    parameters: { accounts, minGasPrice: '7' },
    members,
    accounts: [
      { address: alice, member: 'bank', mayDeploy: false },
      { address: bob, member: 'farm', mayDeploy: true },
    ],
    currencies: [{ symbol: 'DCNY', name: 'Digital yuan', decimals: 2, authority: 'authority' }],
  });
}

/** Compiled once: a host keeps nothing of a chain. */
const nativeHost = new ModuleHost(testSuite);

/** The modules over a state in memory, called as transactions call them. */
export class TestChain {
  readonly state = new MemoryState(testSuite);
  readonly readers = new ModuleReaders(testSuite);
  readonly host: ModuleHost;
  height = 1;
  /** What governance has scheduled for this height. */
  rules: RuleVersions = firstRules;
  /** Block time beyond a second a block. */
  extraSeconds = 0;
  /** What calls to accounts without module give, for modules that call contracts. */
  contract: (host: Host, message: CallMessage) => CallResult = (_, { gas }) => ({
    status: 'success',
    gasLeft: gas,
    output: new Uint8Array(0),
  });
  lastGasUsed = 0n;
  /** The logs of the last transaction that had any. */
  emitted: readonly Log[] = [];

  constructor(genesis: Genesis = testGenesis(), modules: readonly NativeModule[] = nativeModules) {
    this.host = modules === nativeModules ? nativeHost : new ModuleHost(testSuite, modules);
    this.host.initializeGenesis(this.state, genesis);
  }

  /** Seconds since 1970 of the block being made. */
  get timestamp(): number {
    return 1_700_000_000 + this.height + this.extraSeconds;
  }

  get logs(): readonly Log[] {
    return this.state.logs;
  }

  /** What a frame sees of the chain. */
  frameHost(): Host {
    const { state, height } = this;
    const self: Host = {
      state,
      block: {
        chainId: 1337n,
        genesisHash: testGenesisHash,
        height,
        timestamp: this.timestamp,
        beneficiary: testAccounts.authority,
        gasLimit: 60_000_000n,
        baseFeePerGas: 0n,
        prevRandao: `0x${'00'.repeat(32)}`,
        rules: this.rules,
        blockHash: (asked) => (asked < height && asked >= height - 256 ? testBlockHash(asked) : undefined),
      },
      transaction: { origin: testAccounts.authority, gasPrice: 0n },
      call: (message) => {
        const isModule = this.host.moduleAt(state.getCode(message.to!), this.rules) !== undefined;
        return isModule ? this.host.run(self, message) : this.contract(self, message);
      },
    };
    return self;
  }

  /** Runs call data as a transaction of its own. */
  send(from: Address, to: Address, input: Uint8Array, options: Partial<CallMessage> = {}): CallResult {
    this.state.beginTransaction();
    const gas = options.gas ?? 10_000_000n;
    const result = this.host.run(this.frameHost(), {
      kind: 'call',
      caller: from,
      to,
      codeAddress: to,
      value: 0n,
      input,
      gas,
      isStatic: false,
      depth: 0,
      ...options,
    });
    this.lastGasUsed = gas - result.gasLeft;
    if (this.logs.length > 0) this.emitted = [...this.logs];
    return result;
  }

  /** The functions of an ABI at an address, typed; a call that fails throws its reason or the name of its error. */
  at<const Items extends Abi>(abi: Items, to: Address) {
    const compiled = new CompiledAbi(abi, testSuite);
    return <Name extends ExtractAbiFunctionNames<Items>>(
      from: Address,
      name: Name,
      ...values: ParameterValues<ExtractAbiFunction<Items, Name>['inputs']> extends infer Values extends
        readonly unknown[]
        ? Values
        : never
    ): ResultValue<ExtractAbiFunction<Items, Name>['outputs']> => {
      const codec = compiled.function(name);
      const result = this.send(from, to, codec.encodeCall(values as never));
      if (result.status !== 'success') throw new Error(describeFailure(compiled as unknown as CompiledAbi, result));
      return codec.decodeResult(result.output);
    };
  }
}

/** `Name(values)` of a custom error, the reason of a revert, or the words of a failure. */
export function describeFailure(abi: CompiledAbi, result: CallResult): string {
  if (result.status === 'failure') return `failure: ${result.error}`;
  const custom = abi.errorBySelector(readSelector(result.output) ?? -1);
  if (custom !== undefined) return `${custom.item.name}(${custom.decode(result.output).join(', ')})`;
  const reason = decodeRevertReason(result.output);
  return reason.kind === 'error' ? reason.reason : `${reason.kind} ${bytesToHex(result.output)}`;
}
