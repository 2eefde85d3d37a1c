// Writes packages/modules/src/abi/*Abi.ts from contracts/I*.sol: node packages/modules/scripts/generateAbi.mjs && npx biome format --write packages/modules/src/abi
import { writeFileSync } from 'node:fs';
import { compileInterface, plainAbi } from './compileSolidity.mjs';

const modules = {
  IMembers: ['membersAbi', 'The members of the alliance, their accounts and the parameters of the network.'],
  ICurrency: ['currencyAbi', 'One currency: an ERC-20 with issue and redeem.'],
  ICurrencyFactory: ['currencyFactoryAbi', 'The list of the currencies.'],
  IAnchor: ['anchorAbi', 'Commitments to data that stays with its owner.'],
};
/** What an interface inherits has a file of its own. */
const parts = {
  IMembers: ['IGovernance', 'governanceAbi', 'How the members change members, keys, rules and policies.'],
};

function write(contract, name, sentence, lines) {
  writeFileSync(
    new URL(`../src/abi/${name}.ts`, import.meta.url),
    `${lines.imports ?? ''}/** ${sentence} Generated from contracts/${contract}.sol by scripts/generateAbi.mjs. */\nexport const ${name} = ${lines.value} as const;\n`,
  );
}

for (const [contract, [name, sentence]] of Object.entries(modules)) {
  const compiled = compileInterface(contract);
  const items = plainAbi(compiled[contract].abi).map((item) => JSON.stringify(item));
  const [inherited, part, partSentence] = parts[contract] ?? [];
  if (inherited === undefined) {
    write(contract, name, sentence, { value: `[${items.join(',')}]` });
    continue;
  }
  const inheritedItems = plainAbi(compiled[inherited].abi).map((item) => JSON.stringify(item));
  write(inherited, part, partSentence, { value: `[${inheritedItems.join(',')}]` });
  const own = items.filter((item) => !inheritedItems.includes(item));
  write(contract, name, sentence, {
    imports: `import { ${part} } from './${part}.ts';\n\n`,
    value: `[${own.join(',')},...${part}]`,
  });
}
