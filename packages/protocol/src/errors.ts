/** Why the protocol refuses something that came from outside. Stable: callers switch on it; messages are for people. */
export type ProtocolErrorCode =
  | 'invalid-hex'
  | 'invalid-number'
  | 'invalid-utf8'
  | 'invalid-rlp'
  | 'too-large'
  | 'unsupported-type'
  | 'invalid-transaction'
  | 'invalid-signature'
  | 'high-s'
  | 'invalid-header'
  | 'invalid-receipt'
  | 'invalid-message'
  | 'invalid-genesis'
  | 'invalid-recovery'
  | 'invalid-address'
  | 'invalid-abi'
  | 'invalid-proof';

/** An expected rejection of outside input. Anything else that is thrown is a bug in this program. */
export class ProtocolError extends Error {
  readonly code: ProtocolErrorCode;

  constructor(code: ProtocolErrorCode, message: string) {
    super(message);
    this.name = 'ProtocolError';
    this.code = code;
  }
}
