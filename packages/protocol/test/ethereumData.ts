import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { hasSharedData, sharedData } from '../../../test/sharedData.ts';

/** The small conformance tests of Ethereum are in the repository (testdata/ethereum-tests/SOURCE.md), the rest stands beside it. */
const copied = new URL('../testdata/', import.meta.url);

/** Whether the chain and the answers that execution-apis recorded are there; the repository does not hold them. */
export function hasExecutionApis(what: string): boolean {
  return hasSharedData('ethereum/execution-apis/', `${what} of execution-apis`);
}

function locate(path: string): URL {
  const here = new URL(path, copied);
  return existsSync(here) ? here : sharedData(`ethereum/${path}`);
}

export function ethereumBytes(path: string): Uint8Array {
  return new Uint8Array(readFileSync(locate(path)));
}

export function ethereumJson<T>(path: string): T {
  return JSON.parse(readFileSync(locate(path), 'utf8')) as T;
}

/** The names in a folder, sorted; empty if the folder is absent. */
export function ethereumFiles(path: string): string[] {
  const folder = locate(path);
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

/** The first answer in a recorded exchange of execution-apis: lines `>> request` and `<< response`. */
export function ethereumAnswer<T>(path: string): T {
  const line = readFileSync(locate(path), 'utf8')
    .split('\n')
    .find((candidate) => candidate.startsWith('<< '));
  if (line === undefined) throw new Error(`${path} holds no answer`);
  return (JSON.parse(line.slice(3)) as { result: T }).result;
}
