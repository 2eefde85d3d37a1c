import { type Address, type FinalizeStatement, quorum, statementBytes, View } from '@hanse/protocol';
import { supportedRules } from '../../src/execution/ruleVersions.ts';
import { testAccount, testTransaction } from '../../src/execution/testing/executionFixture.ts';
import { TABLE_NAMES } from '../../src/storage/tables.ts';
import { openLedger } from '../world/openLedger.ts';
import type { ScriptedCluster } from './scriptedCluster.ts';

const RECEIVER: Address = `0x${'ec'.repeat(20)}`;

/**
 * Gives the ledgers of these members of a cluster, who must not run, a chain of so many blocks with one payment each by an account, certified by
 * the first q of them. They must have run before, or their logs would look lost.
 */
export async function prepareChain(
  cluster: ScriptedCluster,
  indexes: readonly number[],
  blocks: number,
  payer: number,
): Promise<void> {
  const { suite, genesisHash, voteKeys, validators: n } = cluster.setup;
  const [source, ...copies] = indexes.map((index) => cluster.machine(index).database.open());
  if (source === undefined) return;
  const { clock } = cluster.world;
  const first = openLedger(
    cluster.setup,
    { store: source, clock },
    { supported: supportedRules, recoveries: [], promises: [] },
  );
  let head = await first.finalizedHead();
  const { epoch } = head.validators;
  for (let count = 0; count < blocks; count++) {
    const transaction = testTransaction(
      { nonce: BigInt(count), to: RECEIVER, gasLimit: 100_000n, data: new Uint8Array(0) },
      testAccount(payer),
    );
    let view = head.view + 1;
    while (!indexes.includes(view % n)) view++;
    const leader = view % n;
    const built = await first.build({
      epoch,
      view: View(view),
      leader,
      parentDigest: head.digest,
      nowMs: head.timeMs + 1,
      candidates: [transaction],
    });
    const { digest, height, blockHash } = await first.execute(built.digest);
    const statement: FinalizeStatement = { kind: 'finalize', epoch, view: View(view), digest, height, blockHash };
    const message = statementBytes(genesisHash, statement);
    const signatures = indexes.slice(0, quorum(n)).map((signer) => ({
      signer,
      signature: suite.sign(voteKeys[signer]!, message),
    }));
    const certificate = { statement, signatures };
    await first.finalize(digest, certificate);
    head = { ...head, digest, height, view: View(view), timeMs: built.proposal.timeMs };
  }
  for (const copy of copies) {
    copy.transaction((batch) => {
      for (const table of TABLE_NAMES)
        for (const { key, value } of source.range(table, {})) batch.put(table, key, value);
    });
  }
}
