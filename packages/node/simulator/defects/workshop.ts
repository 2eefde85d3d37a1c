import { type ChildProcess, fork } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Campaign } from '../command/commandLine.ts';
import type { SeedResult } from '../command/runSeed.ts';
import type { SeedAnswer, SeedRequest } from '../command/workerPool.ts';
import { applyPatches } from './applyPatches.ts';
import type { Defect } from './defect.ts';

/** What of the product the simulator runs; `node` is compiled into the simulator's own output. */
const PACKAGES = ['protocol', 'consensus', 'modules', 'node'] as const;

export interface WorkshopModules {
  /** The repository, with everything built. */
  readonly root: string;
  /** Turns a TypeScript source into what the build would make of it. */
  readonly transpile: (source: string) => string;
}

/**
 * A copy of the built product in a folder of its own, in which one defect at a time is planted. It stands below the repository's
 * `node_modules`, so that everything that is not copied is found where it always is.
 */
export class Workshop {
  readonly #modules: WorkshopModules;
  readonly #folder: string;
  #planted: readonly string[] = [];

  constructor(modules: WorkshopModules) {
    this.#modules = modules;
    const cache = join(modules.root, 'node_modules', '.cache');
    mkdirSync(cache, { recursive: true });
    this.#folder = mkdtempSync(join(cache, 'defects-'));

    mkdirSync(join(this.#folder, 'node_modules', '@hanse'), { recursive: true });
    for (const name of PACKAGES) {
      const from = join(modules.root, 'packages', name);
      const to = join(this.#folder, 'packages', name);
      mkdirSync(to, { recursive: true });
      cpSync(join(from, 'package.json'), join(to, 'package.json'));
      const built = name === 'node' ? join('simulator', 'dist') : 'dist';
      cpSync(join(from, built), join(to, built), {
        recursive: true,
        filter: (path) => !/\.d\.ts$|\.map$|\.tsbuildinfo$/.test(path),
      });
      if (existsSync(join(from, 'node_modules'))) symlinkSync(join(from, 'node_modules'), join(to, 'node_modules'));
      symlinkSync(to, join(this.#folder, 'node_modules', '@hanse', name), 'junction');
    }
  }

  /** Plants a defect in place of what was planted before; `undefined` leaves the product as it is. Throws a PatchError. */
  plant(defect: Defect | undefined): void {
    const patched = defect === undefined ? new Map<string, string>() : applyPatches(defect, this.#source);
    for (const file of this.#planted) cpSync(this.#built(this.#modules.root, file), this.#built(this.#folder, file));
    for (const [file, text] of patched) writeFileSync(this.#built(this.#folder, file), this.#modules.transpile(text));
    this.#planted = [...patched.keys()];
  }

  /** Starts a process that runs seeds of what is planted now. */
  startRunner(): SeedRunner {
    const worker = join(this.#folder, 'packages/node/simulator/dist/simulator/command/worker.js');
    return new SeedRunner(fork(worker, { execArgv: ['--max-semi-space-size=64'] }));
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #source = (file: string): string => readFileSync(join(this.#modules.root, 'packages', file), 'utf8');

  #built(root: string, file: string): string {
    const [name = '', ...path] = file.replace(/\.ts$/, '.js').split('/');
    const place = name === 'node' ? ['node', 'simulator', 'dist', ...path] : [name, 'dist', ...path.slice(1)];
    return join(root, 'packages', ...place);
  }
}

/** A process of the workshop's simulator, one seed after another. */
export class SeedRunner {
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Rejects if the process dies of it, or the simulation itself fails. */
  run(campaign: Campaign, seed: number): Promise<SeedResult> {
    return new Promise((resolve, reject) => {
      const done = (act: () => void): void => {
        this.#child.off('message', answered);
        this.#child.off('exit', died);
        act();
      };
      const answered = (answer: SeedAnswer): void =>
        done(() => ('failure' in answer ? reject(new Error(answer.failure)) : resolve(answer)));
      const died = (code: number | null, signal: string | null): void =>
        done(() => reject(new Error(`the process ended with ${signal ?? `code ${code}`}`)));
      this.#child.on('message', answered);
      this.#child.on('exit', died);
      this.#child.send({ campaign, seed } satisfies SeedRequest);
    });
  }

  end(): void {
    this.#child.kill();
  }
}
