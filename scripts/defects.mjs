// `npm run defects -- ...`: builds the simulator, plants defects in a copy of it and of the product, and shows which are noticed.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { build, root } from './prepare.mjs';

build('packages/node/simulator');
const { main } = await import(
  pathToFileURL(join(root, 'packages', 'node', 'simulator', 'dist', 'simulator', 'defects', 'main.js')).href
);
// One file by itself comes out as in the build, since the sources keep to types that can be erased.
const compilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
};
const transpile = (source) => ts.transpileModule(source, { compilerOptions }).outputText;
process.exitCode = await main(process.argv.slice(2), { root, transpile });
