import { createRequire } from 'node:module';

// The compiler belongs to the command line; tests use the same one.
const require = createRequire(new URL('../../packages/cli/package.json', import.meta.url));

/** What the compiler gives of one contract. */
export interface CompiledContract {
  // biome-ignore lint/suspicious/noExplicitAny: viem and ethers read the ABI at run time.
  readonly abi: any;
  readonly bytecode: `0x${string}`;
}

/** Compiles one Solidity source and gives the named contract. */
export function compileSolidity(source: string, name: string): CompiledContract {
  const solc = require('solc') as { compile(input: string): string };
  const input = {
    language: 'Solidity',
    sources: { 'source.sol': { content: source } },
    settings: {
      evmVersion: 'prague',
      optimizer: { enabled: true },
      outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const errors = (output.errors ?? []).filter(({ severity }: { severity: string }) => severity === 'error');
  if (errors.length > 0)
    throw new Error(errors.map(({ formattedMessage }: { formattedMessage: string }) => formattedMessage).join('\n'));
  const contract = output.contracts['source.sol'][name];
  return { abi: contract.abi, bytecode: `0x${contract.evm.bytecode.object}` };
}
