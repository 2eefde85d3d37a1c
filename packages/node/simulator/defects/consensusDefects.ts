import type { Defect, Patch } from './defect.ts';

/** The desk of votes holds no vote back that contradicts another: a defect of the core shows only without this second defence. */
const deskBindsNothing: Patch = {
  file: 'node/src/engine/voteDesk.ts',
  from: 'if (!contradicts) continue;',
  to: 'if (!contradicts || votes.length > 0) continue;',
};

/** Mistakes in the rules of Simplex, packages/consensus/spec.md. */
export const consensusDefects: readonly Defect[] = [
  {
    name: 'a quorum of 2f + 1 at n = 5',
    breaks: 'two quorums share an honest member ("Model")',
    patches: [
      {
        file: 'protocol/src/consensus.ts',
        from: 'return validators - faultBound(validators);',
        to: 'return 2 * faultBound(validators) + 1;',
      },
    ],
    setting: { validators: 5, byzantine: 'equivocating-leader' },
    caughtBy: ['agreement', 'composure'],
  },
  {
    name: 'nullify after finalize',
    breaks: 'never nullify and finalize in one view (T2)',
    patches: [
      deskBindsNothing,
      {
        file: 'consensus/src/timers.ts',
        from: '  if (due) nullify(state, out, round);',
        to: '  if (due) nullify(state, out, round);\n  for (const r of state.rounds.values()) if (r.nullifies.size > state.faults) nullify(state, out, r);',
      },
      {
        file: 'consensus/src/timers.ts',
        from: 'if (!maySign(state, round.view) || round.sentNullify || round.sentFinalize !== undefined) return;',
        to: 'if (!maySign(state, round.view) || round.sentNullify) return;',
      },
    ],
    caughtBy: ['one vote'],
  },
  {
    name: 'finalize after nullify',
    breaks: 'never nullify and finalize in one view (E2)',
    patches: [
      deskBindsNothing,
      {
        file: 'consensus/src/certificates.ts',
        from: 'if (!round.sentNullify && round.sentFinalize === undefined) state.owed.push(view);',
        to: 'if (round.sentFinalize === undefined) state.owed.push(view);',
      },
      {
        file: 'consensus/src/finality.ts',
        from: 'if (round?.notarization === undefined || round.sentNullify || round.sentFinalize !== undefined) return false;',
        to: 'if (round?.notarization === undefined || round.sentFinalize !== undefined) return false;',
      },
    ],
    caughtBy: ['one vote'],
  },
  {
    name: 'two notarize votes in a view',
    breaks: 'one notarize vote a view, for the first proposal (P1, P6)',
    patches: [
      deskBindsNothing,
      {
        file: 'consensus/src/proposals.ts',
        from: 'if (first === undefined || (notarized === digest && first !== digest)) {',
        to: 'if (first !== digest) {\n    round.sentNotarize = undefined;',
      },
    ],
    setting: { byzantine: 'equivocating-leader' },
    caughtBy: ['one vote', 'composure'],
  },
  {
    name: 'a vote across a gap that is not nullified',
    breaks: 'every view between a proposal and its parent is nullified (P2)',
    patches: [
      {
        file: 'consensus/src/proposals.ts',
        from: 'if (gap === undefined) return ACCEPTABLE;',
        to: 'if (gap !== -1) return ACCEPTABLE;',
      },
    ],
    setting: { byzantine: 'forking-leader' },
    caughtBy: ['notarized parents', 'composure', 'agreement'],
  },
  {
    name: 'a vote on a parent that nobody notarized',
    breaks: 'a proposal stands on a notarized one (P2)',
    patches: [
      {
        file: 'consensus/src/proposals.ts',
        from: '      fetchCertificates(state, out, parentView, toView(view - 1), leader);\n      return WAITING;',
        to: '      return ACCEPTABLE;',
      },
    ],
    setting: { validators: 7, byzantine: 'reviving-leader' },
    caughtBy: ['notarized parents'],
  },
  {
    name: 'votes before a lost log is outlived',
    breaks: '"Amnesia"',
    patches: [
      {
        file: 'consensus/src/state.ts',
        from: 'return state.amnesia === undefined || view > amnesiaFloor(state, state.amnesia);',
        to: 'return true;',
      },
    ],
    setting: { faults: ['partitions', 'links', 'crashes', 'lost-logs'] },
    caughtBy: ['one vote'],
  },
  {
    name: 'a lost log that is never outlived',
    breaks: 'a member that lost its log votes again ("Amnesia")',
    patches: [
      {
        file: 'consensus/src/catchUp.ts',
        from: 'if (view > state.view) continue;',
        to: 'if (view > state.view || view > 0) continue;',
      },
    ],
    setting: { faults: ['crashes', 'lost-logs'] },
    caughtBy: ['liveness'],
  },
  {
    name: 'an epoch that ends before its last block is final',
    breaks: 'the epoch is open until its closing block is final ("Epochs")',
    patches: [
      {
        file: 'consensus/src/finality.ts',
        from: 'if (state.finalized.digest === digest && closing !== undefined) state.closed = true;',
        to: 'if (closing !== undefined) state.closed = true;',
      },
    ],
    setting: { governance: 'always' },
    caughtBy: ['liveness'],
  },
  {
    name: 'nothing sent again',
    breaks: 'what others may lack goes out again at intervals (R1)',
    patches: [
      {
        file: 'consensus/src/catchUp.ts',
        from: 'if (due === undefined || state.atMs < due) return;',
        to: 'if (due !== -1) return;',
      },
    ],
    caughtBy: ['liveness'],
  },
  {
    name: 'a delta that never grows',
    breaks: 'views last as long as messages need (T3)',
    patches: [
      {
        file: 'consensus/src/delta.ts',
        from: 'if (state.failedViews > state.faults) {',
        to: 'if (state.failedViews < 0) {',
      },
    ],
    setting: { heights: 3 },
    caughtBy: ['liveness'],
  },
];
