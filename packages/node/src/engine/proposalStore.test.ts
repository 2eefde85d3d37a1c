import type { ProposalMessage } from '@hanse/consensus';
import { Epoch, type Hash, Height, View } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { addBody, ProposalStore } from './proposalStore.ts';

const MiB = 1024 * 1024;
const hashOf = (number: number): Hash => `0x${number.toString(16).padStart(64, '0')}`;

/** The proposal number `number` of a leader of 31, for a view that it leads. */
function messageOf(leader: number, view: number, number: number): ProposalMessage {
  const digest = hashOf(number);
  const statement = { kind: 'notarize', epoch: Epoch(0), view: View(view), parentView: View(0), digest } as const;
  return {
    proposal: {
      epoch: Epoch(0),
      view: View(view),
      leader,
      parentDigest: hashOf(0),
      height: Height(1),
      timeMs: number,
      transactionHashes: [],
    },
    digest,
    leaderVote: { statement, signer: leader, signature: new Uint8Array(64) },
    justification: [],
  };
}

/** Puts a proposal with a body of so many bytes. */
function put(store: ProposalStore, leader: number, view: number, number: number, bytes = 0) {
  const entry = store.put(messageOf(leader, view, number), 0);
  addBody(entry, { hash: hashOf(number + 1_000_000), raw: new Uint8Array(bytes), sender: '0x' });
  store.trim();
  return entry;
}

describe('the store of proposals', () => {
  it('keeps the newest few of each leader, and all that a vote or a certificate stands behind', () => {
    const store = new ProposalStore();
    put(store, 1, 1, 100).wanted = true;
    for (let number = 1; number <= 20; number++) put(store, 1, number, number);
    put(store, 2, 2, 200);
    const kept = [...store.values()].map(({ proposal }) => proposal.timeMs);
    expect(kept).toEqual([100, 17, 18, 19, 20, 200]);
  });

  it('lets the leader that takes most room give way when all together take too much', () => {
    const store = new ProposalStore();
    const honest = put(store, 30, 30, 3_000, 2 * MiB);
    for (let leader = 0; leader < 10; leader++)
      for (let number = 0; number < 4; number++)
        put(store, leader, leader + 31 * number, leader * 10 + number + 1, 2 * MiB);
    expect(store.size.bytes).toBeLessThan(36 * MiB);
    expect(store.size.bytes).toBeGreaterThan(28 * MiB);
    expect(store.get(honest.digest)).toBe(honest);
  });

  it('counts what it keeps of finalized ones once, even if bodies arrive later', () => {
    const store = new ProposalStore();
    for (let number = 1; number <= 100; number++) {
      const entry = put(store, 1, number, number, MiB);
      entry.wanted = true;
      store.prune(new Set([entry.digest]), View(number), Height(number));
      addBody(entry, { hash: hashOf(number + 2_000_000), raw: new Uint8Array(MiB), sender: '0x' });
    }
    expect(store.size.proposals).toBe(0);
    expect(store.size.bytes).toBeGreaterThan(0);
    expect(store.size.bytes).toBeLessThanOrEqual(8 * MiB);
    expect(store.size.finalized).toBeLessThanOrEqual(8);
  });
});
