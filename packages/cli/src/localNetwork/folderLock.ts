import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { CLIError } from '../cliError.ts';

/** Holds a folder for this process; a lock whose process is gone is taken over. Returns the release. */
export function lockFolder(lockFile: string, root: string): () => void {
  for (;;) {
    try {
      writeFileSync(lockFile, `${process.pid}\n`, { flag: 'wx' });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = Number(readFileSync(lockFile, 'utf8').trim());
    if (Number.isInteger(holder) && holder > 0 && holder !== process.pid && isAlive(holder)) {
      throw new CLIError(
        `The network in ${root} runs already (process ${holder}). Stop it first, or choose another folder with --data.`,
      );
    }
    rmSync(lockFile, { force: true });
  }
  return () => {
    rmSync(lockFile, { force: true });
  };
}

/** Whether a process with this id exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
