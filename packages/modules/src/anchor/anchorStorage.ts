import { address, bytes32, mapping, struct, uint32, uint48 } from '../storage/storageType.ts';

/** Two slots. `count` is 0 for a single commitment, else the leaves under a root; `time` is in seconds. */
export const recordStruct = struct('Record', {
  account: address,
  member: uint32,
  count: uint32,
  height: uint48,
  time: uint48,
});

/** Append only. */
export const anchorStorage = {
  /** By commitment: the record of the first account that anchored it. */
  first: mapping(bytes32, recordStruct),
  /** By commitment and account: the records of all further ones. */
  further: mapping(bytes32, mapping(address, recordStruct)),
} as const;
