import {
  address,
  array,
  bool,
  bytes,
  bytes32,
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

export const policyStruct = struct('Policy', {
  authority: uint8,
  bank: uint8,
  company: uint8,
  percent: uint8,
});

/** What every look at a proposal needs stands in its first slot. A proposal is about what its action uses; the rest stays zero. */
export const proposalStruct = struct('Proposal', {
  action: uint8,
  state: uint8,
  proposer: uint32,
  /** Whom it is about; of addMember, who it became. */
  member: uint32,
  createdAt: uint48,
  expiresAt: uint48,
  enactedHeight: uint48,
  /** As counted when it passed. */
  approvals: uint32,
  rejections: uint32,
  electorate: uint32,
  account: address,
  name: string,
  voteKey: bytes,
  transportKey: bytes,
  endpoints: array(string),
  feature: string,
  role: uint8,
  policyAction: uint8,
  version: uint32,
  height: uint48,
  policy: policyStruct,
  /** Every member that ever voted, once; `votes` has how. */
  voters: array(uint32),
});

export const ruleStruct = struct('Rule', {
  version: uint32,
  height: uint48,
  feature: string,
});

/** The newest version of a feature that is scheduled; 0 stands for 1, which everything starts with. */
export const featureStruct = struct('Feature', {
  version: uint32,
  height: uint48,
});

/** One slot. Times are seconds of block time; `until` is the first at which the declaration stands no more. */
export const conductStruct = struct('Conduct', {
  readyHeight: uint48,
  readyUntil: uint48,
  /** From when on the member may change each of its keys itself again. */
  nextVoteKey: uint48,
  nextTransportKey: uint48,
  nextAccount: uint48,
});

export const evidenceStruct = struct('Evidence', {
  member: uint32,
  signer: uint32,
  epoch: uint64,
  viewNumber: uint64,
  height: uint48,
  kindA: uint8,
  kindB: uint8,
  reporter: address,
  hashA: bytes32,
  hashB: bytes32,
});

/** How many proposals there were when the members last decided whether a member validates, and by which keys. */
export const decidedStruct = struct('Decided', {
  standing: uint32,
  keys: uint32,
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
  /** Epoch to the height of the block that closed the one before; that of the current epoch tells whether this block did. */
  epochStarts: mapping(uint64, uint48),
  /** How many active members have a role. */
  activeMembers: mapping(uint8, uint32),
  /** The last 32 bytes of a key, which a point shares with its negative only, to the member that has or had it. */
  voteKeyOwners: mapping(bytes32, uint32),
  transportKeyOwners: mapping(bytes32, uint32),
  conduct: mapping(uint32, conductStruct),
  votingPeriodSeconds: uint32,
  proposalCount: uint32,
  ruleCount: uint32,
  evidenceCount: uint32,
  policies: mapping(uint8, policyStruct),
  proposals: mapping(uint32, proposalStruct),
  /** Proposal and member to 1 approved, 2 rejected. */
  votes: mapping(uint32, mapping(uint32, uint8)),
  /** A member's proposals that were neither enacted nor had expired when it last made one. */
  pendingProposals: mapping(uint32, array(uint32)),
  /** A member's promotion that passed before it was ready. */
  awaitedPromotion: mapping(uint32, uint32),
  /** Ascending by height; of one height in the order in which they were decided. */
  rules: mapping(uint32, ruleStruct),
  features: mapping(string, featureStruct),
  evidence: mapping(uint32, evidenceStruct),
  /** Epoch, view and signer to the number of the evidence plus one. */
  evidenceOf: mapping(uint64, mapping(uint64, mapping(uint32, uint32))),
  /** Epoch and signer to how much evidence there is. */
  evidenceCounts: mapping(uint64, mapping(uint32, uint32)),
  decided: mapping(uint32, decidedStruct),
} as const;
