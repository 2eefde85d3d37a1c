import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What `network.json` says of a running network. */
export interface NetworkDescription {
  readonly chainId: number;
  readonly suite: string;
  readonly genesisHash: `0x${string}`;
  readonly members: readonly { name: string; address: `0x${string}`; rpcUrl: string; wsUrl: string; pid: number }[];
  readonly accounts: readonly { name: string; member: string; address: `0x${string}`; privateKey: `0x${string}` }[];
  readonly currencies: readonly { symbol: string; decimals: number; address: `0x${string}` }[];
}

/** A finished run of the command line. */
export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export const program = fileURLToPath(new URL('../../packages/cli/dist/main.js', import.meta.url));

/** Runs `hanse` with arguments to its end. */
export async function hanse(
  arguments_: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  const child = spawn(process.execPath, [program, ...arguments_], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve) => {
    child.on('close', resolve);
  });
  return { code, stdout, stderr };
}

/** A fresh folder outside the repository, removed by `removeFolders`. */
const folders: string[] = [];
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hanse-e2e-'));
  folders.push(folder);
  return folder;
}

export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** The first of `count` neighbouring ports that are free here, and the same again a thousand above. */
export async function freePorts(count: number): Promise<number> {
  for (let base = 20_000 + (process.pid % 150) * 64; base < 50_000; base += 64) {
    const wanted = Array.from({ length: count }, (_, index) => [base + index, base + 1_000 + index]).flat();
    const free = await Promise.all(wanted.map(isFree));
    if (free.every(Boolean)) return base;
  }
  throw new Error('no free ports were found');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}

/** `hanse up` as a process of its own, watched through what it prints. */
export class LocalNetwork {
  readonly root: string;
  readonly rpcPort: number;
  readonly child: ChildProcess;
  output = '';
  readonly #closed: Promise<number | null>;
  readonly #watchers = new Set<() => void>();

  private constructor(root: string, rpcPort: number, arguments_: readonly string[]) {
    this.root = root;
    this.rpcPort = rpcPort;
    this.child = spawn(
      process.execPath,
      [program, 'up', '--data', root, '--rpc-port', String(rpcPort), ...arguments_],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
        for (const watcher of this.#watchers) watcher();
      });
    }
    this.#closed = new Promise((resolve) => {
      this.child.on('close', (code) => {
        resolve(code);
        for (const watcher of this.#watchers) watcher();
      });
    });
  }

  /** Starts a network and waits until its table is printed. */
  static async start(
    root: string,
    rpcPort: number,
    arguments_: readonly string[] = ['--no-story'],
  ): Promise<LocalNetwork> {
    const network = new LocalNetwork(root, rpcPort, arguments_);
    await network.printed(/^Running\./m);
    return network;
  }

  get description(): NetworkDescription {
    return JSON.parse(readFileSync(join(this.root, 'network.json'), 'utf8')) as NetworkDescription;
  }

  get hasNetworkFile(): boolean {
    return existsSync(join(this.root, 'network.json'));
  }

  member(name: string): NetworkDescription['members'][number] {
    const member = this.description.members.find((candidate) => candidate.name === name);
    if (member === undefined) throw new Error(`there is no member ${name}`);
    return member;
  }

  account(name: string): NetworkDescription['accounts'][number] {
    const account = this.description.accounts.find((candidate) => candidate.name === name);
    if (account === undefined) throw new Error(`there is no account ${name}`);
    return account;
  }

  /** Resolves when the output matches; rejects if the program ends before. */
  printed(pattern: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (pattern.test(this.output)) {
          this.#watchers.delete(look);
          resolve();
        } else if (this.child.exitCode !== null || this.child.signalCode !== null) {
          this.#watchers.delete(look);
          reject(new Error(`hanse up ended (${this.child.exitCode}) before it printed ${pattern}:\n${this.output}`));
        }
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** Ctrl-C, and waits for the end. Gives the exit code. */
  async stop(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGINT');
    return await this.#closed;
  }

  closed(): Promise<number | null> {
    return this.#closed;
  }
}
