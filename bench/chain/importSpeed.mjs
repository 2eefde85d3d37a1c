// What taking a chain that another member hands over costs: reads the blocks of a member's ledger (what the serving member does), verifies
// the signatures (the senders thread of the one that catches up) and imports them into a ledger of its own (its ledger thread), one after
// another in this thread. Needs a build and a network that does not run (chain/generate.mjs).
//
// Usage: node bench/chain/importSpeed.mjs --data DIR [--from NAME] [--blocks N] [--batch N] [--scratch DIR]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ModuleReaders } from '@hanse/modules';
import { SenderService } from '../../packages/node/dist/chain/senderService.js';
import { encodedBlock } from '../../packages/node/dist/composition/encodedBlock.js';
import { prepareImport } from '../../packages/node/dist/composition/importPreparation.js';
import { decodeSyncBlocks, SyncAnswer } from '../../packages/node/dist/network/syncWire.js';
import { LedgerReader } from '../../packages/node/dist/storage/ledgerReader.js';
import { LMDBKeyValueStore } from '../../packages/node/dist/storage/lmdbKeyValueStore.js';
import { StoppedNetwork } from './stoppedNetwork.mjs';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    from: { type: 'string' },
    blocks: { type: 'string', default: '5000' },
    batch: { type: 'string', default: '64' },
    scratch: { type: 'string', default: tmpdir() },
  },
});
const network = await StoppedNetwork.open(values.data, {});
const folder = mkdtempSync(join(values.scratch, 'hanse-import-'));
try {
  const reader = new LedgerReader(new LMDBKeyValueStore(network.ledger(values.from ?? network.names[0])), {
    suite: network.suite,
  });
  const ledger = await network.openLedger(folder);
  const batch = Number(values.batch);
  const end = Math.min(Number(values.blocks), reader.headHeight());
  const readers = new ModuleReaders(network.suite);
  const preparation = {
    suite: network.suite,
    genesisHash: network.genesisHash,
    senders: new SenderService(network.suite),
    validators: () => readers.readValidatorSet(reader.state(), readers.readEpoch(reader.state())),
  };
  let [readMs, signaturesMs, importMs, transactions] = [0, 0, 0, 0];
  for (let from = 1; from <= end; from += batch) {
    const startedMs = performance.now();
    const range = { from, maxCount: Math.min(batch, end - from + 1), maxBytes: 2 ** 30 };
    const answer = new SyncAnswer(range);
    for (let height = from; height < from + range.maxCount; height++) answer.add(encodedBlock(reader, height));
    const blocks = decodeSyncBlocks(answer.finish(), range);
    transactions += blocks.reduce((sum, block) => sum + block.transactions.length, 0);
    const readAtMs = performance.now();
    const prepared = await prepareImport(blocks, preparation);
    const preparedAtMs = performance.now();
    const { rejected } = await ledger.importBlocks(prepared);
    if (rejected !== undefined) throw new Error(`Block ${rejected.height} was rejected: ${rejected.reason}`);
    readMs += readAtMs - startedMs;
    signaturesMs += preparedAtMs - readAtMs;
    importMs += performance.now() - preparedAtMs;
    await new Promise((resolve) => setImmediate(resolve));
  }
  const each = (ms) => `${(ms / end).toFixed(2)} ms`;
  console.log(
    `${end} blocks with ${transactions} transactions; of each block: reading ${each(readMs)}, signatures ${each(signaturesMs)}, import ${each(importMs)}.`,
  );
  await ledger.close();
  await reader.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
  network.release();
}
