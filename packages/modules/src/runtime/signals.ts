/**
 * How a frame ends other than by returning. These are thrown through a handler and caught by the frame alone, are no
 * errors of the program, and so carry no stack trace, whose making would cost more than the frame. A handler never catches.
 */
export class RevertSignal {
  readonly data: Uint8Array;

  constructor(data: Uint8Array) {
    this.data = data;
  }
}

/** The frame fails like an exceptional halt of the EVM: all its gas is gone. */
export class FailureSignal {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}
