import type { Epoch, Hash, Height } from '@hanse/protocol';
import type { FinalizedHead } from '../chain/ledger.ts';
import { type EngineLogModules, logFolderOf, openEngineLog } from './engineLog.ts';
import type { EngineOptions } from './engineOptions.ts';
import { createEngineMetrics } from './metrics.ts';
import type { Signer } from './signer.ts';

/** What the log of a member that does not run says to a recovery from its head (packages/consensus/spec.md, "Loss of the quorum"). */
export interface RecoveryLog {
  /** The blocks above the head that this member signed as final, ascending. */
  readonly signedAsFinal: readonly { readonly height: Height; readonly blockHash: Hash }[];
  /** A block above the head whose finalization is in the log: the next start brings it into the ledger. */
  readonly finalAbove: Height | undefined;
  /** What this member signed may not all be in the log. */
  readonly lost: boolean;
  /** See `EngineLog.noteRecovery`. */
  note(epoch: Epoch, recovery: Hash): Promise<void>;
  close(): Promise<void>;
}

/** Opens the log of a vote key, or begins one as the next start would. No other process may hold it. Rejects with a WriteAheadLogError. */
export async function openRecoveryLog(
  options: EngineOptions,
  signer: Signer,
  head: FinalizedHead,
  modules: Omit<EngineLogModules, 'metrics'>,
): Promise<RecoveryLog> {
  const folder = logFolderOf(options, signer);
  const opened = await openEngineLog(options, folder, signer, head, { ...modules, metrics: createEngineMetrics() });
  const { votes, certificates, amnesia } = await opened.recover(head);
  const signedAsFinal = votes.flatMap(({ statement }) =>
    statement.kind === 'finalize' && statement.height > head.height
      ? [{ height: statement.height, blockHash: statement.blockHash }]
      : [],
  );
  const final = certificates.flatMap(({ statement }) =>
    statement.kind === 'finalize' && statement.height > head.height ? [statement.height] : [],
  );
  return {
    signedAsFinal: signedAsFinal.sort((a, b) => a.height - b.height),
    finalAbove: final.sort((a, b) => b - a)[0],
    lost: amnesia,
    note: (epoch, recovery) => opened.noteRecovery(epoch, recovery),
    close: () => opened.log.close(),
  };
}
