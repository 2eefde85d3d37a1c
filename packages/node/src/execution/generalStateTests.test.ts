import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hasSharedData, sharedData } from '../../../../test/sharedData.ts';
import { testSuite } from './testing/executionFixture.ts';
import { type GeneralStateTest, GeneralStateTestRunner } from './testing/generalStateTest.ts';

const path = 'ethereum/ethereum-tests/GeneralStateTests/';
const isShared = hasSharedData(path, 'Most GeneralStateTests');
const root = isShared ? sharedData(path) : new URL('../../testdata/ethereum-tests/GeneralStateTests/', import.meta.url);

interface Folder {
  readonly folder: string;
  readonly cases: number;
  readonly every?: number;
}

/** Folders and how many of their cases there are; of the slow ones only every so many files (the whole campaign is a command of its own). */
const slice: readonly Folder[] = [
  { folder: 'Cancun/stEIP1153-transientStorage', cases: 31, every: 3 },
  { folder: 'Cancun/stEIP5656-MCOPY', cases: 70 },
  { folder: 'Shanghai/stEIP3651-warmcoinbase', cases: 12 },
  { folder: 'Shanghai/stEIP3855-push0', cases: 8 },
  { folder: 'Shanghai/stEIP3860-limitmeterinitcode', cases: 6 },
  { folder: 'VMTests/vmArithmeticTest', cases: 165 },
  { folder: 'VMTests/vmIOandFlowOperations', cases: 140 },
  { folder: 'VMTests/vmLogTest', cases: 37 },
  { folder: 'stCallCodes', cases: 60 },
  { folder: 'stCodeSizeLimit', cases: 5 },
  { folder: 'stCreate2', cases: 149 },
  { folder: 'stEIP1559', cases: 61 },
  { folder: 'stEIP2930', cases: 128 },
  { folder: 'stEIP3607', cases: 3 },
  { folder: 'stExample', cases: 32 },
  { folder: 'stExtCodeHash', cases: 49 },
  { folder: 'stInitCodeTest', cases: 19 },
  { folder: 'stLogTests', cases: 34 },
  { folder: 'stNonZeroCallsTest', cases: 18 },
  { folder: 'stPreCompiledContracts', cases: 3 },
  { folder: 'stPreCompiledContracts2', cases: 50, every: 12 },
  { folder: 'stRefundTest', cases: 20 },
  { folder: 'stReturnDataTest', cases: 261 },
  { folder: 'stRevertTest', cases: 178 },
  { folder: 'stSStoreTest', cases: 354 },
  { folder: 'stSystemOperationsTest', cases: 61 },
];

/** The few of them that the repository itself holds (testdata/ethereum-tests/SOURCE.md). */
const copied: readonly Folder[] = [
  { folder: 'stCreate2', cases: 38 },
  { folder: 'stExample', cases: 8 },
  { folder: 'stRevertTest', cases: 26 },
  { folder: 'stSStoreTest', cases: 73 },
];

describe('GeneralStateTests of ethereum/tests (Cancun)', () => {
  const runner = new GeneralStateTestRunner(testSuite, 'cancun');

  it.each(isShared ? slice : copied)('$folder: state root and logs of $cases cases', async ({
    folder,
    cases,
    every = 1,
  }) => {
    const url = new URL(`${folder}/`, root);
    const files = readdirSync(url).filter((_, index) => index % every === 0);
    const failures: string[] = [];
    let run = 0;
    for (const file of files) {
      const tests: Record<string, GeneralStateTest> = JSON.parse(readFileSync(new URL(file, url), 'utf8'));
      for (const [name, test] of Object.entries(tests)) {
        for (const [index, post] of (test.post.Cancun ?? []).entries()) {
          run += 1;
          const result = await runner.run(test, post);
          const agrees =
            result.stateRoot === post.hash &&
            result.logsHash === post.logs &&
            (result.refused !== undefined) === (post.expectException !== undefined);
          if (!agrees) failures.push(`${file} ${name}[${index}]: ${JSON.stringify(result)}`);
        }
      }
    }
    expect(failures).toEqual([]);
    expect(run).toBe(cases);
  });
});
