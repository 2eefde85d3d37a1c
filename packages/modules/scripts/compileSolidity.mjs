// Compiles Solidity sources for the modules' tests and for generateAbi.mjs.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const solc = createRequire(import.meta.url)('solc');

/** The interface of each native module and the files that it is made of. */
export const interfaces = {
  IMembers: ['IMembers', 'IGovernance'],
  ICurrency: ['ICurrency'],
  ICurrencyFactory: ['ICurrencyFactory'],
  IAnchor: ['IAnchor'],
};

/** The compiled interface of a module, by its name. */
export function compileInterface(contract) {
  const files = interfaces[contract].map((file) => new URL(`../../../contracts/${file}.sol`, import.meta.url));
  return compileSolidity(files);
}

/**
 * Compiles files and gives `{ [contract]: { abi, storageLayout, evm } }` of all contracts in them.
 * @param {readonly URL[]} files
 * @param {readonly string[]} selection
 */
export function compileSolidity(files, selection = ['abi']) {
  const sources = Object.fromEntries(
    files.map((file) => [file.pathname.split('/').at(-1), { content: readFileSync(file, 'utf8') }]),
  );
  const settings = { outputSelection: { '*': { '*': selection } }, evmVersion: 'prague', optimizer: { enabled: true } };
  const output = JSON.parse(solc.compile(JSON.stringify({ language: 'Solidity', sources, settings })));
  const errors = (output.errors ?? []).filter((error) => error.severity === 'error');
  if (errors.length > 0) throw new Error(errors.map((error) => error.formattedMessage).join('\n'));
  return Object.assign({}, ...Object.values(output.contracts));
}

/** An ABI as the project keeps it: without the compiler's internal types, in the order functions, events, errors. */
export function plainAbi(abi) {
  const plainParameter = ({ name, type, components, indexed }) => ({
    name,
    type,
    ...(components === undefined ? {} : { components: components.map(plainParameter) }),
    ...(indexed === undefined ? {} : { indexed }),
  });
  const order = ['function', 'event', 'error'];
  return abi
    .map(({ type, name, stateMutability, inputs, outputs }) => ({
      type,
      name,
      ...(stateMutability === undefined ? {} : { stateMutability }),
      inputs: inputs.map(plainParameter),
      ...(outputs === undefined ? {} : { outputs: outputs.map(plainParameter) }),
    }))
    .sort((a, b) => order.indexOf(a.type) - order.indexOf(b.type));
}
