import type { ProtocolError } from '@hanse/protocol';
import { staticRejectionCodes } from '../execution/staticChecks.ts';

/**
 * Why a transaction is not taken, wherever it comes from. One vocabulary for decoding, static checks and pool; every code is
 * the name of a row of rpc/codes.ts, which holds the JSON-RPC code and the words that clients know.
 */
export const rejectionCodes = [
  ...staticRejectionCodes,
  'rlp',
  'invalid-transaction',
  'invalid-signature',
  'invalid-sender',
  'already-known',
  'replacement-underpriced',
  'account-limit',
  'pool-full',
] as const;

export type RejectionCode = (typeof rejectionCodes)[number];

/** `message` begins with geth's wording where geth has one, or is detail to be put behind it. */
export interface Rejection {
  readonly code: RejectionCode;
  readonly message: string;
}

/** Says what `decodeTransaction` threw in the pool's vocabulary. */
export function decodingRejection({ code, message }: ProtocolError): Rejection {
  switch (code) {
    case 'too-large':
      return { code: 'oversized', message: `oversized data: ${message}` };
    case 'unsupported-type':
      return { code: 'transaction-type', message: `transaction type not supported: ${message}` };
    case 'invalid-rlp':
    case 'invalid-number':
      return { code: 'rlp', message: `rlp: malformed transaction: ${message}` };
    case 'invalid-signature':
    case 'high-s':
      return { code: 'invalid-signature', message: `invalid transaction v, r, s values: ${message}` };
    default:
      return { code: 'invalid-transaction', message: `invalid transaction: ${message}` };
  }
}

/** What nobody can have taken for good, on whatever state: a member that passes it on never looked at it, or means harm. */
const neverGood: ReadonlySet<RejectionCode> = new Set([
  'transaction-type',
  'unprotected',
  'wrong-chain',
  'oversized',
  'tip-above-fee-cap',
  'initcode-too-large',
  'rlp',
  'invalid-transaction',
  'invalid-signature',
  'invalid-sender',
] as const);

/** What differs between honest members for a moment and in number: one is ahead of the other, or its pool holds others. */
const usual: ReadonlySet<RejectionCode> = new Set([
  'already-known',
  'nonce-too-low',
  'nonce-too-high',
  'replacement-underpriced',
  'account-limit',
  'pool-full',
] as const);

/** What a refusal says about the member that passed the transaction on. `doubtful`: honest in small numbers only. */
export function blameFor(code: RejectionCode): 'none' | 'doubtful' | 'certain' {
  if (neverGood.has(code)) return 'certain';
  return usual.has(code) ? 'none' : 'doubtful';
}
