import type { MemberRecord } from '@hanse/modules';
import {
  bytesToHex,
  type Epoch,
  type Genesis,
  type Hash,
  type Hex,
  quorum,
  type Suite,
  statementBytes,
  type Vote,
} from '@hanse/protocol';
import type { EngineState } from '../engine/index.ts';
import type {
  DoubleVoteInformation,
  HealthReport,
  NetworkInformation,
  NodeStatus,
  TransactionSubmitter,
} from '../rpc/dependencies.ts';
import type { LedgerReader } from '../storage/ledgerReader.ts';
import type { Member } from './member.ts';
import { membershipOf } from './ownKeys.ts';

export interface MemberStatusModules {
  readonly name: string;
  readonly version: string;
  readonly genesis: Genesis;
  readonly genesisHash: Hash;
  readonly suite: Suite;
  readonly reader: LedgerReader;
  readonly member: Member;
  /** The public vote keys in the member's folder now. */
  readonly voteKeys: () => readonly Hex[];
}

type Check = HealthReport['checks'][string];

/** What JSON-RPC asks of a member besides the chain: the way into the pool, the network, and how the member is. */
export class MemberStatus {
  readonly submitter: TransactionSubmitter;
  readonly network: NetworkInformation;
  readonly node: NodeStatus;
  readonly #modules: MemberStatusModules;

  constructor(modules: MemberStatusModules) {
    this.#modules = modules;
    this.submitter = this.#createSubmitter();
    this.network = this.#createNetwork();
    this.node = this.#createNode();
  }

