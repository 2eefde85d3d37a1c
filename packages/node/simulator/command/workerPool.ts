import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Campaign } from './commandLine.ts';
import type { SeedResult } from './runSeed.ts';

/** What the parent asks of a worker's process, and what it answers. */
export interface SeedRequest {
  readonly campaign: Campaign;
  readonly seed: number;
}

export type SeedAnswer = SeedResult | { readonly seed: number; readonly failure: string };

/**
 * Runs the seeds of a campaign in several processes, each taking the next seed when it has done one. `take` gets the results as they come; they
 * depend on nothing but their seeds. Rejects if a process dies.
 */
export function runInProcesses(campaign: Campaign, take: (result: SeedResult) => void): Promise<void> {
  const end = campaign.seed + campaign.runs;
  let next = campaign.seed;
  const children: ChildProcess[] = [];
  const stop = (): void => {
    for (const child of children) child.kill();
  };
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const child = fork(fileURLToPath(new URL('./worker.js', import.meta.url)), { execArgv: process.execArgv });
      children.push(child);
      const give = (): void => {
        if (next >= end) {
          child.disconnect();
          return;
        }
        child.send({ campaign, seed: next++ } satisfies SeedRequest);
      };
      child.on('message', (answer: SeedAnswer) => {
        if ('failure' in answer) {
          reject(new Error(`seed ${answer.seed}: ${answer.failure}`));
          return;
        }
        take(answer);
        give();
      });
      child.on('error', reject);
      child.on('exit', (code, signal) => {
        if (code === 0 && next >= end) resolve();
        else reject(new Error(`a process of the simulator ended with ${signal ?? `code ${code}`}`));
      });
      give();
    });
  const count = Math.min(campaign.workers, campaign.runs);
  return Promise.all(Array.from({ length: count }, one)).then(
    () => undefined,
    (error: unknown) => {
      stop();
      throw error;
    },
  );
}
