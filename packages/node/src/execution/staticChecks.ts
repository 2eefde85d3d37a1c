import {
  type Account,
  type Address,
  floorGas,
  type Hash,
  intrinsicGas,
  MAX_INITCODE_BYTES,
  type SignedTransaction,
  type StateReader,
  type Transaction,
} from '@hanse/protocol';
import type { ExecutionRules, Fork } from './executionRules.ts';

/** Why a transaction by itself cannot be executed on this network, whatever its state: names of rows of rpc/codes.ts. */
export const formRejectionCodes = [
  'transaction-type',
  'unprotected',
  'wrong-chain',
  'oversized',
  'tip-above-fee-cap',
  'fee-below-base',
  'initcode-too-large',
  'intrinsic-gas',
  'floor-gas',
  'transaction-gas-limit',
  'gas-limit',
] as const;

/** Why a transaction cannot be executed on a state: names of rows of rpc/codes.ts. */
export const staticRejectionCodes = [
  ...formRejectionCodes,
  'sender-not-permitted',
  'deploy-not-permitted',
  'sender-not-eoa',
  'nonce-max',
  'nonce-too-low',
  'nonce-too-high',
  'insufficient-funds',
] as const;

export type FormRejectionCode = (typeof formRejectionCodes)[number];
export type StaticRejectionCode = (typeof staticRejectionCodes)[number];
/** What else can be wrong with a transaction's place in a block; members alone see these. */
export type RejectionCode = StaticRejectionCode | 'already-known' | 'block-full';

export interface TransactionRejection<Code extends RejectionCode = RejectionCode> {
  readonly code: Code;
  /** geth's wording, with the numbers behind it. */
  readonly message: string;
  /** Present where the transaction may well be good in a later block, so that whoever builds blocks keeps it. */
  readonly temporary?: true;
}

/** What the chain allows an account, as of the parent block. */
export interface SenderPermissions {
  readonly maySend: boolean;
  readonly mayDeploy: boolean;
}

/** EIP-2681: the last nonce cannot be used, for there is none after it. */
const lastNonce = 2n ** 64n - 1n;

type StaticRejection = TransactionRejection<StaticRejectionCode>;

const reject = <Code extends RejectionCode>(code: Code, message: string): TransactionRejection<Code> => ({
  code,
  message,
});
const postpone = <Code extends RejectionCode>(code: Code, message: string): TransactionRejection<Code> => ({
  code,
  message,
  temporary: true,
});

/**
 * Checks a transaction by itself: everything about its encoding, fees and gas that depends on the network's rules alone.
 * Undefined if it is good.
 */
export function checkTransactionForm(
  transaction: Transaction,
  rules: ExecutionRules,
): TransactionRejection<FormRejectionCode> | undefined {
  const { type, raw, gasLimit, maxFeePerGas, maxPriorityFeePerGas, chainId } = transaction;
  if (!rules.transactionTypes.has(type)) {
    return reject('transaction-type', `transaction type not supported: type ${type}`);
  }
  if (chainId === undefined) {
    return reject('unprotected', 'only replay-protected (EIP-155) transactions allowed over RPC');
  }
  if (chainId !== rules.chainId) {
    return reject('wrong-chain', `invalid chain id for signer: have ${chainId} want ${rules.chainId}`);
  }
  if (raw.length > rules.maxTransactionBytes) {
    return reject('oversized', `oversized data: transaction size ${raw.length}, limit ${rules.maxTransactionBytes}`);
  }
  if (maxPriorityFeePerGas > maxFeePerGas) {
    return reject(
      'tip-above-fee-cap',
      `max priority fee per gas higher than max fee per gas: maxPriorityFeePerGas: ${maxPriorityFeePerGas}, maxFeePerGas: ${maxFeePerGas}`,
    );
  }
  if (maxFeePerGas < rules.baseFeePerGas) {
    return reject(
      'fee-below-base',
      `max fee per gas less than block base fee: maxFeePerGas: ${maxFeePerGas}, baseFee: ${rules.baseFeePerGas}`,
    );
  }
  if (transaction.to === undefined && transaction.data.length > MAX_INITCODE_BYTES) {
    return reject(
      'initcode-too-large',
      `max initcode size exceeded: code size ${transaction.data.length}, limit ${MAX_INITCODE_BYTES}`,
    );
  }
  const intrinsic = intrinsicGas(transaction);
  if (gasLimit < intrinsic) {
    return reject('intrinsic-gas', `intrinsic gas too low: gas ${gasLimit}, minimum needed ${intrinsic}`);
  }
  const floor = rules.fork === 'cancun' ? 0n : floorGas(transaction);
  if (gasLimit < floor) {
    return reject('floor-gas', `insufficient gas for floor data gas cost: gas ${gasLimit}, minimum needed ${floor}`);
  }
  if (gasLimit > rules.blockGasLimit) {
    return reject('gas-limit', `exceeds block gas limit: gas ${gasLimit}, limit ${rules.blockGasLimit}`);
  }
  if (gasLimit > rules.maxTransactionGas) {
    return reject(
      'transaction-gas-limit',
      `transaction gas limit too high (cap: ${rules.maxTransactionGas}, tx: ${gasLimit})`,
    );
  }
  return undefined;
}

