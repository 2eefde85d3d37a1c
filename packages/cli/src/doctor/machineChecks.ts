import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { keyFileNames, loadSuite } from '@hanse/node';
import { type Finding, good, problem, warning } from './finding.ts';

const MINIMUM_NODE = [20, 19] as const;

/** Node.js and the cryptographic implementation. */
export async function checkMachine(nodeVersion: string): Promise<readonly Finding[]> {
  const suite = await loadSuite('international');
  return [checkNodeVersion(nodeVersion), ...checkCryptography(suite.primitives.implementation)];
}

export function checkNodeVersion(version: string): Finding {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const [wantedMajor, wantedMinor] = MINIMUM_NODE;
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return good(`Node.js ${version}`);
  return problem(
    `Node.js ${version} is too old`,
    `Install Node.js ${MINIMUM_NODE.join('.')} or newer from nodejs.org.`,
  );
}

/** Native code answers in a fraction of the time of the others (docs/internals/dependencies.md has the numbers). */
export function checkCryptography(implementation: {
  readonly secp256k1: string;
  readonly keccak256: string;
}): readonly Finding[] {
  return Object.entries(implementation).map(([algorithm, name]) => {
    const what = `${algorithm}: ${name}`;
    if (/javascript/i.test(name))
      return problem(
        `${what}, which is slow`,
        'Run "npm ci" again and look for errors of the packages hash-wasm and tiny-secp256k1.',
      );
    // Keccak has no native addon here: WebAssembly is the best there is.
    if (algorithm === 'secp256k1' && !/native/i.test(name))
      return warning(
        `${what}, about four times slower than native`,
        'Run "npm ci" on this very machine, so that the prebuilt addon of secp256k1 for it is installed; where none exists, this is as good as it gets.',
      );
    return good(what);
  });
}

/** A member's folders: keys for the owner alone, data writable. */
export function checkMemberFolders(
  name: string,
  folders: { readonly keys: string; readonly data: string },
): readonly Finding[] {
  const names = existsSync(folders.keys) ? readdirSync(folders.keys).filter((name) => name.endsWith('.key')) : [];
  const keyFiles = names.sort().map((name) => join(folders.keys, name));
  const needed = [keyFileNames.vote, keyFileNames.transport].map((file) => join(folders.keys, file));
  const findings = [
    ...[folders.keys].filter(existsSync).flatMap(checkPrivate),
    ...keyFiles.flatMap(checkPrivate),
    ...needed.filter((file) => !existsSync(file)).map(missingKey),
    ...checkWritable(folders.data),
  ];
  return findings.length > 0 ? findings : [good(`${name}: keys are readable by their owner only, data can be written`)];
}

const missingKey = (file: string): Finding =>
  problem(`${file} is missing`, "Restore the member's keys from a copy: the network knows this member by them.");

function checkPrivate(path: string): readonly Finding[] {
  const stat = statSync(path);
  if (process.platform === 'win32' || (stat.mode & 0o077) === 0) return [];
  const mode = stat.isDirectory() ? '700' : '600';
  return [problem(`${path} can be read by others on this machine`, `Run: chmod ${mode} '${path}'`)];
}

function checkWritable(folder: string): readonly Finding[] {
  // A member that never ran has no data yet.
  if (!existsSync(folder)) return [];
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return [];
  } catch {
    return [
      problem(
        `${folder} cannot be read and written by this user`,
        `Run the member as the owner of the folder, or: chown -R "$USER" '${folder}'`,
      ),
    ];
  }
}
