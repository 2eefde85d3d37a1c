import type { Defect } from './defect.ts';

/** Mistakes in what surrounds the core: votes, log, verification, epochs. */
export const engineDefects: readonly Defect[] = [
  {
    name: 'votes sent before they are durable',
    breaks: 'append, await flushed, then send',
    patches: [
      {
        file: 'node/src/engine/voteDesk.ts',
        from: 'await pending.flushed;',
        to: 'pending.flushed.catch(() => undefined);',
      },
    ],
    caughtBy: ['flush before send'],
  },
  {
    name: 'bodies not durable before notarize',
    breaks: 'a notarize vote stands on its proposal with all bodies',
    patches: [
      {
        file: 'node/src/engine/blockPipeline.ts',
        from: 'if (!entry.logged) host.logProposal(entry.message, transactions);',
        to: 'if (!entry.logged) host.logProposal(entry.message, []);',
      },
    ],
    caughtBy: ['flush before send'],
  },
  {
    name: 'votes forgotten at a restart',
    breaks: 'the log binds every later start (S1)',
    patches: [
      {
        file: 'node/src/engine/engineLog.ts',
        from: "if (record.kind === 'amnesia' || epochOf(record) !== epoch || viewOf(record) <= view) continue;",
        to: "if (record.kind !== 'certificate' || epochOf(record) !== epoch || viewOf(record) <= view) continue;",
      },
    ],
    caughtBy: ['one vote', 'composure'],
  },
  {
    name: 'a lost log taken for a first start',
    breaks: '"Amnesia"',
    patches: [
      {
        file: 'node/src/engine/engineLog.ts',
        from: 'const mayHaveVoted = usedBefore || reigns;',
        to: 'const mayHaveVoted = usedBefore && !reigns;',
      },
      // Others remind a member of its votes, and it would find out: a second defence, as is the next.
      {
        file: 'consensus/src/votes.ts',
        from: '      raiseAmnesia(state, out, statement);\n      return;',
        to: '      return;',
      },
      {
        file: 'consensus/src/certificates.ts',
        from: '  raiseAmnesia(state, out, certificate.statement);\n  return false;',
        to: '  return true;',
      },
    ],
    setting: { faults: ['partitions', 'links', 'crashes', 'lost-logs'] },
    caughtBy: ['one vote'],
  },
  {
    name: 'certificates believed without a look at their signatures',
    breaks: 'everything signed is verified before the core sees it',
    patches: [
      {
        file: 'node/src/engine/verification.ts',
        from: 'const verdict = this.#signatures(from, message, signatures);',
        to: 'const verdict: Verdict = GOOD;',
      },
    ],
    setting: { byzantine: 'forger' },
    caughtBy: ['certificate validity', 'agreement', 'composure'],
  },
  {
    name: 'votes believed without a look at their signatures',
    breaks: 'everything signed is verified before the core sees it',
    patches: [
      {
        file: 'node/src/engine/verification.ts',
        from: 'return this.#signatures(from, message, [vote]);',
        to: 'return GOOD;',
      },
    ],
    setting: { byzantine: 'forger' },
    caughtBy: ['certificate validity', 'agreement', 'composure'],
  },
  {
    name: 'a log that is read and not written anew',
    breaks: 'what is read at a start is durable from then on',
    patches: [{ file: 'node/src/engine/writeAheadLog.ts', from: 'else await writeAnew(disk, tail);', to: '' }],
    setting: { faults: ['crashes'] },
    caughtBy: ['flush before send'],
  },
  {
    name: 'a torn record accepted',
    breaks: 'a record counts by its checksum',
    patches: [
      {
        file: 'node/src/engine/writeAheadLog.ts',
        from: 'if (checksum(bytes.subarray(offset, end)) !== header.getUint32(6)) return undefined;',
        to: '',
      },
    ],
    setting: { faults: ['crashes'] },
    caughtBy: ['composure'],
  },
  {
    name: 'a block told as final before it is stored',
    breaks: 'what is told final is stored (F1)',
    patches: [
      {
        file: 'node/src/engine/blockPipeline.ts',
        from: 'blocks = await ledger.finalize(digest, certificate);',
        to: 'const { parentDigest: _, ...block } = this.#modules.store.get(digest)!.proposal;\n        host.applied([{ ...block, digest, blockHash, senders: [], closesEpoch: false }], certificate);\n        blocks = await ledger.finalize(digest, certificate);',
      },
    ],
    caughtBy: ['agreement'],
  },
  {
    name: 'a proposal from the future accepted at once',
    breaks: 'a time more than 500 ms ahead waits ("Time")',
    patches: [{ file: 'node/src/engine/blockPipeline.ts', from: 'if (earlyMs <= 0) break;', to: 'break;' }],
    setting: { byzantine: 'cheating-leader' },
    caughtBy: ['chain rules'],
  },
  {
    name: 'members found by their places in the old set',
    breaks: 'an epoch is decided by its own set ("Epochs")',
    patches: [
      {
        file: 'node/src/engine/epochEngines.ts',
        from: 'this.#transport = new EpochTransport(head.validators, this.#modules.transport);\n    const modules',
        to: 'const modules',
      },
    ],
    setting: { governance: 'always' },
    caughtBy: ['composure', 'liveness'],
  },
  {
    name: 'a log begun only when its key reigns',
    breaks: 'a key that reigns has a log ("Epochs")',
    patches: [
      {
        file: 'node/src/engine/blockPipeline.ts',
        from: 'if (result.closesEpoch) await host.epochCloses();',
        to: '',
      },
      { file: 'node/src/composition/member.ts', from: 'await this.engine.beginLogs();', to: '' },
    ],
    setting: { governance: 'always' },
    caughtBy: ['composure'],
  },
];
