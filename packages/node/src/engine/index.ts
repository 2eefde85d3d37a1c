export {
  defaultEngineOptions,
  Engine,
  type EngineModules,
  type EngineOptions,
  type EngineState,
  type VotingState,
} from './engine.ts';
export { messageKinds } from './messages.ts';
export type { EngineMetrics } from './metrics.ts';
export { RequestDenied } from './peerDesk.ts';
export type { EngineBodies, EngineEvents, EngineTransport } from './ports.ts';
export { createKeySigner, type Signer } from './signer.ts';
