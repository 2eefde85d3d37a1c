export {
  type Accessor,
  bindStorage,
  clearStorage,
  type FieldAccessors,
  type FieldReaders,
  type Reader,
  readStorage,
  type SlotAccess,
  type SlotReader,
} from './accessors.ts';
export { describeLayout } from './placement.ts';
export { SlotHasher } from './slotHasher.ts';
export { StateSlots, WorldSlots } from './stateSlots.ts';
export {
  address,
  array,
  bool,
  bytes,
  bytes32,
  mapping,
  type StorageFields,
  string,
  struct,
  uint8,
  uint16,
  uint32,
  uint48,
  uint64,
  uint128,
  uint256,
} from './storageType.ts';
