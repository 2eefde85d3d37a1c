import { ModuleHost } from '@hanse/modules';
import { checkGenesisKeys, type Genesis, type Hash } from '@hanse/protocol';
import { loadSuite } from './config/createSuite.ts';
import { buildGenesisBlock } from './execution/genesisBlock.ts';
import { StateKeys } from './storage/stateKeys.ts';

/**
 * The hash of block 0 of a network, which stands for every field of its document. Throws a ProtocolError for keys that are not
 * of the suite, a ConfigError for a suite that this version lacks, a RangeError for a document that contradicts the chain's rules.
 */
export async function genesisHashOf(genesis: Genesis): Promise<Hash> {
  const suite = await loadSuite(genesis.suite);
  checkGenesisKeys(suite, genesis);
  const modules = { modules: new ModuleHost(suite), keys: new StateKeys(suite) };
  return buildGenesisBlock(genesis, suite, modules).hash;
}