/**
 * Every rule that a transaction can be held to without knowing the other transactions of its sender
 * (packages/consensus/spec.md, "Static checks and limits"): its form, permission, a sender without code (EIP-3607), a nonce
 * that is not used, enough funds for itself. `account` is the sender's in the state checked against; undefined if there is
 * none. Undefined if it is good.
 */
export function checkTransactionStatically(
  transaction: SignedTransaction,
  account: Account | undefined,
  permissions: SenderPermissions,
  rules: ExecutionRules,
): StaticRejection | undefined {
  return (
    checkTransactionForm(transaction, rules) ??
    checkSender(transaction, account, permissions, rules) ??
    checkNonce(transaction, account?.nonce ?? 0n, false) ??
    checkFunds(transaction, account?.balance ?? 0n)
  );
}

function checkSender(
  { sender, to }: SignedTransaction,
  account: Account | undefined,
  permissions: SenderPermissions,
  rules: ExecutionRules,
): StaticRejection | undefined {
  if (!permissions.maySend) {
    return reject('sender-not-permitted', `sender not permitted: account ${sender} is not registered on this network`);
  }
  if (to === undefined && !permissions.mayDeploy) {
    return reject('deploy-not-permitted', `deploy not permitted: account ${sender} may not deploy contracts`);
  }
  if (account !== undefined && account.codeHash !== rules.emptyCodeHash) {
    return reject('sender-not-eoa', `sender not an eoa: address ${sender}, codehash: ${account.codeHash}`);
  }
  return undefined;
}

function checkNonce({ sender, nonce }: SignedTransaction, next: bigint, exact: boolean): StaticRejection | undefined {
  if (nonce === lastNonce) return reject('nonce-max', `nonce has max value: address ${sender}, nonce: ${nonce}`);
  if (nonce < next) return reject('nonce-too-low', `nonce too low: address ${sender}, tx: ${nonce} state: ${next}`);
  if (exact && nonce > next)
    return postpone('nonce-too-high', `nonce too high: address ${sender}, tx: ${nonce} state: ${next}`);
  return undefined;
}

/** What a transaction's gas limit must reach: the intrinsic gas, and the floor of EIP-7623. */
export function minimumGas(transaction: Pick<SignedTransaction, 'to' | 'data' | 'accessList'>, fork: Fork): bigint {
  const intrinsic = intrinsicGas(transaction);
  if (fork === 'cancun') return intrinsic;
  const floor = floorGas(transaction);
  if (floor > intrinsic) return floor;
  return intrinsic;
}

/** The most that a transaction can take from its sender, in wei. */
export function maxCost({
  value,
  gasLimit,
  maxFeePerGas,
}: Pick<SignedTransaction, 'value' | 'gasLimit' | 'maxFeePerGas'>): bigint {
  return value + gasLimit * maxFeePerGas;
}

function checkFunds(transaction: SignedTransaction, balance: bigint): StaticRejection | undefined {
  const cost = maxCost(transaction);
  if (balance >= cost) return undefined;
  return reject(
    'insufficient-funds',
    `insufficient funds for gas * price + value: address ${transaction.sender} have ${balance} want ${cost}`,
  );
}

export interface BlockChecksOptions {
  readonly rules: ExecutionRules;
  /** The state of the executed parent. */
  readonly parentState: StateReader;
  /** What the parent's state allows an account. */
  readonly permissions: (sender: Address) => SenderPermissions;
}

