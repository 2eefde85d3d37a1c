import type { ProposalMessage } from '@hanse/consensus';
import type { Hash, Height, Proposal, ValidatorIndex, View } from '@hanse/protocol';
import type { ExecutionResult, TransactionBody } from '../chain/ledger.ts';

/** A proposal above the finalized block, with what is known and under way for it. */
export interface ProposalEntry {
  readonly digest: Hash;
  readonly proposal: Proposal;
  /** The newest view in which it was proposed, that view's leader, and the view of its parent's notarization. */
  view: View;
  leader: ValidatorIndex;
  parentView: View;
  /** As its leader sent it; absent for a proposal that this member built and has not signed yet. */
  message: ProposalMessage | undefined;
  readonly firstSeenMs: number;
  /** Bodies at hand, by hash; `addBody` adds to them. */
  readonly bodies: ReadonlyMap<Hash, TransactionBody>;
  /** Roughly what the entry takes in memory. */
  bytes: number;
  /** All bodies in the proposal's order, once they are complete. */
  transactions: readonly TransactionBody[] | undefined;
  /** Inline bodies that are still being verified. */
  accepting: Promise<void>;
  gathering: Promise<readonly TransactionBody[] | undefined> | undefined;
  /** Made by this member: valid without a check, as long as the ledger remembers. */
  built: boolean;
  verdict: Promise<{ readonly valid: boolean; readonly reason?: string } | undefined> | undefined;
  execution: Promise<ExecutionResult | undefined> | undefined;
  result: ExecutionResult | undefined;
  /** Proposal and bodies were appended to the log. */
  logged: boolean;
  /** A certificate or an own vote stands behind it: its bodies are fetched even after its view, and it is not evicted. */
  wanted: boolean;
  /** Who may have its bodies besides its leader. */
  readonly holders: Set<ValidatorIndex>;
}

/**
 * Proposals of one leader that no certificate and no own vote stands behind are kept up to this many, and those of all leaders up to so many
 * bytes: Byzantine leaders cannot fill the memory. An honest leader has one at a time, or as many as views failed in a row.
 */
const MAX_UNWANTED_PER_LEADER = 4;
const MAX_UNWANTED_BYTES = 32 * 1024 * 1024;
/** Finalized proposals that are kept to help members that are a few blocks behind, in number and bytes. */
const MAX_FINALIZED = 32;
const MAX_FINALIZED_BYTES = 8 * 1024 * 1024;

/** Every proposal above the finalized block, and a short tail of finalized ones to serve from. */
export class ProposalStore {
  readonly #entries = new Map<Hash, ProposalEntry>();
  readonly #finalized = new Map<Hash, { readonly entry: ProposalEntry; readonly bytes: number }>();
  #finalizedBytes = 0;

  get(digest: Hash): ProposalEntry | undefined {
    return this.#entries.get(digest);
  }

  /** Like `get`, and also among the newest finalized ones. */
  find(digest: Hash): ProposalEntry | undefined {
    return this.#entries.get(digest) ?? this.#finalized.get(digest)?.entry;
  }

  values(): IterableIterator<ProposalEntry> {
    return this.#entries.values();
  }

  /** The entry of a proposal that arrived or was recovered, made if it is new. */
  put(message: ProposalMessage, nowMs: number): ProposalEntry {
    const { view, parentView } = message.leaderVote.statement;
    const leader = message.leaderVote.signer;
    const known = this.#entries.get(message.digest);
    if (known !== undefined) {
      if (known.message === undefined || view > known.view) Object.assign(known, { message, view, leader, parentView });
      return known;
    }
    const entry = newEntry(message.proposal, message.digest, nowMs, {
      message,
      view,
      leader,
      parentView,
      built: false,
    });
    this.#entries.set(message.digest, entry);
    this.#evict(leader);
    this.trim();
    return entry;
  }

