import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Ethereum's conformance data stands beside the repository; a clone by itself has none, and the tests that need it skip. */
const root = fileURLToPath(new URL('../../../../shared/data/ethereum/', import.meta.url));

/** Whether ../shared/data/ethereum is there. */
export const hasEthereumData: boolean = existsSync(root);

/** Put into the titles of suites that skip without the data. */
export const NEEDS_DATA = hasEthereumData ? '' : ' (skipped: ../shared/data/ethereum is absent)';

export function ethereumBytes(path: string): Uint8Array {
  return new Uint8Array(readFileSync(root + path));
}

export function ethereumJson<T>(path: string): T {
  return JSON.parse(readFileSync(root + path, 'utf8')) as T;
}

/** The names in a folder, sorted; empty without the data. */
export function ethereumFiles(path: string): string[] {
  return hasEthereumData ? readdirSync(root + path).sort() : [];
}

/** The first answer in a recorded exchange of execution-apis: lines `>> request` and `<< response`. */
export function ethereumAnswer<T>(path: string): T {
  const line = readFileSync(root + path, 'utf8')
    .split('\n')
    .find((candidate) => candidate.startsWith('<< '));
  if (line === undefined) throw new Error(`${path} holds no answer`);
  return (JSON.parse(line.slice(3)) as { result: T }).result;
}
