import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../packages/cli/dist/main.js', import.meta.url));

/** `hanse node` as a process of its own. */
export class MemberNode {
  readonly child: ChildProcess;
  output = '';
  readonly #closed: Promise<number | null>;

  constructor(config: string) {
    this.child = spawn(process.execPath, [program, 'node', '--config', config], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
      });
    }
    this.#closed = new Promise((resolve) => {
      this.child.on('close', resolve);
    });
  }

  async stop(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM');
    return await this.#closed;
  }
}
