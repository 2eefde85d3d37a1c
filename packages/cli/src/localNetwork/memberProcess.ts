import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CLIError } from '../cliError.ts';
import type { MemberLayout } from './layout.ts';

/** What a member's process tells the program that started it, over the IPC channel. */
export type MemberReport =
  | { readonly type: 'ready'; readonly rpcUrl: string; readonly wsUrl: string }
  | { readonly type: 'failed'; readonly message: string };

/** How a member's process ended. */
export interface MemberExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface MemberStart {
  readonly name: string;
  readonly layout: MemberLayout;
  readonly rpcPort: number;
  readonly peerPort: number;
  /** Where the other members of this machine listen. */
  readonly known: Readonly<Record<string, string>>;
}

/**
 * One member in a process of its own. It gets a process group of its own, so that a terminal's Ctrl-C reaches only the
 * program that watches over the members, and it stops by itself when that program is gone (its IPC channel closes).
 */
export class MemberProcess {
  readonly name: string;
  readonly logFile: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<MemberExit>;
  readonly #ready: Promise<{ readonly rpcUrl: string; readonly wsUrl: string }>;

  constructor(start: MemberStart) {
    this.name = start.name;
    this.logFile = start.layout.log;
    const log = openSync(start.layout.log, 'a', 0o600);
    const program = fileURLToPath(new URL('../main.js', import.meta.url));
    const known = Object.entries(start.known).flatMap(([name, endpoint]) => ['--known', `${name}=${endpoint}`]);
    const ports = ['--rpc-port', String(start.rpcPort), '--listen', `127.0.0.1:${start.peerPort}`];
    this.#child = spawn(process.execPath, [program, 'node', '--config', start.layout.config, ...ports, ...known], {
      detached: true,
      stdio: ['ignore', log, log, 'ipc'],
    });
    closeSync(log);
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        resolve({ code, signal });
      });
      this.#child.once('error', () => {
        resolve({ code: 1, signal: null });
      });
    });
    this.#ready = this.#awaitReady();
    this.#ready.catch(() => undefined);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves when the member answers; rejects with a CLIError that says why it does not. */
  ready(): Promise<{ readonly rpcUrl: string; readonly wsUrl: string }> {
    return this.#ready;
  }

  exited(): Promise<MemberExit> {
    return this.#exited;
  }

  /** Asks the member to stop cleanly and waits until it has. */
  async stop(): Promise<MemberExit> {
    if (this.isRunning) this.#child.kill('SIGTERM');
    return await this.#exited;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #awaitReady(): Promise<{ readonly rpcUrl: string; readonly wsUrl: string }> {
    return new Promise((resolve, reject) => {
      let settled = false;
      this.#child.on('message', (report: MemberReport) => {
        settled = true;
        if (report.type === 'ready') resolve({ rpcUrl: report.rpcUrl, wsUrl: report.wsUrl });
        else reject(new CLIError(`${this.name}: ${report.message}`));
      });
      void this.#exited.then(({ code, signal }) => {
        if (settled) return;
        const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
        const last = lastLine(this.logFile);
        reject(new CLIError(`${this.name} ended while starting (${how}). Its log ${this.logFile} ends with: ${last}`));
      });
    });
  }
}

/** The last line of a log, which somebody may have moved away meanwhile. */
function lastLine(file: string): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').at(-1) ?? '';
  } catch (error) {
    return `(it cannot be read: ${(error as Error).message})`;
  }
}
