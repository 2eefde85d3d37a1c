import { type Hash, type Suite, type ValidatorSet, validatorSetHash } from '@hanse/protocol';
import type { ImportBlock, SyncBlock } from '../chain/ledger.ts';
import type { SenderService } from '../chain/senderService.ts';

/** Signatures of one call to the worker, some 30 ms: clients' transactions get their turn in between. */
const MAX_SIGNATURES = 512;

export interface ImportPreparationModules {
  readonly suite: Suite;
  readonly genesisHash: Hash;
  readonly senders: Pick<SenderService, 'recover' | 'verifyCertificates'>;
  /** The set that decides after the newest finalized block. */
  readonly validators: () => ValidatorSet | undefined;
}

/**
 * Recovers senders and verifies certificates on their own thread while blocks before these are imported: together they are a third of
 * what an import takes. A certificate that does not verify, for example because its set is not known yet, is left to the import.
 */
export async function prepareImport(
  blocks: readonly SyncBlock[],
  modules: ImportPreparationModules,
): Promise<readonly ImportBlock[]> {
  const verified = await verifiedCertificates(blocks, modules);
  const prepared: ImportBlock[] = [];
  for (const chunk of chunks(blocks, ({ transactions }) => transactions.length)) {
    const senders = await modules.senders.recover(chunk.flatMap(({ transactions }) => transactions));
    let next = 0;
    for (const block of chunk) {
      const verifiedBy = verified.get(block);
      const own = senders.slice(next, next + block.transactions.length);
      prepared.push({ ...block, senders: own, ...(verifiedBy === undefined ? {} : { verifiedBy }) });
      next += own.length;
    }
  }
  return prepared;
}

/** The blocks whose certificate is good, with the hash of the set that says so. */
async function verifiedCertificates(
  blocks: readonly SyncBlock[],
  { suite, genesisHash, senders, validators }: ImportPreparationModules,
): Promise<ReadonlyMap<SyncBlock, Hash>> {
  const verified = new Map<SyncBlock, Hash>();
  const set = validators();
  if (set === undefined) return verified;
  const setHash = validatorSetHash(suite, set);
  const certified = blocks.filter(({ certificate }) => certificate?.statement.epoch === set.epoch);
  for (const chunk of chunks(certified, ({ certificate }) => certificate?.signatures.length ?? 0)) {
    const certificates = chunk.flatMap(({ certificate }) => certificate ?? []);
    const good = await senders.verifyCertificates(genesisHash, set, certificates);
    chunk.forEach((block, index) => {
      if (good[index] === true) verified.set(block, setHash);
    });
  }
  return verified;
}

/** Consecutive items of bounded weight together, at least one in each chunk. */
function* chunks<T>(items: readonly T[], weigh: (item: T) => number): Iterable<readonly T[]> {
  let chunk: T[] = [];
  let weight = 0;
  for (const item of items) {
    if (chunk.length > 0 && weight + weigh(item) > MAX_SIGNATURES) {
      yield chunk;
      chunk = [];
      weight = 0;
    }
    chunk.push(item);
    weight += weigh(item);
  }
  if (chunk.length > 0) yield chunk;
}
