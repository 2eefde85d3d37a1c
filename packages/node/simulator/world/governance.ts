import { type MemberRecord, ModuleReaders, membersAbi, membersAddress } from '@hanse/modules';
import { bytesToHex, CompiledAbi, type Epoch, faultBound, type Height } from '@hanse/protocol';
import type { LedgerReader } from '../../src/storage/ledgerReader.ts';
import type { Cluster, Observer } from './cluster.ts';
import type { Machine } from './machine.ts';
import type { ToldBlock } from './memberProcess.ts';
import { simulatedKey } from './networkSetup.ts';
import { SimulationRandom } from './simulationRandom.ts';
import type { Workload } from './workload.ts';

export interface GovernanceOptions {
  readonly seed: number;
  readonly note: (what: string) => void;
}

/** A key's number names its use in the simulation; further ones of members count from here. */
const FURTHER_KEYS = 10;
const EXPOSING_PERCENT = 15;

/**
 * The members as people who change who decides and by which keys: observers are promoted, validators step back, keys are replaced. They
 * act by transactions like all clients, through members that may fail meanwhile. The set never becomes so small that it bears fewer faulty
 * members than at the start. In most runs nobody asks a Byzantine validator to step back: outside the set it can do nothing, and a run without a
 * traitor in the set tries less than it seems to.
 */
export class Governance implements Observer {
  readonly #cluster: Cluster;
  readonly #workload: Workload;
  readonly #options: GovernanceOptions;
  readonly #random: SimulationRandom;
  readonly #readers: ModuleReaders;
  readonly #abi: CompiledAbi<typeof membersAbi>;
  readonly #created: string;
  /** Whether Byzantine validators may be made to step back, of which some runs are: what they signed before still goes about. */
  readonly #exposesTraitors: boolean;
  /** Validators whose stepping back was proposed: it may come to pass at any time. */
  readonly #leaving = new Set<number>();
  #ended = false;
  #readUpTo = 0;
  #keys = 0;
  /** Epochs that members entered. */
  epochs = 0 as Epoch;

  constructor(cluster: Cluster, workload: Workload, options: GovernanceOptions) {
    const { suite } = cluster.setup;
    this.#cluster = cluster;
    this.#workload = workload;
    this.#options = options;
    this.#random = new SimulationRandom(options.seed, 'governance');
    this.#readers = new ModuleReaders(suite);
    this.#abi = new CompiledAbi(membersAbi, suite);
    this.#exposesTraitors = this.#random.chance(EXPOSING_PERCENT);
    this.#created = this.#abi.event('ProposalCreated').topic;
  }

