import { governanceAbi } from './governanceAbi.ts';

/** The members of the alliance, their accounts and the parameters of the network. Generated from contracts/IMembers.sol by scripts/generateAbi.mjs. */
export const membersAbi = [
  {
    type: 'function',
    name: 'accountCount',
    stateMutability: 'view',
    inputs: [{ name: 'member', type: 'uint32' }],
    outputs: [{ name: '', type: 'uint256' }],
  },
  {
    type: 'function',
    name: 'accountsOf',
    stateMutability: 'view',
    inputs: [
      { name: 'member', type: 'uint32' },
      { name: 'offset', type: 'uint256' },
      { name: 'limit', type: 'uint256' },
    ],
    outputs: [{ name: '', type: 'address[]' }],
  },
  { type: 'function', name: 'epoch', stateMutability: 'view', inputs: [], outputs: [{ name: '', type: 'uint64' }] },
  {
    type: 'function',
    name: 'getAccount',
    stateMutability: 'view',
    inputs: [{ name: 'account', type: 'address' }],
    outputs: [
      {
        name: '',
        type: 'tuple',
        components: [
          { name: 'member', type: 'uint32' },
          { name: 'mayTransact', type: 'bool' },
          { name: 'mayDeploy', type: 'bool' },
          { name: 'transactBarred', type: 'bool' },
          { name: 'deployBarred', type: 'bool' },
          { name: 'since', type: 'uint48' },
        ],
      },
    ],
  },
  {
    type: 'function',
    name: 'getMember',
    stateMutability: 'view',
    inputs: [{ name: 'id', type: 'uint32' }],
    outputs: [
      {
        name: '',
        type: 'tuple',
        components: [
          { name: 'id', type: 'uint32' },
          { name: 'name', type: 'string' },
          { name: 'role', type: 'uint8' },
          { name: 'status', type: 'uint8' },
          { name: 'account', type: 'address' },
          { name: 'validator', type: 'bool' },
          { name: 'order', type: 'uint32' },
          { name: 'voteKey', type: 'bytes' },
          { name: 'transportKey', type: 'bytes' },
          { name: 'endpoints', type: 'string[]' },
        ],
      },
    ],
  },
  {
    type: 'function',
    name: 'memberByName',
    stateMutability: 'view',
    inputs: [{ name: 'name', type: 'string' }],
    outputs: [{ name: '', type: 'uint32' }],
  },
  {
    type: 'function',
    name: 'memberCount',
    stateMutability: 'view',
    inputs: [],
    outputs: [{ name: '', type: 'uint32' }],
  },
  {
    type: 'function',
    name: 'parameters',
    stateMutability: 'view',
    inputs: [],
    outputs: [
      {
        name: '',
        type: 'tuple',
        components: [
          { name: 'blockGasLimit', type: 'uint48' },
          { name: 'maxTransactionGas', type: 'uint48' },
          { name: 'idleBlockIntervalMs', type: 'uint32' },
          { name: 'maxBlockTransactions', type: 'uint32' },
          { name: 'maxBlockBytes', type: 'uint32' },
          { name: 'maxTransactionBytes', type: 'uint32' },
          { name: 'openAccounts', type: 'bool' },
          { name: 'minGasPrice', type: 'uint128' },
        ],
      },
    ],
  },
  {
    type: 'function',
    name: 'permissionsOf',
    stateMutability: 'view',
    inputs: [{ name: 'account', type: 'address' }],
    outputs: [
      { name: 'mayTransact', type: 'bool' },
      { name: 'mayDeploy', type: 'bool' },
    ],
  },
  {
    type: 'function',
    name: 'registerAccount',
    stateMutability: 'nonpayable',
    inputs: [
      { name: 'account', type: 'address' },
      { name: 'mayDeploy', type: 'bool' },
    ],
    outputs: [],
  },
  {
    type: 'function',
    name: 'removeAccount',
    stateMutability: 'nonpayable',
    inputs: [{ name: 'account', type: 'address' }],
    outputs: [],
  },
  {
    type: 'function',
    name: 'setEndpoints',
    stateMutability: 'nonpayable',
    inputs: [{ name: 'endpoints', type: 'string[]' }],
    outputs: [],
  },
  {
    type: 'function',
    name: 'setMayDeploy',
    stateMutability: 'nonpayable',
    inputs: [
      { name: 'account', type: 'address' },
      { name: 'allowed', type: 'bool' },
    ],
    outputs: [],
  },
  {
    type: 'function',
    name: 'setMayTransact',
    stateMutability: 'nonpayable',
    inputs: [
      { name: 'account', type: 'address' },
      { name: 'allowed', type: 'bool' },
    ],
    outputs: [],
  },
  {
    type: 'function',
    name: 'validatorSet',
    stateMutability: 'view',
    inputs: [{ name: 'epochNumber', type: 'uint64' }],
    outputs: [
      {
        name: '',
        type: 'tuple[]',
        components: [
          { name: 'member', type: 'uint32' },
          { name: 'name', type: 'string' },
          { name: 'account', type: 'address' },
          { name: 'voteKey', type: 'bytes' },
        ],
      },
    ],
  },
  {
    type: 'event',
    name: 'AccountPermissionsChanged',
    inputs: [
      { name: 'account', type: 'address', indexed: true },
      { name: 'member', type: 'uint32', indexed: true },
      { name: 'mayTransact', type: 'bool', indexed: false },
      { name: 'mayDeploy', type: 'bool', indexed: false },
    ],
  },
  {
    type: 'event',
    name: 'AccountRegistered',
    inputs: [
      { name: 'account', type: 'address', indexed: true },
      { name: 'member', type: 'uint32', indexed: true },
      { name: 'mayTransact', type: 'bool', indexed: false },
      { name: 'mayDeploy', type: 'bool', indexed: false },
    ],
  },
  {
    type: 'event',
    name: 'AccountRemoved',
    inputs: [
      { name: 'account', type: 'address', indexed: true },
      { name: 'member', type: 'uint32', indexed: true },
    ],
  },
  {
    type: 'event',
    name: 'EndpointsChanged',
    inputs: [
      { name: 'member', type: 'uint32', indexed: true },
      { name: 'endpoints', type: 'string[]', indexed: false },
    ],
  },
  {
    type: 'error',
    name: 'AccountTaken',
    inputs: [
      { name: 'account', type: 'address' },
      { name: 'member', type: 'uint32' },
    ],
  },
  { type: 'error', name: 'DeployNotGranted', inputs: [{ name: 'account', type: 'address' }] },
  { type: 'error', name: 'InvalidAccount', inputs: [{ name: 'account', type: 'address' }] },
  { type: 'error', name: 'InvalidEndpoint', inputs: [{ name: 'index', type: 'uint256' }] },
  { type: 'error', name: 'MemberAccount', inputs: [{ name: 'account', type: 'address' }] },
  { type: 'error', name: 'NotAuthority', inputs: [{ name: 'caller', type: 'address' }] },
  { type: 'error', name: 'NotMember', inputs: [{ name: 'caller', type: 'address' }] },
  {
    type: 'error',
    name: 'NotResponsible',
    inputs: [
      { name: 'caller', type: 'address' },
      { name: 'account', type: 'address' },
    ],
  },
  {
    type: 'error',
    name: 'TooMany',
    inputs: [
      { name: 'count', type: 'uint256' },
      { name: 'limit', type: 'uint256' },
    ],
  },
  { type: 'error', name: 'UnknownAccount', inputs: [{ name: 'account', type: 'address' }] },
  { type: 'error', name: 'UnknownMember', inputs: [{ name: 'member', type: 'uint32' }] },
  ...governanceAbi,
] as const;
