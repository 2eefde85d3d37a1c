// `npm start`: prepares the checkout, then becomes `hanse up` in this same process, so that signals reach it directly.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prepare, root } from './prepare.mjs';

prepare();
process.argv.splice(2, 0, 'up');
await import(pathToFileURL(join(root, 'packages', 'cli', 'dist', 'main.js')).href);
