export { defaultEngineOptions, type EngineState, type VotingState } from './engineOptions.ts';
export { EPOCH_FAILED, EpochEngines, type EpochEvents, type EpochModules, type MemberBodies } from './epochEngines.ts';
export { splitEpoch, withEpoch } from './epochPayload.ts';
export { type DoubleVote, EvidenceStore } from './evidenceStore.ts';
export type { MemberTransport } from './memberTransport.ts';
export { messageKinds } from './messages.ts';
export type { EngineMetrics } from './metrics.ts';
export { openRecoveryLog, type RecoveryLog } from './recoveryLog.ts';
export { createKeySigner, type KeyUsage, type Signer } from './signer.ts';
