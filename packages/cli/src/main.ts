#!/usr/bin/env node
import { printFailure } from './printFailure.ts';
import { createProgram } from './program.ts';

try {
  await createProgram().parseAsync(process.argv);
} catch (error) {
  process.exitCode = printFailure(error);
}
