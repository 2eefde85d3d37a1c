import { address, mapping, string, struct, uint8, uint32, uint64, uint128, uint256 } from '../storage/storageType.ts';

/** One slot, which is all that a payment touches of an account. `holder` is its number in `holders`, 0 if it never held any. */
export const walletStruct = struct('Wallet', {
  balance: uint128,
  holder: uint64,
});

/** Append only. */
export const currencyStorage = {
  /** The member that issues. */
  authority: uint32,
  decimals: uint8,
  name: string,
  symbol: string,
  totalSupply: uint128,
  holderCount: uint64,
  issued: uint256,
  redeemed: uint256,
  wallets: mapping(address, walletStruct),
  allowances: mapping(address, mapping(address, uint256)),
  /** From 1 on, in the order in which they first held some. */
  holders: mapping(uint64, address),
} as const;

/** Append only. */
export const currencyFactoryStorage = {
  currencyCount: uint64,
  /** The number of the currency with that symbol, 0 if there is none. */
  bySymbol: mapping(string, uint64),
} as const;
