#!/usr/bin/env node
// The program that npm links: it stands in the repository, so that the link is sound before anything is built.
import { existsSync } from 'node:fs';

const program = new URL('../dist/main.js', import.meta.url);
if (existsSync(program)) {
  await import(program.href);
} else {
  process.stderr.write('Hanse is not built yet. Run "npm run build" in the repository first.\n');
  process.exitCode = 1;
}
