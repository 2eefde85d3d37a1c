export * from './abi/index.ts';
export { anchorModule } from './anchor/anchorModule.ts';
export { currencyFactoryModule } from './currency/currencyFactoryModule.ts';
export { currencyModule } from './currency/currencyModule.ts';
export * from './defineModule.ts';
export { BEGIN_BLOCK_GAS, GAS } from './gasSchedule.ts';
export { decodeMarker, encodeMarker, type Marker } from './marker.ts';
export type { Permissions } from './members/membership.ts';
export { membersModule } from './members/membersModule.ts';
export type { ScheduledRule } from './members/rules.ts';
export {
  type CurrencyRecord,
  type MemberRecord,
  ModuleReaders,
  type OpenProposal,
  type StorageReader,
  type SupplyReport,
} from './moduleReaders.ts';
export { nativeModules } from './nativeModules.ts';
export { CompiledModule, type ModuleSuite } from './runtime/compiledModule.ts';
export { ModuleFrame } from './runtime/moduleFrame.ts';
export { type HookFailure, ModuleHost } from './runtime/moduleHost.ts';
export { RevertSignal } from './runtime/signals.ts';
export * from './storage/index.ts';
