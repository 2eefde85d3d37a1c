/** The list of the currencies. Generated from contracts/ICurrencyFactory.sol by scripts/generateAbi.mjs. */
export const currencyFactoryAbi = [
  {
    type: 'function',
    name: 'createCurrency',
    stateMutability: 'nonpayable',
    inputs: [
      { name: 'symbol', type: 'string' },
      { name: 'name', type: 'string' },
      { name: 'decimals', type: 'uint8' },
    ],
    outputs: [{ name: 'currency', type: 'address' }],
  },
  {
    type: 'function',
    name: 'currencyAt',
    stateMutability: 'view',
    inputs: [{ name: 'index', type: 'uint256' }],
    outputs: [{ name: '', type: 'address' }],
  },
  {
    type: 'function',
    name: 'currencyBySymbol',
    stateMutability: 'view',
    inputs: [{ name: 'symbol', type: 'string' }],
    outputs: [{ name: '', type: 'address' }],
  },
  {
    type: 'function',
    name: 'currencyCount',
    stateMutability: 'view',
    inputs: [],
    outputs: [{ name: '', type: 'uint256' }],
  },
  {
    type: 'event',
    name: 'CurrencyCreated',
    inputs: [
      { name: 'currency', type: 'address', indexed: true },
      { name: 'authority', type: 'uint32', indexed: true },
      { name: 'symbol', type: 'string', indexed: false },
      { name: 'name', type: 'string', indexed: false },
      { name: 'decimals', type: 'uint8', indexed: false },
    ],
  },
  { type: 'error', name: 'InvalidDecimals', inputs: [{ name: 'decimals', type: 'uint8' }] },
  { type: 'error', name: 'InvalidName', inputs: [{ name: 'name', type: 'string' }] },
  { type: 'error', name: 'InvalidSymbol', inputs: [{ name: 'symbol', type: 'string' }] },
  { type: 'error', name: 'NotAuthority', inputs: [{ name: 'caller', type: 'address' }] },
  {
    type: 'error',
    name: 'SymbolTaken',
    inputs: [
      { name: 'symbol', type: 'string' },
      { name: 'currency', type: 'address' },
    ],
  },
  { type: 'error', name: 'UnknownCurrency', inputs: [{ name: 'index', type: 'uint256' }] },
] as const;
