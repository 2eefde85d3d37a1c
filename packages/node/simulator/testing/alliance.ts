import { membersAbi, membersAddress } from '@hanse/modules';
import {
  bytesToHex,
  Epoch,
  type Hash,
  Height,
  type Hex,
  hexToBytes,
  type Recovery,
  type RecoveryPlan,
  recoveryBytes,
  recoveryHash,
} from '@hanse/protocol';
import { decodeErrorResult, encodeFunctionData } from 'viem';
import { expect } from 'vitest';
import { createKeySigner, defaultEngineOptions, openRecoveryLog, type RecoveryLog } from '../../src/engine/index.ts';
import { testAccount, testTransaction } from '../../src/execution/testing/executionFixture.ts';
import { createConsoleLogger } from '../../src/runtime/consoleLogger.ts';
import { openLedger } from '../world/openLedger.ts';
import { ScriptedCluster, type ScriptedClusterOptions } from './scriptedCluster.ts';

type MembersFunction = Extract<(typeof membersAbi)[number], { type: 'function' }>['name'];

/** An alliance whose members govern themselves by transactions, as people would. */
export class Alliance {
  readonly cluster: ScriptedCluster;
  readonly #nonces = new Map<number, number>();
  proposals = 0;

  static async start(options: ScriptedClusterOptions = {}): Promise<Alliance> {
    const cluster = await ScriptedCluster.start(options);
    await cluster.run(2_000);
    return new Alliance(cluster);
  }

  private constructor(cluster: ScriptedCluster) {
    this.cluster = cluster;
  }

  /** Of all members and applicants, by their places. */
  get names(): readonly string[] {
    return this.cluster.setup.names;
  }

  /** Sends a call of a member's account through some member, waits until it is final there, and gives `done` or the name of the error. */
  async call(account: number, functionName: MembersFunction, args: readonly unknown[], through = 0): Promise<string> {
    return this.#outcome(await this.submit(account, functionName, args, through), through);
  }

  /** Sends a call of a member's account through some member, and gives its hash. */
  async submit(account: number, functionName: MembersFunction, args: readonly unknown[], through = 0): Promise<Hash> {
    const data = hexToBytes(encodeFunctionData({ abi: membersAbi, functionName, args } as never));
    return this.#send(account, { to: membersAddress, data }, through);
  }

  /** A payment of nothing, so that blocks are made. */
  async block(through = 0): Promise<void> {
    const hash = await this.#send(40, { to: testAccount(41).address, data: new Uint8Array(0) }, through);
    await this.#outcome(hash, through);
  }

  /** Proposes by the authority's account and has as many others approve as it takes. */
  async decide(functionName: MembersFunction, args: readonly unknown[], voters: readonly number[]): Promise<void> {
    const proposer = voters[0]!;
    expect(await this.call(proposer + 1, functionName, args, proposer)).toBe('done');
    this.proposals += 1;
    for (const voter of voters.slice(1)) {
      const outcome = await this.call(voter + 1, 'vote', [this.proposals, true], voter);
      // The vote before this one decided it.
      if (outcome === 'ProposalClosed') return;
      expect(outcome).toBe('done');
    }
  }

  async declareReady(index: number): Promise<void> {
    const { reader } = this.cluster.running(index);
    const height = reader.headHeight();
    expect(await this.call(index + 1, 'declareReady', [height, reader.header(height)!.hash], index)).toBe('done');
  }

  async promote(index: number, id: number, voters: readonly number[]): Promise<void> {
    await this.declareReady(index);
    await this.decide('proposePromotion', [id], voters);
  }

  /** What `proposeMember` takes for the member of a place; role 1 is an authority, 3 a company. */
  newMember(index: number, role = 3): readonly unknown[] {
    const { names, suite, transportKeys, voteKeys } = this.cluster.setup;
    const { address } = testAccount(index + 1);
    const endpoints = [`${names[index]}:1`];
    return [names[index], role, address, suite.publicKey(voteKeys[index]!), transportKeys[index], endpoints];
  }

  /** The plan by which members 0 and 1 of four go on alone from the head of member 0. */
  plan(changes: Partial<RecoveryPlan> = {}): RecoveryPlan {
    const { reader } = this.cluster.running(0);
    const height = reader.headHeight();
    return {
      format: 1,
      genesisHash: reader.genesisHash()!,
      height,
      blockHash: reader.header(height)!.hash,
      epoch: Epoch(1),
      validators: this.names.slice(0, 2),
      removed: this.names.slice(2, 4),
      reason: 'two machines burnt down',
      ...changes,
    };
  }

