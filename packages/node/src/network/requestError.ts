/** Why a request to a peer has no answer. */
export type RequestErrorCode = 'not-connected' | 'timeout' | 'disconnected' | 'refused' | 'overloaded';

export class RequestError extends Error {
  readonly code: RequestErrorCode;

  constructor(code: RequestErrorCode, message: string) {
    super(message);
    this.name = 'RequestError';
    this.code = code;
  }
}

/** Thrown by a request's handler to refuse with a reason that the peer may read; any other error is told as an internal one. */
export class RequestRefusal extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'RequestRefusal';
  }
}
