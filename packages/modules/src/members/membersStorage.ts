import {
  address,
  array,
  bool,
  bytes,
  mapping,
  string,
  struct,
  uint8,
  uint32,
  uint48,
  uint64,
  uint128,
} from '../storage/storageType.ts';

/** Two slots that every block reads; see `GenesisParameters` for units. */
export const parametersStruct = struct('Parameters', {
  blockGasLimit: uint48,
  maxTransactionGas: uint48,
  idleBlockIntervalMs: uint32,
  maxBlockTransactions: uint32,
  maxBlockBytes: uint32,
  maxTransactionBytes: uint32,
  openAccounts: bool,
  minGasPrice: uint128,
});

/** What is asked of a member for every payment stands in the first slot. */
export const memberStruct = struct('Member', {
  account: address,
  role: uint8,
  status: uint8,
  validator: bool,
  /** Its place among the validators of the current epoch. */
  order: uint32,
  name: string,
  voteKey: bytes,
  transportKey: bytes,
  endpoints: array(string),
});

/** One slot. `position` is the account's index in `accountsOf` of its member. The bars stay when a registration goes. */
export const accountStruct = struct('Account', {
  member: uint32,
  position: uint32,
  mayTransact: bool,
  mayDeploy: bool,
  transactBarred: bool,
  deployBarred: bool,
  since: uint48,
});

/** A validator as of an epoch: its key may change in a later one. */
export const validatorStruct = struct('Validator', {
  member: uint32,
  account: address,
  voteKey: bytes,
});

/** Append only. Lists of structs are mappings with a count, because the elements of an array could not grow. */
export const membersStorage = {
  parameters: parametersStruct,
  memberCount: uint32,
  epoch: uint64,
  members: mapping(uint32, memberStruct),
  memberByName: mapping(string, uint32),
  accounts: mapping(address, accountStruct),
  accountsOf: mapping(uint32, array(address)),
  validatorCounts: mapping(uint64, uint32),
  validators: mapping(uint64, mapping(uint32, validatorStruct)),
} as const;
