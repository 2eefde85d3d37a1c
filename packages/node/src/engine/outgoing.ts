import type { ProposalMessage } from '@hanse/consensus';
import type { Certificate, Epoch, ValidatorIndex, View, Vote } from '@hanse/protocol';
import type { TransactionBody } from '../chain/ledger.ts';
import {
  encodeCertificateRequest,
  encodeCertificates,
  encodeProposalEnvelope,
  encodeVotes,
  messageKinds,
} from './messages.ts';
import type { PeerDesk } from './peerDesk.ts';
import type { EngineTransport } from './ports.ts';
import type { ProposalStore } from './proposalStore.ts';

export interface OutgoingOptions {
  readonly epoch: Epoch;
  readonly validatorCount: number;
  readonly self: ValidatorIndex | undefined;
  readonly requestTimeoutMs: number;
}

export interface OutgoingModules {
  readonly transport: EngineTransport;
  readonly peers: PeerDesk;
  readonly store: ProposalStore;
}

/** What the engine sends of itself, as messages. Whether it may be sent, and when, is the engine's to know. */
export class Outgoing {
  readonly #options: OutgoingOptions;
  readonly #modules: OutgoingModules;

  constructor(options: OutgoingOptions, modules: OutgoingModules) {
    this.#options = options;
    this.#modules = modules;
  }

  toOne(to: ValidatorIndex, certificates: readonly Certificate[], votes: readonly Vote[]): void {
    this.#pass(certificates, votes, (kind, payload) => this.#modules.transport.send(to, kind, payload));
  }

  toAll(certificates: readonly Certificate[], votes: readonly Vote[]): void {
    this.#pass(certificates, votes, (kind, payload) => this.#modules.transport.broadcast(kind, payload));
  }

  /** Every validator gets the bodies that it is not known to have. */
  proposal(message: ProposalMessage): void {
    const { store, peers, transport } = this.#modules;
    const transactions: readonly TransactionBody[] = store.get(message.digest)?.transactions ?? [];
    for (let to = 0; to < this.#options.validatorCount; to++) {
      if (to === this.#options.self) continue;
      const inline = peers.inlineFor(to, transactions);
      transport.send(to, messageKinds.proposal, encodeProposalEnvelope({ message, inline }));
    }
  }

  /** Asks a validator for certificates; its answer goes to the peer desk unless `isStale` by then. The core asks again, each time somebody else. */
  async fetchCertificates(
    fromView: View,
    toView: View,
    preferred: ValidatorIndex,
    isStale: () => boolean,
  ): Promise<void> {
    const { transport, peers } = this.#modules;
    const { epoch, requestTimeoutMs } = this.#options;
    const request = encodeCertificateRequest({ epoch, fromView, toView });
    const answer = await transport
      .request(preferred, messageKinds.requestCertificates, request, requestTimeoutMs)
      .catch(() => undefined);
    if (answer !== undefined && !isStale()) peers.receiveCertificates(preferred, answer);
  }

  #pass(
    certificates: readonly Certificate[],
    votes: readonly Vote[],
    send: (kind: number, payload: Uint8Array) => void,
  ): void {
    if (certificates.length > 0) send(messageKinds.certificates, encodeCertificates(certificates));
    if (votes.length > 0) send(messageKinds.votes, encodeVotes(votes));
  }
}
