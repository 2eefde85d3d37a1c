/** Commitments to data that stays with its owner. Generated from contracts/IAnchor.sol by scripts/generateAbi.mjs. */
export const anchorAbi = [
  {
    type: 'function',
    name: 'anchor',
    stateMutability: 'nonpayable',
    inputs: [{ name: 'commitment', type: 'bytes32' }],
    outputs: [],
  },
  {
    type: 'function',
    name: 'anchorBatch',
    stateMutability: 'nonpayable',
    inputs: [
      { name: 'root', type: 'bytes32' },
      { name: 'count', type: 'uint32' },
    ],
    outputs: [],
  },
  {
    type: 'function',
    name: 'anchorMany',
    stateMutability: 'nonpayable',
    inputs: [{ name: 'commitments', type: 'bytes32[]' }],
    outputs: [],
  },
  {
    type: 'function',
    name: 'getAnchor',
    stateMutability: 'view',
    inputs: [{ name: 'commitment', type: 'bytes32' }],
    outputs: [
      {
        name: '',
        type: 'tuple',
        components: [
          { name: 'account', type: 'address' },
          { name: 'member', type: 'uint32' },
          { name: 'count', type: 'uint32' },
          { name: 'height', type: 'uint48' },
          { name: 'time', type: 'uint48' },
        ],
      },
    ],
  },
  {
    type: 'function',
    name: 'getAnchorBy',
    stateMutability: 'view',
    inputs: [
      { name: 'commitment', type: 'bytes32' },
      { name: 'account', type: 'address' },
    ],
    outputs: [
      {
        name: '',
        type: 'tuple',
        components: [
          { name: 'account', type: 'address' },
          { name: 'member', type: 'uint32' },
          { name: 'count', type: 'uint32' },
          { name: 'height', type: 'uint48' },
          { name: 'time', type: 'uint48' },
        ],
      },
    ],
  },
  {
    type: 'function',
    name: 'verifyInBatch',
    stateMutability: 'pure',
    inputs: [
      { name: 'root', type: 'bytes32' },
      { name: 'proof', type: 'bytes32[]' },
      { name: 'leaf', type: 'bytes32' },
    ],
    outputs: [{ name: '', type: 'bool' }],
  },
  {
    type: 'event',
    name: 'Anchored',
    inputs: [
      { name: 'commitment', type: 'bytes32', indexed: true },
      { name: 'account', type: 'address', indexed: true },
      { name: 'member', type: 'uint32', indexed: true },
    ],
  },
  {
    type: 'event',
    name: 'BatchAnchored',
    inputs: [
      { name: 'root', type: 'bytes32', indexed: true },
      { name: 'account', type: 'address', indexed: true },
      { name: 'member', type: 'uint32', indexed: true },
      { name: 'count', type: 'uint32', indexed: false },
    ],
  },
  {
    type: 'error',
    name: 'AnchoredDifferently',
    inputs: [
      { name: 'commitment', type: 'bytes32' },
      { name: 'count', type: 'uint32' },
    ],
  },
  { type: 'error', name: 'InvalidCommitment', inputs: [] },
  { type: 'error', name: 'InvalidCount', inputs: [] },
  {
    type: 'error',
    name: 'TooMany',
    inputs: [
      { name: 'count', type: 'uint256' },
      { name: 'limit', type: 'uint256' },
    ],
  },
] as const;