  start(): void {
    this.#cluster.clock.schedule(this.#random.milliseconds(200, 2_500), () => {
      if (this.#ended) return;
      this.#act();
      this.start();
    });
  }

  /** No new proposals; what was proposed may still pass. */
  end(): void {
    this.#ended = true;
  }

  finalized(machine: Machine, blocks: readonly ToldBlock[], reader: LedgerReader): void {
    if (!machine.honest) return;
    for (const { height } of blocks) {
      if (height <= this.#readUpTo) continue;
      this.#readUpTo = height;
      for (const receipt of reader.receipts(height as Height) ?? []) {
        for (const { address, topics } of receipt.logs) {
          if (address === membersAddress && topics[0] === this.#created) this.#vote(Number(BigInt(topics[1]!)), reader);
        }
      }
    }
    this.epochs = this.#readers.readEpoch(reader.state());
  }

  #act(): void {
    const reader = this.#reader();
    if (reader === undefined) return;
    const members = this.#readers.readMembers(reader.state()).filter(({ active }) => active);
    const acts = [
      () => this.#promote(members, reader),
      () => this.#promote(members, reader),
      () => this.#demote(members),
      () => this.#rotateVoteKey(members),
      () => this.#rotateTransportKey(members),
    ];
    this.#random.pick(acts)();
  }

  /** An observer says that it follows, and some member proposes it; the declaration may come to stand behind the proposal. */
  #promote(members: readonly MemberRecord[], reader: LedgerReader): void {
    const observers = members.filter(({ validator }) => !validator);
    if (observers.length === 0) return;
    const observer = this.#random.pick(observers);
    const height = reader.headHeight();
    const hash = reader.header(height)?.hash;
    if (hash === undefined) return;
    this.#note(`${observer.name} declares that it is ready, and is proposed`);
    this.#call(observer.id, 'declareReady', [height, hash]);
    this.#call(this.#random.pick(members).id, 'proposePromotion', [observer.id]);
  }

  #demote(members: readonly MemberRecord[]): void {
    const validators = members.filter(({ validator }) => validator);
    for (const id of this.#leaving) if (!validators.some((validator) => validator.id === id)) this.#leaving.delete(id);
    const staying = validators.filter(({ id }) => !this.#leaving.has(id));
    if (faultBound(staying.length - 1) < faultBound(this.#cluster.setup.validators)) return;
    const asked = this.#exposesTraitors ? staying : staying.filter((validator) => this.#isHonest(validator));
    if (asked.length === 0) return;
    const validator = this.#random.pick(asked);
    this.#leaving.add(validator.id);
    this.#note(`${validator.name} is to step back`);
    this.#call(this.#random.pick(members).id, 'proposeDemotion', [validator.id]);
  }

  #rotateVoteKey(members: readonly MemberRecord[]): void {
    const member = this.#random.pick(members);
    const key = this.#newKey(member.id);
    const { suite } = this.#cluster.setup;
    // First the key, then the word: a member must never be told to sign with what it has not.
    for (const machine of this.#machinesOf(member)) machine.voteKeys.push(key);
    this.#note(`${member.name} replaces its vote key`);
    this.#call(member.id, 'rotateVoteKey', [suite.publicKey(key)]);
  }

  #rotateTransportKey(members: readonly MemberRecord[]): void {
    const member = this.#random.pick(members);
    const key = bytesToHex(this.#newKey(member.id));
    for (const machine of this.#machinesOf(member)) this.#cluster.network.addKey(machine.member, key);
    this.#note(`${member.name} replaces its transport key`);
    this.#call(member.id, 'rotateTransportKey', [key]);
  }

  /** Everybody approves what was proposed, each when it comes to it. */
  #vote(proposal: number, reader: LedgerReader): void {
    const members = this.#readers.readMembers(reader.state()).filter(({ active }) => active);
    for (const { id } of members) {
      this.#cluster.clock.schedule(this.#random.milliseconds(5, 800), () =>
        this.#call(id, 'vote', [proposal, this.#random.chance(90)]),
      );
    }
  }

  #call(
    member: number,
    name: 'declareReady' | 'proposePromotion' | 'proposeDemotion' | 'rotateVoteKey' | 'rotateTransportKey' | 'vote',
    values: readonly unknown[],
  ): void {
    const data = this.#abi.function(name).encodeCall(values as never);
    // A member's account has the number of its place in the genesis, from 1 on, which is its id.
    this.#workload.act(member, membersAddress, data);
  }

  #newKey(member: number): Uint8Array {
    this.#keys += 1;
    return simulatedKey(FURTHER_KEYS + this.#keys, member);
  }

  #isHonest(member: MemberRecord): boolean {
    return this.#machinesOf(member).every(({ honest }) => honest);
  }

  #machinesOf({ name }: MemberRecord): readonly Machine[] {
    const place = this.#cluster.setup.names.indexOf(name);
    return this.#cluster.machines.filter(({ member }) => member === place);
  }

  /** What the most advanced honest member reads. */
  #reader(): LedgerReader | undefined {
    const readers = this.#cluster.honest.flatMap(({ process }) =>
      process?.state === 'running' ? [process.reader!] : [],
    );
    return readers.sort((a, b) => b.headHeight() - a.headHeight())[0];
  }

  #note(what: string): void {
    this.#options.note(what);
  }
}
