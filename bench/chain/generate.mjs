// Makes a chain of many blocks for a local network that does not run, through the ledger's own pipeline: every block is built, checked,
// executed and stored by `LedgerService` as a member's is, and certified with the vote keys in the network's folder. What comes out is
// what the chosen members would hold had they made these blocks together while the others were away.
// Needs a build. The network is created if the folder holds none; on one that is there the chain goes on.
//
// Usage: node bench/chain/generate.mjs --data DIR [--blocks N] [--transactions N] [--accounts N] [--without NAME,...]
//   --blocks N         blocks to add (default 1000)
//   --transactions N   payments in each of them (default 5)
//   --accounts N       accounts that pay one another (default 200, at least as many as transactions in a block)
//   --without NAMES    members that were away: they sign nothing and their ledgers stay as they are (default: the last member)
//   --members N        members of a network that has to be created (default 4)
//   --rpc-port N       first JSON-RPC port of a network that has to be created (default 8545)
//   --scratch DIR      where the chain grows before it is copied (default /dev/shm where there is one, else the temporary folder)
import { parseArgs } from 'node:util';
import { ChainWriter } from './chainWriter.mjs';
import { StoppedNetwork } from './stoppedNetwork.mjs';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    blocks: { type: 'string', default: '1000' },
    transactions: { type: 'string', default: '5' },
    accounts: { type: 'string', default: '200' },
    without: { type: 'string' },
    members: { type: 'string', default: '4' },
    'rpc-port': { type: 'string', default: '8545' },
    scratch: { type: 'string' },
  },
});

function whole(name, least, most) {
  const number = Number(values[name]);
  if (!Number.isInteger(number) || number < least || number > most)
    throw new Error(`--${name} must be a whole number from ${least} to ${most}, not "${values[name]}".`);
  return number;
}

async function generate() {
  if (values.data === undefined) throw new Error('Say with --data in which folder the network is, or shall be.');
  const blocks = whole('blocks', 1, 10_000_000);
  const transactions = whole('transactions', 0, 400);
  const accounts = whole('accounts', Math.max(2, transactions), 100_000);
  const network = await StoppedNetwork.open(values.data, {
    members: whole('members', 2, 31),
    rpcPort: whole('rpc-port', 1, 60_000),
  });
  try {
    const away = values.without === undefined ? network.names.slice(-1) : values.without.split(',').filter(Boolean);
    const present = network.present(away);
    await network.assertNothingPending(present);
    const writer = await ChainWriter.open(network, present, values.scratch);
    try {
      await writer.prepare(accounts);
      await grow(writer, blocks, transactions);
      await writer.close();
      const startedMs = performance.now();
      for (const name of present) writer.install(name);
      const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
      console.log(
        `Block ${writer.height} is the head of ${present.join(', ')} (${writer.mebibytes} MiB each, copied in ${seconds} s); away were ${away.join(', ') || 'none'}.`,
      );
    } finally {
      await writer.discard();
    }
  } finally {
    network.release();
  }
}

async function grow(writer, blocks, transactions) {
  const startedMs = performance.now();
  let reportedMs = startedMs;
  for (let made = 1; made <= blocks; made++) {
    await writer.payments(transactions);
    if (performance.now() - reportedMs < 10_000 && made < blocks) continue;
    reportedMs = performance.now();
    const perSecond = made / ((reportedMs - startedMs) / 1_000);
    console.log(`block ${writer.height}: ${made} of ${blocks}, ${perSecond.toFixed(0)} blocks a second`);
  }
}

try {
  await generate();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
