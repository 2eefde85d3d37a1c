// Brings a checkout to the state that `npm start` and `npm test` need: dependencies as the lock file says, a build that is
// not stale. Uses nothing but Node.js itself, because it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const minimumNode = [20, 19];

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > minimumNode[0] || (major === minimumNode[0] && minor >= minimumNode[1])) return;
  fail(
    `Hanse needs Node.js >= ${minimumNode.join('.')}; this is ${process.versions.node}. Install a newer one from nodejs.org.`,
  );
}

/** Runs a command in the root with its output shown; ends the program with a clear line if it fails. */
function run(label, command, args) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (result.error) fail(`${label} could not start: ${result.error.message}`);
  if (result.signal) process.exit(130);
  if (result.status !== 0) fail(`${label} failed (exit code ${result.status}); see the lines above.`);
}

function install() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = join(root, 'node_modules', '.hanse-installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  process.stdout.write('Installing dependencies (npm ci) ...\n');
  run('npm ci', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stamp, lock);
}

/** Builds the product, or the project in a folder with what it needs. */
export function build(project = '.') {
  // The compiler is incremental: an up-to-date tree costs a fraction of a second.
  run('The build', process.execPath, [join(root, 'node_modules', 'typescript-native', 'bin', 'tsc'), '-b', project]);
}

export function prepare() {
  checkNode();
  install();
  build();
}
