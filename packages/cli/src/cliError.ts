/** How a command ends (docs/reference/cli.md). Usage and bug are those of BSD's sysexits. */
export const exitCodes = {
  success: 0,
  /** Something that the user can mend: a taken port, a damaged file, a member that does not answer. */
  failure: 1,
  /** The chain said no: the transaction was refused or reverted. */
  refused: 2,
  /** The command line itself is wrong. */
  usage: 64,
  /** A bug of this program. */
  bug: 70,
} as const;

/** Something that the user can mend: printed as one line, without a stack; the program ends with `exitCode`. */
export class CLIError extends Error {
  override readonly name = 'CLIError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exitCodes.failure) {
    super(message);
    this.exitCode = exitCode;
  }
}
