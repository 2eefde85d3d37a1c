export * from './account.ts';
export * from './trieNode.ts';
export * from './trieProof.ts';
export * from './trieRoot.ts';
export * from './updateTrie.ts';
