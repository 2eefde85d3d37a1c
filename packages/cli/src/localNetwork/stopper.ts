import type { RunningNetwork } from './runningNetwork.ts';

/** Turns signals into one clean stop. A terminal's Ctrl-C may come twice (once through npm): only a later one forces. */
export class Stopper {
  readonly asked: Promise<void>;
  #askedAtMs: number | undefined;
  #running: RunningNetwork | undefined;

  constructor(say: (line: string) => void) {
    this.asked = new Promise((resolve) => {
      const onSignal = (): void => {
        if (this.#askedAtMs === undefined) {
          this.#askedAtMs = Date.now();
          say('\nStopping all members ...');
          resolve();
        } else if (Date.now() - this.#askedAtMs > 3_000) {
          say('Killing what still runs. The data is safe: members recover at the next start.');
          this.#running?.kill();
        }
      };
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
    });
  }

  watch(running: RunningNetwork): void {
    this.#running = running;
  }
}
