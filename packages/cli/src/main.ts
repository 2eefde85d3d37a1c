#!/usr/bin/env node
import { printFailure } from './printFailure.ts';
import { createProgram } from './program.ts';

// Whoever read the output has seen enough (`hanse block | head`): no reason to complain.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  await createProgram().parseAsync(process.argv);
} catch (error) {
  process.exitCode = printFailure(error);
}
