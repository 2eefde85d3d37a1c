// An ERC-20 of OpenZeppelin's, compiled from source with solc.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../packages/cli/package.json', import.meta.url));

const SOURCE = `// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
contract LoadToken is ERC20 {
    constructor() ERC20("Load Token", "LOAD") { _mint(msg.sender, 1e30); }
}`;

/** `{abi, bytecode}` of the token. */
export function compileLoadToken() {
  const solc = require('solc');
  const input = {
    language: 'Solidity',
    sources: { 'LoadToken.sol': { content: SOURCE } },
    settings: {
      optimizer: { enabled: true, runs: 200 },
      evmVersion: 'prague',
      outputSelection: { '*': { LoadToken: ['abi', 'evm.bytecode.object'] } },
    },
  };
  const find = (path) => ({ contents: readFileSync(require.resolve(path), 'utf8') });
  const { contracts, errors } = JSON.parse(solc.compile(JSON.stringify(input), { import: find }));
  const failure = errors?.find(({ severity }) => severity === 'error');
  if (failure !== undefined) throw new Error(failure.formattedMessage);
  const { abi, evm } = contracts['LoadToken.sol'].LoadToken;
  return { abi, bytecode: `0x${evm.bytecode.object}` };
}