  #createSubmitter(): TransactionSubmitter {
    const { member } = this.#modules;
    return {
      submit: async (raw) => {
        const result = await member.submit(raw);
        return result.ok ? result : { ok: false, ...result.rejection };
      },
      get: (hash) => member.pool.get(hash),
      nextNonce: (address) => member.pool.pendingNonce(address),
      onPending: (handler) => {
        member.pool.onAdded(handler);
      },
    };
  }

  #createNetwork(): NetworkInformation {
    const { genesis, genesisHash, reader, member } = this.#modules;
    const { readers } = member;
    return {
      name: genesis.name,
      chainId: BigInt(genesis.chainId),
      suite: genesis.suite,
      genesisHash,
      minGasPrice: BigInt(genesis.parameters.minGasPrice),
      members: () => readers.readMembers(reader.state()).filter(({ active }) => active),
      validators: (epoch: Epoch) => readers.readValidatorSet(reader.state(), epoch),
    };
  }

  #createNode(): NodeStatus {
    const { name, version, suite, member, voteKeys } = this.#modules;
    const state = (): EngineState => member.engine.state();
    return {
      name,
      version,
      cryptography: { ...suite.primitives.implementation },
      epoch: () => state().epoch,
      view: () => state().view,
      validators: () => member.engine.validators.validators.map(({ name }) => name),
      voting: () => state().voting,
      recoveryPending: () => state().recoveryPending?.height,
      membership: () => membershipOf(this.#self()),
      keys: () => ({ voteKey: this.#reigningKey(), voteKeys: voteKeys(), transportKey: member.transportKey }),
      openProposals: () => this.#openProposals(),
      missingRule: () => member.missingRule(),
      peers: () =>
        member.peers.peers().map((peer) => ({
          name: peer.name,
          endpoint: peer.remoteEndpoint ?? peer.endpoints[0] ?? '',
          connected: peer.state === 'connected',
        })),
      syncing: () => {
        const syncing = member.syncing();
        return syncing && { startingHeight: syncing.startHeight, highestHeight: syncing.target };
      },
      pendingTransactions: () => member.pool.size,
      health: () => this.#health(),
      evidence: () => this.#evidence(),
      signedAsFinal: () => state().signedAsFinal,
    };
  }

  #self(): MemberRecord | undefined {
    const { name, reader, member } = this.#modules;
    return member.readers.readMembers(reader.state()).find((record) => record.name === name);
  }

  /** The key that signs in this epoch; undefined if none does. */
  #reigningKey(): Hex | undefined {
    const { self } = this.#modules.member.engine.state();
    return self === undefined ? undefined : this.#modules.member.engine.validators.validators[self]?.voteKey;
  }

  /** By the clock of the chain: that of the newest block. */
  #openProposals(): number {
    const { reader, member } = this.#modules;
    const seconds = reader.header(reader.headHeight())?.header.timestamp ?? 0;
    return member.readers.readOpenProposals(reader.state(), seconds).length;
  }

  #evidence(): readonly DoubleVoteInformation[] {
    const { genesisHash, reader, member } = this.#modules;
    const state = reader.state();
    const show = ({ statement, signature }: Vote) => ({
      kind: statement.kind,
      statement: bytesToHex(statementBytes(genesisHash, statement)),
      signature: bytesToHex(signature),
    });
    return member.evidence.list().map(({ first, second }) => {
      const { epoch, view } = first.statement;
      const { signer } = first;
      const name = member.readers.readValidatorSet(state, epoch)?.validators[signer]?.name;
      const recorded = member.readers.isDoubleVoteRecorded(state, epoch, view, signer);
      return {
        epoch,
        view,
        signer,
        validator: name ?? String(signer),
        first: show(first),
        second: show(second),
        recorded,
      };
    });
  }

  #health(): HealthReport {
    const checks = {
      consensus: this.#consensusCheck(),
      peers: this.#peersCheck(),
      sync: syncCheck(this.#modules.member.syncing()),
      alarms: this.#alarmsCheck(),
    };
    return { healthy: Object.values(checks).every(({ healthy }) => healthy), checks };
  }

  #consensusCheck(): Check {
    const state = this.#modules.member.engine.state();
    const { voting, epoch, view, finalizedHeight } = state;
    if (voting === 'recovery') return { healthy: false, detail: recoveryDetail(state) };
    const detail = `${voting} in epoch ${epoch}, view ${view}; block ${finalizedHeight} is final`;
    return { healthy: voting === 'voting' || voting === 'observer', detail };
  }

  /** Blocks need a quorum: as many others as that takes must be connected. */
  #peersCheck(): Check {
    const { member } = this.#modules;
    const { validators } = member.engine.validators;
    const connected = new Set(member.peers.connected());
    const reached = validators.filter(({ name }) => name === this.#modules.name || connected.has(name)).length;
    const needed = quorum(validators.length);
    return {
      healthy: reached >= needed,
      detail: `${reached} of ${validators.length} validators are reached, ${needed} are needed`,
    };
  }

  #alarmsCheck(): Check {
    const { alarms } = this.#modules.member;
    return { healthy: alarms.isWell, detail: alarms.describe() };
  }
}

/** What a member waits for that confirmed a recovery, and what a person has to do about it. */
export function recoveryDetail({ recoveryPending, finalizedHeight }: EngineState): string {
  const { height, complete } = recoveryPending!;
  if (complete) return `follows without a vote until it has block ${height}, from which the recovery goes on`;
  const promised = `waits for the recovery of block ${height} to be completed, which this member signed: it follows without a vote`;
  return finalizedHeight > height
    ? `${promised}. Block ${finalizedHeight} is final without that recovery: if it is given up, hanse recovery withdraw`
    : promised;
}

/** A member under load is a few blocks behind now and then, for a moment: that is no reason to send its clients elsewhere. */
const SLIGHTLY_BEHIND_BLOCKS = 8;
const SLIGHTLY_BEHIND_MS = 5_000;

/** Whether a member keeps up well enough to answer clients. */
export function syncCheck(syncing: ReturnType<Member['syncing']>): Check {
  if (syncing === undefined) return { healthy: true, detail: 'at the head of the chain' };
  const { height, target, forMs } = syncing;
  const healthy = target - height <= SLIGHTLY_BEHIND_BLOCKS && forMs <= SLIGHTLY_BEHIND_MS;
  return { healthy, detail: `catching up: block ${height} of ${target}` };
}
