import { builtModule, type ServiceRegistry } from '../runtime/services.ts';

/** The services of a member, each on a thread of its own. */
export const serviceRegistry: ServiceRegistry = {
  ledger: builtModule('./ledgerEntry.ts', import.meta.url),
  calls: builtModule('./callsEntry.ts', import.meta.url),
  senders: builtModule('./sendersEntry.ts', import.meta.url),
};
