import {
  type Address,
  CompiledAbi,
  type GenesisMember,
  type Hex,
  type MemberRole,
  parseGenesis,
  type Validator,
} from '@hanse/protocol';
import { membersAddress } from '../abi/addresses.ts';
import { roleCodes } from '../abi/memberCodes.ts';
import { membersAbi } from '../abi/membersAbi.ts';
import { TestChain, testBlockHash, testSuite } from './testChain.ts';

/** A member to be, with the private half of its vote key. */
export interface TestMember {
  readonly name: string;
  readonly role: MemberRole;
  readonly account: Address;
  readonly votePrivateKey: Uint8Array;
  readonly voteKey: Hex;
  readonly transportKey: Hex;
}

const events = new CompiledAbi(membersAbi, testSuite);
const made = new Map<number, Pick<TestMember, 'account' | 'votePrivateKey' | 'voteKey' | 'transportKey'>>();

/** Keys and an account that nobody else has; the same for the same number. */
export function testKeys(number: number) {
  const known = made.get(number);
  if (known !== undefined) return known;
  const votePrivateKey = new Uint8Array(32);
  new DataView(votePrivateKey.buffer).setUint32(28, number + 1000);
  const keys = {
    account: `0x${number.toString(16).padStart(8, '0').padStart(40, 'c')}` as Address,
    votePrivateKey,
    voteKey: testSuite.publicKey(votePrivateKey),
    transportKey: `0x${number.toString(16).padStart(8, '0').padStart(64, 'd')}` as Hex,
  };
  made.set(number, keys);
  return keys;
}

export const testMember = (number: number, role: MemberRole = 'company'): TestMember => ({
  name: `member-${number}`,
  role,
  ...testKeys(number),
});

export interface AllianceOptions {
  /** The roles of the validators, which are members 1, 2, ... */
  readonly validators?: readonly MemberRole[];
  /** The roles of the observers, which follow. */
  readonly observers?: readonly MemberRole[];
  /** The genesis section. */
  readonly governance?: unknown;
}

/** A chain of members that decide; unless a test says otherwise an authority, a bank and two companies, all validators. */
export class TestAlliance {
  readonly chain: TestChain;
  /** The module's functions. */
  readonly call;

  constructor({
    validators = ['authority', 'bank', 'company', 'company'],
    observers = [],
    governance,
  }: AllianceOptions = {}) {
    const members = [...validators, ...observers].map((role, index): GenesisMember => {
      const { name, account, voteKey, transportKey } = testMember(index + 1, role);
      const endpoints = [`${name}.example:9000`];
      return { name, role, validator: index < validators.length, address: account, voteKey, transportKey, endpoints };
    });
    const genesis = {
      format: 1,
      name: 'alliance',
      chainId: 1337,
      suite: 'international',
      timeMs: 1_700_000_000_000,
      members,
      ...(governance === undefined ? {} : { governance }),
    };
    this.chain = new TestChain(parseGenesis(genesis));
    this.call = this.chain.at(membersAbi, membersAddress);
  }

  /** The own account of a member, by its number, as the state has it. */
  account(member: number): Address {
    return this.call(membersAddress, 'getMember', member).account;
  }

  /** The names of the events of the last call that emitted any. */
  get events(): readonly string[] {
    return this.chain.emitted.map((log) => events.eventByTopic(log.topics[0]!)!.item.name);
  }

  /** The values of the events of that name among them. */
  eventsNamed(name: string): readonly object[] {
    return this.chain.emitted.flatMap((log) => {
      const event = events.eventByTopic(log.topics[0]!)!;
      return event.item.name === name ? [event.decode(log)] : [];
    });
  }

  nextBlock(blocks = 1): void {
    this.chain.height += blocks;
  }

  /** Has members approve until the proposal is no more open; gives its state. */
  approve(proposal: number, ...members: readonly number[]): number {
    for (const member of members) {
      if (this.state(proposal) !== 1) break;
      this.call(this.account(member), 'vote', proposal, true);
    }
    return this.state(proposal);
  }

  state(proposal: number): number {
    return this.call(membersAddress, 'getProposal', proposal).state;
  }

  propose(by: number, { name, role, account, voteKey, transportKey }: TestMember): number {
    const endpoints = [`${name}.example:9000`];
    return this.call(
      this.account(by),
      'proposeMember',
      name,
      roleCodes[role],
      account,
      voteKey,
      transportKey,
      endpoints,
    );
  }

  /** The member declares itself ready for the block below. */
  declareReady(member: number): void {
    const height = this.chain.height - 1;
    this.call(this.account(member), 'declareReady', height, testBlockHash(height));
  }

  /** The validators of the current epoch. */
  validators(): readonly Validator[] {
    const { readers, state } = this.chain;
    return readers.readValidatorSet(state, readers.readEpoch(state))!.validators;
  }
}
