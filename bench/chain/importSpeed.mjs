// How fast the ledger takes a chain that another member hands over: reads the blocks of a member's ledger and imports them into a ledger
// of its own, as the ledger's thread does while a member catches up. Needs a build and a network that does not run (chain/generate.mjs).
//
// Usage: node bench/chain/importSpeed.mjs --data DIR [--from NAME] [--blocks N] [--batch N] [--scratch DIR]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readBlockRange } from '../../packages/node/dist/composition/blockRange.js';
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
  let [readMs, importMs, transactions] = [0, 0, 0];
  const cpu = process.cpuUsage();
  for (let from = 1; from <= end; from += batch) {
    const startedMs = performance.now();
    const blocks = readBlockRange(reader, { from, maxCount: Math.min(batch, end - from + 1), maxBytes: 2 ** 30 });
    transactions += blocks.reduce((sum, block) => sum + block.transactions.length, 0);
    const readAtMs = performance.now();
    const { rejected } = await ledger.importBlocks(blocks);
    if (rejected !== undefined) throw new Error(`Block ${rejected.height} was rejected: ${rejected.reason}`);
    readMs += readAtMs - startedMs;
    importMs += performance.now() - readAtMs;
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { user, system } = process.cpuUsage(cpu);
  console.log(
    `${end} blocks with ${transactions} transactions: ${(end / (importMs / 1_000)).toFixed(0)} blocks a second imported, ${(importMs / end).toFixed(2)} ms each (reading them took ${(readMs / end).toFixed(2)} ms); processor time ${((user + system) / 1_000 / end).toFixed(2)} ms a block`,
  );
  await ledger.close();
  await reader.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
  network.release();
}