interface SenderProgress {
  readonly account: Account | undefined;
  readonly permissions: SenderPermissions;
  nextNonce: bigint;
  /** What the sender can still spend if every transaction before takes its most. */
  spendable: bigint;
}

/**
 * Checks the transactions of one block in their order against the state of its parent. The same object serves who builds a
 * block (it leaves out what `add` rejects, which changes nothing) and who checks one (the first rejection
 * makes the proposal invalid). A block that passes can be executed without leaving anything out.
 */
export class BlockChecks {
  readonly #options: BlockChecksOptions;
  readonly #senders = new Map<Address, SenderProgress>();
  readonly #hashes = new Set<Hash>();
  #gas = 0n;
  #bytes = 0;

  constructor(options: BlockChecksOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#hashes.size;
  }

  /** The sum of the gas limits so far. */
  get gas(): bigint {
    return this.#gas;
  }

  /** The sum of the encodings so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether not even the smallest transaction fits any more. */
  get isFull(): boolean {
    const { rules } = this.#options;
    return this.count >= rules.maxBlockTransactions || rules.blockGasLimit - this.#gas < 21_000n;
  }

  /** Appends a transaction; the reason if it cannot stand here. */
  add(transaction: SignedTransaction): TransactionRejection | undefined {
    const { rules } = this.#options;
    if (this.#hashes.has(transaction.hash)) return reject('already-known', `already known: ${transaction.hash}`);
    const progress = this.#senders.get(transaction.sender) ?? this.#load(transaction.sender);
    const rejection =
      checkTransactionForm(transaction, rules) ??
      checkSender(transaction, progress.account, progress.permissions, rules) ??
      checkNonce(transaction, progress.nextNonce, true) ??
      this.#checkSpendable(transaction, progress) ??
      this.#checkRoom(transaction);
    if (rejection !== undefined) return rejection;
    progress.nextNonce += 1n;
    progress.spendable -= maxCost(transaction);
    this.#hashes.add(transaction.hash);
    this.#gas += transaction.gasLimit;
    this.#bytes += transaction.raw.length;
    return undefined;
  }

  #load(sender: Address): SenderProgress {
    const { parentState, permissions } = this.#options;
    const account = parentState.account(sender);
    const progress: SenderProgress = {
      account,
      permissions: permissions(sender),
      nextNonce: account?.nonce ?? 0n,
      spendable: account?.balance ?? 0n,
    };
    // Kept also for a rejected one: whoever builds from a full pool asks for the same senders again and again.
    this.#senders.set(sender, progress);
    return progress;
  }

  /** The transactions before may give back gas, so that one which is refused for their sake may be good in a later block. */
  #checkSpendable(transaction: SignedTransaction, progress: SenderProgress): TransactionRejection | undefined {
    const alone = checkFunds(transaction, progress.account?.balance ?? 0n);
    if (alone !== undefined) return alone;
    const together = checkFunds(transaction, progress.spendable);
    return together === undefined ? undefined : postpone(together.code, together.message);
  }

  #checkRoom(transaction: SignedTransaction): TransactionRejection | undefined {
    const { rules } = this.#options;
    if (this.count >= rules.maxBlockTransactions) {
      return postpone('block-full', `the block holds ${rules.maxBlockTransactions} transactions already`);
    }
    if (this.#gas + transaction.gasLimit > rules.blockGasLimit) {
      return postpone('block-full', `the gas limits of the block's transactions exceed ${rules.blockGasLimit}`);
    }
    if (this.#bytes + transaction.raw.length > rules.maxBlockBytes) {
      return postpone('block-full', `the block's transactions exceed ${rules.maxBlockBytes} bytes`);
    }
    return undefined;
  }
}

/** Checks all transactions of a proposal; the first that cannot stand, with its place in the list. */
export function checkBlockTransactions(
  transactions: readonly SignedTransaction[],
  options: BlockChecksOptions,
): { readonly index: number; readonly rejection: TransactionRejection } | undefined {
  const checks = new BlockChecks(options);
  for (const [index, transaction] of transactions.entries()) {
    const rejection = checks.add(transaction);
    if (rejection !== undefined) return { index, rejection };
  }
  return undefined;
}
