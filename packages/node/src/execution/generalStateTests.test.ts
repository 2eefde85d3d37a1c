import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createInternationalSuite, portablePrimitives } from '@hanse/protocol';
import { describe, expect, it } from 'vitest';
import { type GeneralStateTest, GeneralStateTestRunner } from './testing/generalStateTest.ts';

const root = new URL('../../../../../shared/data/ethereum/ethereum-tests/GeneralStateTests/', import.meta.url);
const isPresent = existsSync(root);

/** A slice of every kind; the full campaign is a command of its own. */
const folders = (process.env.STATE_TESTS ?? 'stExample').split(',');

describe.skipIf(!isPresent)('GeneralStateTests of ethereum/tests (Cancun)', () => {
  const runner = new GeneralStateTestRunner(createInternationalSuite(portablePrimitives), 'cancun');
  for (const folder of folders) {
    it(`${folder} gives the expected state root and logs`, async () => {
      const folderURL = new URL(`${folder}/`, root);
      let cases = 0;
      const failures: string[] = [];
      for (const file of readdirSync(folderURL)) {
        const tests: Record<string, GeneralStateTest> = JSON.parse(readFileSync(new URL(file, folderURL), 'utf8'));
        for (const [name, test] of Object.entries(tests)) {
          for (const [index, post] of (test.post.Cancun ?? []).entries()) {
            cases += 1;
            try {
              const result = await runner.run(test, post);
              if (
                result.stateRoot !== post.hash ||
                result.logsHash !== post.logs ||
                (result.refused !== undefined) !== (post.expectException !== undefined)
              )
                failures.push(
                  `${file} ${name}[${index}] ${result.stateRoot === post.hash} ${result.logsHash === post.logs} ${result.refused} ${post.expectException}`,
                );
            } catch (e) {
              failures.push(
                `${file} ${name}[${index}] ${(e as Error).message} ${((e as Error).cause as Error)?.stack}`,
              );
            }
          }
        }
      }
      console.log(folder, cases, failures.length);
      expect(failures).toEqual([]);
    }, 300000);
  }
});
