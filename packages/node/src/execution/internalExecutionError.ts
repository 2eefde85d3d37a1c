/**
 * Execution met something that no input may cause: a defect of this program or a damaged database. It is never
 * turned into a receipt; whoever executes blocks withholds the finalize vote and raises an alarm
 * (packages/consensus/spec.md, "Execution is total").
 */
export class InternalExecutionError extends Error {
  override readonly name = 'InternalExecutionError';

  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

/** An assertion that stays on in production. */
export function assertExecution(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InternalExecutionError(message);
}
