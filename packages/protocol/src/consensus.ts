import { bytesToHex, hexToBytes, numberToBytes, utf8ToBytes } from './bytes.ts';
import { ProtocolError } from './errors.ts';
import { decodeRlp, encodeRlp, RlpFields, type RlpItem } from './rlp.ts';
import type { Suite } from './suite.ts';
import type { Address, Hash, Hex, ValidatorIndex } from './types.ts';
import { Epoch, Height, View } from './types.ts';

/** The largest validator set; certificates and votes are bounded by it. */
export const MAX_VALIDATORS = 31;
/** The most transactions a proposal may list (packages/consensus/spec.md, "Static checks and limits"). */
export const MAX_PROPOSAL_TRANSACTIONS = 4096;

/** Bounds of the encodings, checked before anything is parsed. */
export const MAX_VOTE_BYTES = 256;
export const MAX_CERTIFICATE_BYTES = 4096;
export const MAX_PROPOSAL_BYTES = 140_000;

/** One validator of an epoch's set, in the order of the set. */
export interface Validator {
  readonly name: string;
  /** The member's account; the beneficiary of the blocks it leads. */
  readonly address: Address;
  /** Compressed vote key of the suite, 33 bytes. */
  readonly voteKey: Hex;
}

/** The validators that reign in an epoch; 1 to 31 of them, distinct names, addresses and vote keys. */
export interface ValidatorSet {
  readonly epoch: Epoch;
  readonly validators: readonly Validator[];
}

/** What a leader proposes: a parent, a time and an ordered list of transactions (packages/consensus/spec.md, "What is signed"). */
export interface Proposal {
  readonly epoch: Epoch;
  /** The view in which the block was first proposed. */
  readonly view: View;
  readonly leader: ValidatorIndex;
  readonly parentDigest: Hash;
  readonly height: Height;
  /** Milliseconds since 1970; strictly greater than the parent's. */
  readonly timeMs: number;
  readonly transactionHashes: readonly Hash[];
}

export interface NotarizeStatement {
  readonly kind: 'notarize';
  readonly epoch: Epoch;
  readonly view: View;
  readonly parentView: View;
  readonly digest: Hash;
}

export interface NullifyStatement {
  readonly kind: 'nullify';
  readonly epoch: Epoch;
  readonly view: View;
}

export interface FinalizeStatement {
  readonly kind: 'finalize';
  readonly epoch: Epoch;
  readonly view: View;
  readonly digest: Hash;
  readonly height: Height;
  readonly blockHash: Hash;
}

/** What a vote says; its signature covers `statementBytes`. */
export type Statement = NotarizeStatement | NullifyStatement | FinalizeStatement;

