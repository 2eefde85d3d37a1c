import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Hex } from '@hanse/protocol';
import type { Abi } from 'viem';

export interface CompiledContract {
  readonly abi: Abi;
  readonly bytecode: Hex;
  /** Of the compiler: `0.8.30+commit.73712a01...`. */
  readonly compiler: string;
}

/** Path of a Solidity file of this package (its folder `contracts`, beside `src` and `dist`). */
export const contractPath = (name: string): string =>
  fileURLToPath(new URL(`../../contracts/${name}`, import.meta.url));

/**
 * Compiles a contract in a process of its own: loading the compiler and compiling keep a thread busy for seconds, which would
 * hold up whoever waits for this program meanwhile. It is a process and no worker thread, because a thread inside the
 * compiler cannot be stopped: a program that ends would wait for it. The process does not keep the program alive, and ends with it.
 */
export function compileContract(path: string): Promise<CompiledContract> {
  return new Promise((resolve, reject) => {
    const script = fileURLToPath(new URL('./compileProcess.js', import.meta.url));
    const compiler = fork(script, [path], { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    const kill = (): void => void compiler.kill('SIGKILL');
    let complaint = '';
    compiler.stderr?.setEncoding('utf8').on('data', (text: string) => {
      complaint += text.slice(0, 10_000);
    });
    compiler.once('message', (compiled) => resolve(compiled as CompiledContract));
    compiler.once('error', reject);
    compiler.once('close', () => {
      process.off('exit', kill);
      const reason = /^(?:\w*Error: )(.*)$/m.exec(complaint)?.[1] ?? 'it ended without an answer';
      reject(new Error(`The compiler failed: ${reason}`));
    });
    process.once('exit', kill);
    compiler.unref();
    compiler.channel?.unref();
    (compiler.stderr as Socket | null)?.unref();
  });
}

/** Compiles the contract that a file is named for, in this thread. Imports of OpenZeppelin come from the installed package. */
export async function compileContractHere(path: string): Promise<CompiledContract> {
  const { default: solc } = await import('solc');
  const file = basename(path);
  const input = {
    language: 'Solidity',
    sources: { [file]: { content: readFileSync(path, 'utf8') } },
    settings: {
      evmVersion: 'prague',
      optimizer: { enabled: true, runs: 200 },
      outputSelection: { [file]: { '*': ['abi', 'evm.bytecode.object'] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: readImport })) as CompilerOutput;
  const errors = (output.errors ?? []).filter(({ severity }) => severity === 'error');
  if (errors[0] !== undefined) throw new Error(`${file} does not compile: ${errors[0].message}`);
  const contract = output.contracts?.[file]?.[basename(path, '.sol')];
  if (contract === undefined) throw new Error(`${file} has no contract of its name.`);
  return { abi: contract.abi, bytecode: `0x${contract.evm.bytecode.object}`, compiler: String(solc.version()) };
}

interface CompilerOutput {
  readonly errors?: readonly { readonly severity: string; readonly message: string }[];
  readonly contracts?: Readonly<
    Record<
      string,
      Readonly<Record<string, { readonly abi: Abi; readonly evm: { readonly bytecode: { readonly object: string } } }>>
    >
  >;
}

const require = createRequire(import.meta.url);

/** The callback of the compiler for imports: contents or an error, never a throw. */
function readImport(path: string): { readonly contents: string } | { readonly error: string } {
  if (!/^@openzeppelin\/contracts\/[A-Za-z0-9_/-]+\.sol$/.test(path)) return { error: `${path} is not available` };
  try {
    return { contents: readFileSync(require.resolve(path), 'utf8') };
  } catch (error) {
    return { error: (error as Error).message };
  }
}
