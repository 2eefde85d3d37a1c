import { parentPort, workerData } from 'node:worker_threads';
import { compileContractHere } from './compileContract.ts';

// The thread of compileContract: one path in, one answer out. A throw reaches the other side as the thread's error.
parentPort?.postMessage(await compileContractHere(workerData as string));