export interface Vote<S extends Statement = Statement> {
  readonly statement: S;
  readonly signer: ValidatorIndex;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

/** One signer's part of a certificate. */
export interface CertificateSignature {
  readonly signer: ValidatorIndex;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

/** q votes for one statement: signers strictly ascending, exactly q of them. */
export interface Certificate<S extends Statement = Statement> {
  readonly statement: S;
  readonly signatures: readonly CertificateSignature[];
}

/** f = floor((n - 1) / 3): how many validators of `validators` may be Byzantine. */
export function faultBound(validators: number): number {
  return Math.floor((validators - 1) / 3);
}

/** q = n - floor((n - 1) / 3): two quorums share an honest member (packages/consensus/spec.md, "Model"). */
export function quorum(validators: number): number {
  return validators - faultBound(validators);
}

// Every preimage is an RLP list that begins with its tag. A tag is longer than the eight bytes of a nonce or a
// chain id, so no signed preimage of consensus can be read as a transaction, nor one kind as another.
const tag = (name: string): Uint8Array => utf8ToBytes(`hanse/${name}/1`);
const TAGS = {
  notarize: tag('notarize'),
  nullify: tag('nullify'),
  finalize: tag('finalize'),
  proposal: tag('proposal'),
  genesis: tag('genesis-digest'),
  validators: tag('validators'),
  header: tag('header-extra'),
} as const;

/** H(RLP([tag, genesisHash, epoch, view, leader, parentDigest, height, timeMs, transactionHashes])). */
export function proposalDigest(suite: Suite, genesisHash: Hash, proposal: Proposal): Hash {
  return suite.hashHex(encodeRlp([TAGS.proposal, hexToBytes(genesisHash), ...proposalFields(proposal)]));
}

/** The digest that stands for the genesis as a parent: H(RLP([tag, genesisHash])). */
export function genesisDigest(suite: Suite, genesisHash: Hash): Hash {
  return suite.hashHex(encodeRlp([TAGS.genesis, hexToBytes(genesisHash)]));
}

/**
 * What a vote's signature covers: RLP([tag of the kind, genesisHash, epoch, view, ...]) (packages/consensus/spec.md,
 * "What is signed").
 */
export function statementBytes(genesisHash: Hash, statement: Statement): Uint8Array {
  return encodeRlp([TAGS[statement.kind], hexToBytes(genesisHash), ...statementFields(statement)]);
}

/**
 * Reads what `statementBytes` wrote, and nothing else: what decodes encodes to the same bytes. For evidence, whose signature
 * covers these bytes. Throws `too-large`, `invalid-rlp` or `invalid-message`.
 */
export function decodeStatementBytes(bytes: Uint8Array): {
  readonly genesisHash: Hash;
  readonly statement: Statement;
} {
  const fields = new RlpFields('invalid-message', 'statement');
  const [tagItem, genesisHash, ...rest] = fields.list(decodeBounded(bytes, MAX_VOTE_BYTES, 'statement'), 'body');
  const name = bytesToHex(fields.bytes(tagItem, 'tag'));
  const kind = STATEMENT_KINDS.find((candidate) => bytesToHex(TAGS[candidate]) === name);
  if (kind === undefined) throw fields.fail('tag', 'is that of no vote');
  return { genesisHash: fields.hash(genesisHash, 'genesisHash'), statement: readStatementFields(fields, kind, rest) };
}

/** H(RLP([tag, epoch, [[name, address, voteKey], ...]])), in the order of the set. */
export function validatorSetHash(suite: Suite, set: ValidatorSet): Hash {
  const validators = set.validators.map((validator) => [
    utf8ToBytes(validator.name),
    hexToBytes(validator.address),
    hexToBytes(validator.voteKey),
  ]);
  return suite.hashHex(encodeRlp([TAGS.validators, numberToBytes(set.epoch), validators]));
}

/** `extraData` of a block, which binds header and proposal: H(RLP([tag, digest, epoch, nextSetHash])). */
export function headerExtraData(suite: Suite, digest: Hash, epoch: Epoch, nextSetHash: Hash): Hex {
  return suite.hashHex(encodeRlp([TAGS.header, hexToBytes(digest), numberToBytes(epoch), hexToBytes(nextSetHash)]));
}

/** RLP([epoch, view, leader, parentDigest, height, timeMs, transactionHashes]). */
export function encodeProposal(proposal: Proposal): Uint8Array {
  return encodeRlp(proposalFields(proposal));
}

/** Reads what `encodeProposal` wrote; throws `too-large`, `invalid-rlp` or `invalid-message`. */
export function decodeProposal(bytes: Uint8Array): Proposal {
  const fields = new RlpFields('invalid-message', 'proposal');
  const items = fields.list(decodeBounded(bytes, MAX_PROPOSAL_BYTES, 'proposal'), 'body', 7);
  const hashes = fields.list(items[6], 'transactionHashes');
  if (hashes.length > MAX_PROPOSAL_TRANSACTIONS) {
    throw fields.fail('transactionHashes', `must be at most ${MAX_PROPOSAL_TRANSACTIONS}`);
  }
  return {
    epoch: Epoch(fields.number(items[0], 'epoch')),
    view: View(fields.number(items[1], 'view')),
    leader: readSigner(fields, items[2], 'leader'),
    parentDigest: fields.hash(items[3], 'parentDigest'),
    height: Height(fields.number(items[4], 'height')),
    timeMs: fields.number(items[5], 'timeMs'),
    transactionHashes: hashes.map((hash) => fields.hash(hash, 'transaction hash')),
  };
}

/** RLP([statement, signer, signature]); a statement is [kind, epoch, view, ...] with kind 1 notarize, 2 nullify, 3 finalize. */
export function encodeVote(vote: Vote): Uint8Array {
  return encodeRlp([encodableStatement(vote.statement), numberToBytes(vote.signer), vote.signature]);
}

/** Reads what `encodeVote` wrote, without verifying the signature; throws `too-large`, `invalid-rlp` or `invalid-message`. */
export function decodeVote(bytes: Uint8Array): Vote {
  const fields = new RlpFields('invalid-message', 'vote');
  const items = fields.list(decodeBounded(bytes, MAX_VOTE_BYTES, 'vote'), 'body', 3);
  return {
    statement: readStatement(fields, items[0]),
    signer: readSigner(fields, items[1], 'signer'),
    signature: fields.fixed(items[2], 'signature', 64).slice(),
  };
}

/** RLP([statement, [[signer, signature], ...]]). */
export function encodeCertificate(certificate: Certificate): Uint8Array {
  const signatures = certificate.signatures.map((entry) => [numberToBytes(entry.signer), entry.signature]);
  return encodeRlp([encodableStatement(certificate.statement), signatures]);
}

/**
 * Reads what `encodeCertificate` wrote: signers strictly ascending, at most 31. Count and signatures are for
 * `verifyCertificate`. Throws `too-large`, `invalid-rlp` or `invalid-message`.
 */
export function decodeCertificate(bytes: Uint8Array): Certificate {
  const fields = new RlpFields('invalid-message', 'certificate');
  const items = fields.list(decodeBounded(bytes, MAX_CERTIFICATE_BYTES, 'certificate'), 'body', 2);
  const entries = fields.list(items[1], 'signatures');
  if (entries.length > MAX_VALIDATORS) throw fields.fail('signatures', `must be at most ${MAX_VALIDATORS}`);
  let previous = -1;
  const signatures = entries.map((entry) => {
    const pair = fields.list(entry, 'signature entry', 2);
    const signer = readSigner(fields, pair[0], 'signer');
    if (signer <= previous) throw fields.fail('signers', 'must be strictly ascending');
    previous = signer;
    return { signer, signature: fields.fixed(pair[1], 'signature', 64).slice() };
  });
  return { statement: readStatement(fields, items[0]), signatures };
}

/** Checks that the vote is of the set's epoch, its signer in the set and its signature good. Undefined if so, else the reason. */
export function verifyVote(suite: Suite, genesisHash: Hash, set: ValidatorSet, vote: Vote): string | undefined {
  if (vote.statement.epoch !== set.epoch) return `epoch ${vote.statement.epoch} instead of ${set.epoch}`;
  const validator = set.validators[vote.signer];
  if (validator === undefined) return `signer ${vote.signer} is not in the set`;
  const message = statementBytes(genesisHash, vote.statement);
  if (!suite.verify(validator.voteKey, message, vote.signature)) return `the signature of ${validator.name} is wrong`;
  return undefined;
}

/** Checks epoch, distinct sorted signers of the set, exactly q, every signature. Returns undefined if good, else the reason. */
export function verifyCertificate(
  suite: Suite,
  genesisHash: Hash,
  set: ValidatorSet,
  certificate: Certificate,
): string | undefined {
  const { statement, signatures } = certificate;
  if (statement.epoch !== set.epoch) return `epoch ${statement.epoch} instead of ${set.epoch}`;
  const needed = quorum(set.validators.length);
  // A surplus signature would give one finalized block many valid certificates, so exactly q are allowed.
  if (signatures.length !== needed) return `${signatures.length} signatures instead of ${needed}`;
  let previous = -1;
  for (const { signer } of signatures) {
    if (!Number.isInteger(signer) || signer <= previous) return 'signers are not strictly ascending';
    if (signer >= set.validators.length) return `signer ${signer} is not in the set`;
    previous = signer;
  }
  const message = statementBytes(genesisHash, statement);
  for (const { signer, signature } of signatures) {
    const validator = set.validators[signer]!;
    if (!suite.verify(validator.voteKey, message, signature)) return `the signature of ${validator.name} is wrong`;
  }
  return undefined;
}

function decodeBounded(bytes: Uint8Array, maximum: number, what: string): RlpItem {
  if (bytes.length > maximum) {
    throw new ProtocolError('too-large', `a ${what} of ${bytes.length} bytes is over the limit of ${maximum}`);
  }
  return decodeRlp(bytes);
}

function proposalFields(proposal: Proposal): RlpItem[] {
  return [
    numberToBytes(proposal.epoch),
    numberToBytes(proposal.view),
    numberToBytes(proposal.leader),
    hexToBytes(proposal.parentDigest),
    numberToBytes(proposal.height),
    numberToBytes(proposal.timeMs),
    proposal.transactionHashes.map(hexToBytes),
  ];
}

function statementFields(statement: Statement): RlpItem[] {
  const common = [numberToBytes(statement.epoch), numberToBytes(statement.view)];
  switch (statement.kind) {
    case 'notarize':
      return [...common, numberToBytes(statement.parentView), hexToBytes(statement.digest)];
    case 'nullify':
      return common;
    case 'finalize':
      return [
        ...common,
        hexToBytes(statement.digest),
        numberToBytes(statement.height),
        hexToBytes(statement.blockHash),
      ];
  }
}

const STATEMENT_KINDS = ['notarize', 'nullify', 'finalize'] as const;
const KIND_NUMBERS = { notarize: 1, nullify: 2, finalize: 3 } as const;

function encodableStatement(statement: Statement): RlpItem {
  return [numberToBytes(KIND_NUMBERS[statement.kind]), ...statementFields(statement)];
}

function readStatement(fields: RlpFields, item: RlpItem | undefined): Statement {
  const [number, ...rest] = fields.list(item, 'statement');
  const code = fields.number(number, 'kind');
  const kind = STATEMENT_KINDS.find((candidate) => KIND_NUMBERS[candidate] === code);
  if (kind === undefined) throw fields.fail('kind', `${code} is unknown`);
  return readStatementFields(fields, kind, rest);
}

/** What follows a statement's kind: [epoch, view, ...]. */
function readStatementFields(fields: RlpFields, kind: Statement['kind'], items: readonly RlpItem[]): Statement {
  const epoch = Epoch(fields.number(items[0], 'epoch'));
  const view = View(fields.number(items[1], 'view'));
  switch (kind) {
    case 'notarize': {
      fields.list(items, 'notarize statement', 4);
      const parentView = View(fields.number(items[2], 'parentView'));
      return { kind, epoch, view, parentView, digest: fields.hash(items[3], 'digest') };
    }
    case 'nullify':
      fields.list(items, 'nullify statement', 2);
      return { kind, epoch, view };
    case 'finalize': {
      fields.list(items, 'finalize statement', 5);
      const digest = fields.hash(items[2], 'digest');
      const height = Height(fields.number(items[3], 'height'));
      return { kind, epoch, view, digest, height, blockHash: fields.hash(items[4], 'blockHash') };
    }
  }
}

function readSigner(fields: RlpFields, item: RlpItem | undefined, field: string): ValidatorIndex {
  const signer = fields.number(item, field);
  if (signer >= MAX_VALIDATORS) throw fields.fail(field, `must be below ${MAX_VALIDATORS}`);
  return signer;
}