  /** The document, with the signatures of those named. */
  recoveryOf(plan: RecoveryPlan, signers: readonly number[]): Recovery {
    const { suite, voteKeys } = this.cluster.setup;
    const signatures = signers.map((index) => ({
      member: this.names[index]!,
      signature: bytesToHex(suite.sign(voteKeys[index]!, recoveryBytes(plan))),
    }));
    return { ...plan, signatures };
  }

  /** What the program does before it signs, for members that do not run: it notes the plan in their log and promises it. */
  async promise(plan: RecoveryPlan, members: readonly number[]): Promise<void> {
    for (const index of members) {
      const log = await this.#openLog(index);
      await this.#awaited(log.note(plan.epoch, recoveryHash(this.cluster.setup.suite, plan)));
      await this.#awaited(log.close());
      this.cluster.machine(index).promises.push(plan);
    }
  }

  /** Members that do not run are given the complete document and started. */
  async restartWith(recovery: Recovery, members: readonly number[]): Promise<void> {
    for (const index of members) this.cluster.machine(index).recoveries.push(recovery);
    for (const index of members) await this.cluster.start(index);
  }

  async #openLog(index: number): Promise<RecoveryLog> {
    const { world, setup } = this.cluster;
    const machine = this.cluster.machine(index);
    if (machine.process !== undefined) throw new Error(`${machine.name} runs, and holds its log open`);
    const { suite, genesisHash, genesis } = setup;
    const { idleBlockIntervalMs, maxBlockTransactions, maxBlockBytes } = genesis.parameters;
    const ledger = openLedger(setup, { store: machine.database.open(), clock: world.clock }, machine);
    const head = await this.#awaited(ledger.finalizedHead());
    const limits = { idleBlockIntervalMs, maxBlockTransactions, maxBlockBytes };
    const signer = createKeySigner(suite, machine.voteKeys[0]!);
    const logger = createConsoleLogger({ level: 'error', format: 'json', sink: { write: () => true }, nowMs: () => 0 });
    const modules = { disk: machine.disk, clock: world.clock, logger };
    return this.#awaited(
      openRecoveryLog({ ...defaultEngineOptions, suite, genesisHash, ...limits }, signer, head, modules),
    );
  }

  /** What takes simulated time passes while the world goes on. */
  async #awaited<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const watched = work.finally(() => {
      done = true;
    });
    await this.cluster.run(10_000, () => done);
    return watched;
  }

  validators(through = 0): readonly string[] {
    return this.cluster.running(through).member.engine.validators.validators.map(({ name }) => name);
  }

  epoch(index: number): number {
    return this.cluster.running(index).member.engine.state().epoch;
  }

  voting(index: number): string {
    return this.cluster.running(index).member.engine.state().voting;
  }

  /** Everybody that runs is at one height with one block, no alarm was raised, nobody told of another block. */
  async expectAgreement(running: readonly number[]): Promise<void> {
    await this.cluster.run(10_000, () => new Set(running.map((index) => this.cluster.heights()[index])).size === 1);
    const heads = running.map((index) => {
      const { reader } = this.cluster.running(index);
      return reader.header(reader.headHeight())!.hash;
    });
    expect(new Set(heads).size).toBe(1);
    expect(this.cluster.forks).toEqual([]);
    expect(running.flatMap((index) => this.cluster.alarms[index])).toEqual([]);
  }

  async #send(account: number, fields: { to: Hex; data: Uint8Array }, through: number): Promise<Hash> {
    const nonce = this.#nonces.get(account) ?? 0;
    this.#nonces.set(account, nonce + 1);
    const { raw, hash } = testTransaction(
      { nonce: BigInt(nonce), gasLimit: 4_000_000n, ...fields },
      testAccount(account),
    );
    expect(await this.cluster.running(through).member.submit(raw)).toMatchObject({ ok: true });
    return hash as Hash;
  }

  /** Waits until a transaction is final at a member. */
  async #outcome(hash: Hash, through: number): Promise<string> {
    const { reader } = this.cluster.running(through);
    await this.cluster.run(60_000, () => reader.findTransaction(hash) !== undefined);
    const place = reader.findTransaction(hash);
    expect(place, `${hash} is final`).toBeDefined();
    await this.cluster.run(100);
    const receipt = reader.receipts(Height(place!.height))![place!.index]!;
    if (receipt.success) return 'done';
    return decodeErrorResult({ abi: membersAbi, data: bytesToHex(receipt.revertData) }).errorName;
  }
}
