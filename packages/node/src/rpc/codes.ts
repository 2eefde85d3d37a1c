import type { Hex } from '@hanse/protocol';
import type { RejectionCode } from '../chain/transactionRejection.ts';

/** One row of the table of errors: the JSON-RPC code, the message clients match on, and when it happens. */
export interface RPCErrorEntry {
  readonly code: number;
  /** Begins every message of this error; what follows after a colon is detail for people. */
  readonly message: string;
  readonly when: string;
}

/**
 * Every error that a client can receive. Codes and messages are go-ethereum's (`rpc/errors.go`, `core/error.go`,
 * `core/txpool/errors.go`), because viem, ethers and wallets recognise errors by them; -32700 to -32600 are JSON-RPC 2.0's and
 * -32001 to -32005 EIP-1474's. docs/reference/rpc.md prints this table, and a test compares the two.
 */
export const rpcErrors = {
  'parse-error': {
    code: -32700,
    message: 'parse error',
    when: 'The body is no JSON, or nested too deeply, or holds too many values.',
  },
  'invalid-request': { code: -32600, message: 'invalid request', when: 'The JSON is no JSON-RPC 2.0 request.' },
  'empty-batch': { code: -32600, message: 'empty batch', when: 'The batch is an empty array.' },
  'batch-too-large': { code: -32600, message: 'batch too large', when: 'The batch holds more calls than the limit.' },
  'body-too-large': {
    code: -32600,
    message: 'content length too large',
    when: 'The body is larger than the limit (HTTP 413).',
  },
  'method-not-found': {
    code: -32601,
    message: 'the method does not exist/is not available',
    when: 'No such method; the message names it.',
  },
  'subscription-kind-unknown': {
    code: -32601,
    message: 'no such subscription in eth namespace',
    when: '`eth_subscribe` with an unknown kind; the message names it.',
  },
  'invalid-params': {
    code: -32602,
    message: 'invalid params',
    when: 'A parameter is missing, surplus or of the wrong form; the message says which.',
  },
  'invalid-range': {
    code: -32602,
    message: 'invalid block range params',
    when: 'A log query whose `fromBlock` is above its `toBlock`.',
  },
  'range-beyond-head': {
    code: -32602,
    message: 'block range extends beyond current head block',
    when: 'A log query that ends above the newest block.',
  },
  'internal-error': { code: -32603, message: 'internal error', when: 'A bug of this member; its log has the details.' },
  'server-error': { code: -32000, message: 'server error', when: 'Anything that has no row of its own.' },
  'block-not-found': {
    code: -32000,
    message: 'header not found',
    when: 'A state, call, log or finality query names a block that does not exist.',
  },
  'state-not-available': {
    code: -32000,
    message: 'state is not available',
    when: 'A state query at a block below the newest one; the message names the block.',
  },
  'not-certified': {
    code: -32000,
    message: 'no certified descendant',
    when: '`hanse_getFinality` finds no certificate within the bound.',
  },
  'filter-not-found': {
    code: -32000,
    message: 'filter not found',
    when: 'The filter does not exist, expired, or is of another kind.',
  },
  'subscription-not-found': {
    code: -32000,
    message: 'subscription not found',
    when: '`eth_unsubscribe` with an unknown identifier.',
  },
  'execution-failed': {
    code: -32000,
    message: 'execution failed',
    when: 'A call failed other than by a revert; the message is the reason, for example `out of gas`.',
  },
  'execution-timeout': { code: -32000, message: 'execution aborted', when: 'A call ran longer than the time allowed.' },
  'gas-allowance': {
    code: -32000,
    message: 'gas required exceeds allowance',
    when: '`eth_estimateGas` finds no amount of gas that suffices.',
  },
  rlp: {
    code: -32000,
    message: 'rlp: malformed transaction',
    when: 'The raw transaction is no canonical RLP or no known envelope.',
  },
  'transaction-type': {
    code: -32000,
    message: 'transaction type not supported',
    when: 'An envelope that this network does not accept (blob, EIP-7702, unknown).',
  },
  'invalid-signature': {
    code: -32000,
    message: 'invalid transaction v, r, s values',
    when: 'The signature is malformed, has a high s, or yields no sender.',
  },
  'invalid-sender': { code: -32000, message: 'invalid sender', when: 'The signature yields no account.' },
  'invalid-transaction': {
    code: -32000,
    message: 'invalid transaction',
    when: 'A field of the transaction is out of its range; the message says which.',
  },
  unprotected: {
    code: -32000,
    message: 'only replay-protected (EIP-155) transactions allowed over RPC',
    when: 'A legacy transaction without chain id.',
  },
  'wrong-chain': {
    code: -32000,
    message: 'invalid chain id for signer',
    when: 'The transaction is signed for another chain.',
  },
  'nonce-too-low': { code: -32000, message: 'nonce too low', when: 'The nonce was used already.' },
  'nonce-too-high': { code: -32000, message: 'nonce too high', when: 'The nonce is too far ahead of the account.' },
  'nonce-max': {
    code: -32000,
    message: 'nonce has max value',
    when: 'The nonce is the last that fits 64 bits (EIP-2681).',
  },
  'sender-not-eoa': {
    code: -32000,
    message: 'sender not an eoa',
    when: 'The sender is a contract (EIP-3607).',
  },
  'already-known': { code: -32000, message: 'already known', when: 'The very same transaction waits already.' },
  'replacement-underpriced': {
    code: -32000,
    message: 'replacement transaction underpriced',
    when: 'Another transaction of this nonce waits and this one does not pay enough more.',
  },
  underpriced: { code: -32000, message: 'transaction underpriced', when: "The price is below the network's minimum." },
  'fee-below-base': {
    code: -32000,
    message: 'max fee per gas less than block base fee',
    when: 'The fee cap is below the base fee.',
  },
  'tip-above-fee-cap': {
    code: -32000,
    message: 'max priority fee per gas higher than max fee per gas',
    when: 'The tip is above the fee cap.',
  },
  'insufficient-funds': {
    code: -32000,
    message: 'insufficient funds for gas * price + value',
    when: 'The sender cannot pay.',
  },
  'intrinsic-gas': {
    code: -32000,
    message: 'intrinsic gas too low',
    when: "The gas does not even cover the transaction's own bytes.",
  },
  'floor-gas': {
    code: -32000,
    message: 'insufficient gas for floor data gas cost',
    when: 'The gas does not cover the floor price of the data (EIP-7623).',
  },
  'gas-limit': {
    code: -32000,
    message: 'exceeds block gas limit',
    when: 'The transaction asks for more gas than a block has.',
  },
  'transaction-gas-limit': {
    code: -32000,
    message: 'transaction gas limit too high',
    when: 'The transaction asks for more gas than one transaction may have (16,777,216, EIP-7825).',
  },
  'initcode-too-large': {
    code: -32000,
    message: 'max initcode size exceeded',
    when: 'A creation with more than 49,152 bytes of code (EIP-3860).',
  },
  oversized: { code: -32000, message: 'oversized data', when: 'The transaction is larger than the limit.' },
  'sender-not-permitted': {
    code: -32000,
    message: 'sender not permitted',
    when: 'The account is not registered on this permissioned network.',
  },
  'deploy-not-permitted': {
    code: -32000,
    message: 'deploy not permitted',
    when: 'The account may not deploy contracts.',
  },
  'pool-full': { code: -32000, message: 'txpool is full', when: 'The pool holds as many transactions as it may.' },
  'account-limit': {
    code: -32000,
    message: 'account limit exceeded',
    when: 'The pool holds as many transactions of this sender as it may.',
  },
  'not-ready': { code: -32000, message: 'member not ready', when: 'The member is starting or stopping.' },
  'notifications-unsupported': {
    code: -32001,
    message: 'notifications not supported',
    when: '`eth_subscribe` over HTTP.',
  },
  'request-timeout': {
    code: -32002,
    message: 'request timed out',
    when: 'The calls of a request took longer than it may take.',
  },
  'response-too-large': { code: -32003, message: 'response too large', when: 'The result is larger than the limit.' },
  'limit-exceeded': {
    code: -32005,
    message: 'limit exceeded',
    when: 'Too many blocks, results, filters, subscriptions or calls at once; the message says which.',
  },
  'execution-reverted': {
    code: 3,
    message: 'execution reverted',
    when: 'A call reverted; `data` holds the revert data.',
  },
} as const satisfies Record<string, RPCErrorEntry>;

