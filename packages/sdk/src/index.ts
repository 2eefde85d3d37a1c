export * from './amount.ts';
export * from './anchors.ts';
export * from './currency.ts';
export * from './hanseChain.ts';
export * from './hanseClient.ts';
export * from './hanseRpc.ts';
export * from './members.ts';
export * from './sentTransaction.ts';
