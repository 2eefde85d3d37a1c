/** Something that the user can mend: printed as one line, without a stack; the program ends with `exitCode`. */
export class CLIError extends Error {
  override readonly name = 'CLIError';
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
