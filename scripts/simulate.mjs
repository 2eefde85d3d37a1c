// `npm run simulate -- ...`: builds what the simulator consists of, from the sources beside this file, and runs it.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build, root } from './prepare.mjs';

build('packages/node/simulator');
const command = join(root, 'packages', 'node', 'simulator', 'dist', 'simulator', 'command', 'simulate.js');
// A run makes much that is short-lived: a larger young generation takes a quarter off its time.
const run = spawnSync(process.execPath, ['--max-semi-space-size=64', command, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exit(run.status ?? 1);
