import { createInternationalSuite, type Suite, type SuiteId, type SuitePrimitives } from '@hanse/protocol';
import { loadNodePrimitives } from '../runtime/nodePrimitives.ts';
import { ConfigError } from './configError.ts';

/** The suite that a network names, over primitives of this thread. */
export function createSuite(id: SuiteId, primitives: SuitePrimitives): Suite {
  if (id === 'international') return createInternationalSuite(primitives);
  throw new ConfigError(
    `The genesis names the suite "${id}", which this version of Hanse does not have. Use a newer version.`,
  );
}

/** The same with the fastest primitives of this machine. */
export async function loadSuite(id: SuiteId): Promise<Suite> {
  return createSuite(id, await loadNodePrimitives());
}
