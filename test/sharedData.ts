import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const repository = fileURLToPath(new URL('..', import.meta.url));
const folder = pathToFileURL(`${resolve(repository, process.env.HANSE_TEST_DATA ?? '../shared/data')}/`);

/**
 * A file or folder (with a closing slash) of the test data that is too large for the repository: in the folder that HANSE_TEST_DATA names, or
 * in ../shared/data. It may be absent; tests that need it skip then.
 */
export function sharedData(path: string): URL {
  return new URL(path, folder);
}

/** Whether it is there; where it is not, the reason that `what` is skipped is said once. */
export function hasSharedData(path: string, what: string): boolean {
  const isThere = existsSync(sharedData(path));
  if (!isThere) console.warn(`${what} skipped: ${fileURLToPath(sharedData(path))} is not there (HANSE_TEST_DATA).`);
  return isThere;
}
