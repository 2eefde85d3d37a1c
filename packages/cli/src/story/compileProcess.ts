import { compileContractHere } from './compileContract.ts';

// The process of compileContract: the path as its argument, one message out. A throw becomes its last words and exit code.
const path = process.argv[2];
if (path === undefined) throw new Error('a path is expected');
process.send?.(await compileContractHere(path), () => process.disconnect());
