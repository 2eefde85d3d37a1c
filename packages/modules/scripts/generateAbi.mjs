// Writes packages/modules/src/abi/*Abi.ts from contracts/I*.sol: node packages/modules/scripts/generateAbi.mjs && npx biome format --write packages/modules/src/abi
import { writeFileSync } from 'node:fs';
import { compileSolidity, plainAbi } from './compileSolidity.mjs';

const modules = {
  IMembers: ['membersAbi', 'The members of the alliance, their accounts and the parameters of the network.'],
  ICurrency: ['currencyAbi', 'One currency: an ERC-20 with issue and redeem.'],
  ICurrencyFactory: ['currencyFactoryAbi', 'The list of the currencies.'],
  IAnchor: ['anchorAbi', 'Commitments to data that stays with its owner.'],
};

for (const [contract, [name, sentence]] of Object.entries(modules)) {
  const compiled = compileSolidity([new URL(`../../../contracts/${contract}.sol`, import.meta.url)]);
  const abi = JSON.stringify(plainAbi(compiled[contract].abi), undefined, 2);
  writeFileSync(
    new URL(`../src/abi/${name}.ts`, import.meta.url),
    `/** ${sentence} Generated from contracts/${contract}.sol by scripts/generateAbi.mjs. */\nexport const ${name} = ${abi} as const;\n`,
  );
}
