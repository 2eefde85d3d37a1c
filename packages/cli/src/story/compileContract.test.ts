import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileContractHere, contractPath } from './compileContract.ts';

describe('the Solidity contract of the story', () => {
  it('compiles to an ERC-20 of OpenZeppelin', async () => {
    const { abi, bytecode, compiler } = await compileContractHere(contractPath('HarvestPoints.sol'));
    const functions = abi.flatMap((entry) => (entry.type === 'function' ? [entry.name] : []));
    expect(functions).toEqual(
      expect.arrayContaining(['transfer', 'approve', 'transferFrom', 'balanceOf', 'totalSupply']),
    );
    expect(bytecode).toMatch(/^0x[0-9a-f]{1000,}$/);
    expect(compiler).toMatch(/^0\.8\.30\+/);
  });

  it('a mistake is one clear line, and imports reach nothing but OpenZeppelin', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hanse-contract-'));
    try {
      const path = join(folder, 'Broken.sol');
      writeFileSync(path, 'pragma solidity ^0.8.24; import "/etc/passwd"; contract Broken {}');
      await expect(compileContractHere(path)).rejects.toThrow(/^Broken\.sol does not compile: .*is not available$/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
