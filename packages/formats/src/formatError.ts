/** Why a document from outside is refused. Stable: callers switch on it; messages are for people. */
export type FormatErrorCode = 'invalid-json' | 'too-large' | 'invalid-document' | 'invalid-value' | 'unsupported';

/** An expected rejection of outside input. Anything else that is thrown by this package is a bug in it. */
export class FormatError extends Error {
  override readonly name = 'FormatError';
  readonly code: FormatErrorCode;
  /** Where in the document, as a path from its root: `$.epcisBody.eventList[3].eventTime`. */
  readonly path: string;

  constructor(code: FormatErrorCode, path: string, reason: string) {
    super(`${path}: ${reason}`);
    this.code = code;
    this.path = path;
  }
}