export type RPCErrorName = keyof typeof rpcErrors;

/** The error object of a JSON-RPC response. */
export interface RPCErrorObject {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** An expected rejection of a call. Anything else that a handler throws is a bug and becomes `internal-error`. */
export class RPCError extends Error {
  readonly errorName: RPCErrorName;
  readonly data: Hex | undefined;

  /** `message` replaces the row's message; it should begin with it, because clients match on it. */
  constructor(errorName: RPCErrorName, message?: string, data?: Hex) {
    super(message ?? rpcErrors[errorName].message);
    this.name = 'RPCError';
    this.errorName = errorName;
    this.data = data;
  }

  toObject(): RPCErrorObject {
    const { code } = rpcErrors[this.errorName];
    return this.data === undefined ? { code, message: this.message } : { code, message: this.message, data: this.data };
  }
}

/** The row's message followed by `detail`, the way go-ethereum wraps its errors. */
export function rpcError(errorName: RPCErrorName, detail?: string): RPCError {
  const { message } = rpcErrors[errorName];
  return new RPCError(errorName, detail === undefined || detail === '' ? message : withPrefix(message, detail));
}

/** Puts the row's message in front unless the detail already begins with it. */
function withPrefix(message: string, detail: string): string {
  return detail.startsWith(message) ? detail : `${message}: ${detail}`;
}

/** The error for a transaction that was refused; the table has a row for every code. */
export function rejectionError(code: RejectionCode, message: string): RPCError {
  return rpcError(code, message);
}
