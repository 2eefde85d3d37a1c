export * from '../anchorCommitment.ts';
export * from './addresses.ts';
export { anchorAbi } from './anchorAbi.ts';
export { currencyAbi } from './currencyAbi.ts';
export { currencyFactoryAbi } from './currencyFactoryAbi.ts';
export * from './memberCodes.ts';
export { membersAbi } from './membersAbi.ts';
