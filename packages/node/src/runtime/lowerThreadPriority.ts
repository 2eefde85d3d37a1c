import { setPriority } from 'node:os';

/**
 * Lets other threads go first when the processor is busy. Linux keeps a nice value for each thread and sets the calling thread's; elsewhere it
 * would be the whole process, so there nothing happens.
 */
export function lowerThreadPriority(niceness: number): void {
  if (process.platform !== 'linux') return;
  setPriority(0, niceness);
}
