// The system's own tools, run one after another with their errors in full.
import { spawnSync } from 'node:child_process';

/** Runs a program to its end; throws what it wrote to standard error. Arguments are split at blanks. */
export function run(commandLine, ...more) {
  const [program, ...rest] = commandLine.split(' ');
  const { status, error, stdout, stderr } = spawnSync(program, [...rest, ...more], { encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${commandLine} ${more.join(' ')}: ${stderr.trim() || `exit code ${status}`}`);
  return stdout;
}