  /** What is held: proposals above the finalized block, finalized ones to serve, and the bytes of both. */
  get size(): { readonly proposals: number; readonly finalized: number; readonly bytes: number } {
    let bytes = this.#finalizedBytes;
    for (const entry of this.#entries.values()) bytes += entry.bytes;
    return { proposals: this.#entries.size, finalized: this.#finalized.size, bytes };
  }

  /** Bodies arrive after their proposal: lets the oldest of the leader go that has the most bytes here, while all together have too many. */
  trim(): void {
    const byLeader = new Map<ValidatorIndex, { bytes: number; entries: ProposalEntry[] }>();
    let total = 0;
    for (const entry of this.#entries.values()) {
      if (entry.wanted) continue;
      const held = byLeader.get(entry.leader) ?? { bytes: 0, entries: [] };
      byLeader.set(entry.leader, held);
      held.bytes += entry.bytes;
      held.entries.push(entry);
      total += entry.bytes;
    }
    while (total > MAX_UNWANTED_BYTES) {
      const most = [...byLeader.values()].reduce((a, b) => (b.bytes > a.bytes ? b : a));
      most.entries.sort((a, b) => a.view - b.view);
      const oldest = most.entries.shift();
      if (oldest === undefined) return;
      this.#entries.delete(oldest.digest);
      most.bytes -= oldest.bytes;
      total -= oldest.bytes;
    }
  }

  /** The entry of a proposal that this member built on a block of `parentView`, with all its bodies. */
  putBuilt(
    proposal: Proposal,
    digest: Hash,
    parentView: View,
    transactions: readonly TransactionBody[],
    nowMs: number,
  ): ProposalEntry {
    const { view, leader } = proposal;
    const entry = newEntry(proposal, digest, nowMs, { message: undefined, view, leader, parentView, built: true });
    entry.transactions = transactions;
    for (const body of transactions) addBody(entry, body);
    this.#entries.set(digest, entry);
    return entry;
  }

  #evict(leader: ValidatorIndex): void {
    const unwanted = [...this.#entries.values()].filter((entry) => !entry.wanted && entry.leader === leader);
    if (unwanted.length <= MAX_UNWANTED_PER_LEADER) return;
    unwanted.sort((a, b) => a.view - b.view);
    this.#entries.delete(unwanted[0]!.digest);
  }

  /** The transactions of a proposal and its unfinalized ancestors, as far as they are held. */
  branchHashes(digest: Hash): ReadonlySet<Hash> {
    const hashes = new Set<Hash>();
    for (
      let entry = this.#entries.get(digest);
      entry !== undefined;
      entry = this.#entries.get(entry.proposal.parentDigest)
    ) {
      for (const hash of entry.proposal.transactionHashes) hashes.add(hash);
    }
    return hashes;
  }

  /** Any body that some proposal here carries. */
  body(hash: Hash): TransactionBody | undefined {
    for (const entry of this.#entries.values()) {
      const body = entry.bodies.get(hash);
      if (body !== undefined) return body;
    }
    for (const { entry } of this.#finalized.values()) {
      const body = entry.bodies.get(hash);
      if (body !== undefined) return body;
    }
    return undefined;
  }

  /**
   * A block of this view and height became final. Blocks up to its height are final or excluded, and so is every other block
   * of a view up to its own; all leave.
   */
  prune(finalized: ReadonlySet<Hash>, view: View, height: Height): void {
    for (const [digest, entry] of this.#entries) {
      if (entry.proposal.height > height && entry.view > view) continue;
      this.#entries.delete(digest);
      if (finalized.has(digest)) this.#keepFinalized(digest, entry);
    }
  }

  #keepFinalized(digest: Hash, entry: ProposalEntry): void {
    // Apart from the entry's own figure, which may still change.
    const { bytes } = entry;
    this.#finalized.set(digest, { entry, bytes });
    this.#finalizedBytes += bytes;
    for (const [oldest, old] of this.#finalized) {
      if (this.#finalized.size <= MAX_FINALIZED && this.#finalizedBytes <= MAX_FINALIZED_BYTES) break;
      this.#finalized.delete(oldest);
      this.#finalizedBytes -= old.bytes;
    }
  }

  clear(): void {
    this.#entries.clear();
  }
}

function newEntry(
  proposal: Proposal,
  digest: Hash,
  firstSeenMs: number,
  origin: Pick<ProposalEntry, 'message' | 'view' | 'leader' | 'parentView' | 'built'>,
): ProposalEntry {
  return {
    digest,
    proposal,
    ...origin,
    firstSeenMs,
    bodies: new Map(),
    // A hash is a text of 66 characters, and stands in the proposal and among the bodies.
    bytes: 1_000 + proposal.transactionHashes.length * 150,
    transactions: undefined,
    accepting: Promise.resolve(),
    gathering: undefined,
    verdict: undefined,
    execution: undefined,
    result: undefined,
    logged: false,
    wanted: origin.built,
    holders: new Set(),
  };
}

/** A body that came for a proposal. */
export function addBody(entry: ProposalEntry, body: TransactionBody): void {
  if (entry.bodies.has(body.hash)) return;
  (entry.bodies as Map<Hash, TransactionBody>).set(body.hash, body);
  entry.bytes += body.raw.length + 200;
}
