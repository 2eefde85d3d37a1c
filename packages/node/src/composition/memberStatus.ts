import { type Epoch, type Genesis, type Hash, quorum, type Suite } from '@hanse/protocol';
import type { EngineState } from '../engine/index.ts';
import type { HealthReport, NetworkInformation, NodeStatus, TransactionSubmitter } from '../rpc/dependencies.ts';
import type { LedgerReader } from '../storage/ledgerReader.ts';
import type { Member } from './member.ts';

export interface MemberStatusModules {
  readonly name: string;
  readonly version: string;
  readonly genesis: Genesis;
  readonly genesisHash: Hash;
  readonly suite: Suite;
  readonly reader: LedgerReader;
  readonly member: Member;
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
    const { name, version, suite, member } = this.#modules;
    const state = (): EngineState => member.engine.state();
    return {
      name,
      version,
      cryptography: { ...suite.primitives.implementation },
      epoch: () => state().epoch,
      view: () => state().view,
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
    };
  }

  #health(): HealthReport {
    const checks = {
      consensus: this.#consensusCheck(),
      peers: this.#peersCheck(),
      sync: this.#syncCheck(),
      alarms: this.#alarmsCheck(),
    };
    return { healthy: Object.values(checks).every(({ healthy }) => healthy), checks };
  }

  #consensusCheck(): Check {
    const { voting, epoch, view, finalizedHeight } = this.#modules.member.engine.state();
    const detail = `${voting} in epoch ${epoch}, view ${view}; block ${finalizedHeight} is final`;
    return { healthy: voting === 'voting' || voting === 'observer', detail };
  }

  /** Blocks need a quorum: as many others as that takes must be connected. */
  #peersCheck(): Check {
    const { member, reader } = this.#modules;
    const { epoch } = member.engine.state();
    const validators = member.readers.readValidatorSet(reader.state(), epoch)?.validators ?? [];
    const connected = new Set(member.peers.connected());
    const reached = validators.filter(({ name }) => name === this.#modules.name || connected.has(name)).length;
    const needed = quorum(validators.length);
    return {
      healthy: reached >= needed,
      detail: `${reached} of ${validators.length} validators are reached, ${needed} are needed`,
    };
  }

  #syncCheck(): Check {
    const syncing = this.#modules.member.syncing();
    return {
      healthy: syncing === undefined,
      detail:
        syncing === undefined
          ? 'at the head of the chain'
          : `catching up: block ${syncing.height} of ${syncing.target}`,
    };
  }

  #alarmsCheck(): Check {
    const { count, last } = this.#modules.member.alarms;
    return {
      healthy: last === undefined,
      detail: last === undefined ? 'none' : `${count}, the last: ${last.kind}: ${last.detail}`,
    };
  }
}
