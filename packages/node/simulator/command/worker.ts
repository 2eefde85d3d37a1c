import { runSeed } from './runSeed.ts';
import type { SeedAnswer, SeedRequest } from './workerPool.ts';

// One of the processes of `workerPool.ts`: a seed in, its result out, until the parent hangs up.

const answer = (value: SeedAnswer): void => {
  process.send?.(value);
};

process.on('message', ({ campaign, seed }: SeedRequest) => {
  runSeed(campaign, seed).then(answer, (error: unknown) => {
    answer({ seed, failure: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  });
});
