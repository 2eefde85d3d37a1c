import { type Address, genesisDigest, type Hash, type Height, proposalDigest, recoverSender } from '@hanse/protocol';
import type { LedgerReader } from '../../src/storage/ledgerReader.ts';
import type { Machine } from '../world/machine.ts';
import type { ToldBlock } from '../world/memberProcess.ts';
import { START_MS } from '../world/networkSetup.ts';
import type { Checker, CheckerContext } from './checker.ts';
import { EpochSets } from './epochSets.ts';

/**
 * A voter's clock may be ahead by what the clock faults set it to at the most, and the block ahead of that by 500 ms
 * (packages/consensus/spec.md, "Time"); a clock that runs fast adds some.
 */
const MAX_AHEAD_MS = 20_000 + 500 + 2_000;

interface Link {
  readonly digest: Hash;
  readonly timeMs: number;
}

/**
 * What every reader of the chain may rely on, whatever its leaders tried: proposals linked by their digests, each of its view's leader, times
 * that rise and are not far ahead, and transactions of the senders that signed them, without a gap in their nonces.
 */
export class ChainRules implements Checker {
  readonly name = 'chain rules';
  readonly #context: CheckerContext;
  readonly #links: Link[];
  readonly #sets: EpochSets;
  readonly #nonces = new Map<Address, number>();

  constructor(context: CheckerContext) {
    this.#context = context;
    this.#sets = new EpochSets(context.cluster.setup.suite);
    const { suite, genesisHash } = context.cluster.setup;
    this.#links = [{ digest: genesisDigest(suite, genesisHash), timeMs: START_MS }];
  }

  /** Each height once: that all members have the same blocks is another checker's matter. */
  finalized(machine: Machine, blocks: readonly ToldBlock[], reader: LedgerReader): void {
    const last = blocks.at(-1)?.height;
    if (!machine.honest || last === undefined) return;
    // Of some blocks nobody tells: who stored them ended before it could.
    while (this.#links.length <= last) this.#check(machine, this.#links.length, reader);
  }

  #check(machine: Machine, height: number, reader: LedgerReader): void {
    const { suite, genesisHash } = this.#context.cluster.setup;
    const wrong = (reason: string): void =>
      this.#context.report(`block ${height} of ${machine.name} breaks a rule: ${reason}`);
    const stored = reader.proposal(height as Height);
    const header = reader.header(height as Height)?.header;
    const below = this.#links[height - 1]!;
    if (stored === undefined || header === undefined) {
      wrong('it is not there');
      this.#links[height] = below;
      return;
    }
    const { proposal, digest } = stored;
    this.#links[height] = { digest, timeMs: proposal.timeMs };
    const validators = this.#sets.of(proposal.epoch, reader)?.validators ?? [];
    const leader = validators[proposal.view % validators.length];
    const nowMs = this.#context.cluster.clock.nowMs();
    if (proposalDigest(suite, genesisHash, proposal) !== digest) wrong('its digest is of another proposal');
    if (proposal.parentDigest !== below.digest) wrong('it does not stand on the block below');
    if (proposal.height !== height) wrong(`its proposal is of height ${proposal.height}`);
    if (leader === undefined) wrong(`the state knows no epoch ${proposal.epoch}`);
    else if (validators[proposal.leader] !== leader || header.beneficiary !== leader.address)
      wrong(`its view ${proposal.view} of epoch ${proposal.epoch} is led by ${leader.name}`);
    if (proposal.timeMs <= below.timeMs) wrong('its time is not after that of the block below');
    if (proposal.timeMs > nowMs + MAX_AHEAD_MS) wrong(`its time is ${proposal.timeMs - nowMs} ms ahead`);
    if (header.timestamp !== Math.floor(proposal.timeMs / 1_000)) wrong('its header has another time');
    for (const transaction of reader.transactions(height as Height) ?? []) {
      const { sender, nonce, hash } = transaction;
      if (recoverSender(transaction, suite) !== sender) wrong(`${hash} is not signed by ${sender}`);
      const next = this.#nonces.get(sender) ?? 0;
      if (Number(nonce) !== next) wrong(`${hash} has nonce ${nonce} where ${next} is the next of ${sender}`);
      this.#nonces.set(sender, Number(nonce) + 1);
    }
  }
}
