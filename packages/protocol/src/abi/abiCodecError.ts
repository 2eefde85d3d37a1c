import { ProtocolError } from '../errors.ts';

/** What is wrong with a type, a value or an encoding. Stable: callers switch on it. */
export type AbiProblem =
  | 'unsupported-type'
  | 'too-deep'
  | 'too-large'
  | 'invalid-value'
  | 'too-short'
  | 'trailing-data'
  | 'bad-offset'
  | 'bad-length'
  | 'dirty-padding'
  | 'out-of-range'
  | 'invalid-utf8'
  | 'unknown-selector'
  | 'unknown-name';

/** An expected rejection by the ABI codec; `problem` says which rule was broken, the message is for people. */
export class AbiCodecError extends ProtocolError {
  readonly problem: AbiProblem;

  constructor(problem: AbiProblem, message: string) {
    super('invalid-abi', message);
    this.name = 'AbiCodecError';
    this.problem = problem;
  }
}
