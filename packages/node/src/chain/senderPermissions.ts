import type { ModuleReaders } from '@hanse/modules';
import type { Address, StateReader } from '@hanse/protocol';
import type { SenderPermissions } from '../execution/staticChecks.ts';

/** What the module `members` allows an account in a state. */
export function readSenderPermissions(readers: ModuleReaders, state: StateReader, sender: Address): SenderPermissions {
  const { mayTransact, mayDeploy } = readers.readPermissions(state, sender);
  return { maySend: mayTransact, mayDeploy };
}
