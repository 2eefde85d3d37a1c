import {
  type Account,
  type Address,
  bytesToHex,
  type Certificate,
  constantHeaderFields,
  createAddress,
  createInternationalSuite,
  Epoch,
  emptyHashes,
  encodeReceipt,
  type FinalizeStatement,
  genesisDigest,
  type Hash,
  type Header,
  Height,
  headerExtraData,
  headerHash,
  hexToBytes,
  type Log,
  logsBloom,
  mergeBlooms,
  orderedTrieRoot,
  type Proposal,
  portablePrimitives,
  proposalDigest,
  type SignedTransaction,
  type StateReader,
  type StoredReceipt,
  type Suite,
  signTransaction,
  statementBytes,
  type UnsignedTransaction,
  type ValidatorSet,
  View,
  validatorSetHash,
  ZERO_HASH,
} from '@hanse/protocol';
import type { ChainEvents, LedgerReader } from '../dependencies.ts';

export const testSuite: Suite = createInternationalSuite(portablePrimitives);
export const TEST_CHAIN_ID = 20_260_818n;

export const keyOf = (name: string): Uint8Array => testSuite.keccak256(Buffer.from(`key of ${name}`));
export const addressOf = (name: string): Address =>
  testSuite.addressOf(testSuite.primitives.secp256k1PublicKey(keyOf(name), false))!;

export const alice = addressOf('alice');
export const bob = addressOf('bob');
/** The contract that the first block of the standard chain creates. */
export const token = createAddress(testSuite, alice, 0n);
/** keccak256("Transfer(address,address,uint256)") */
export const TRANSFER_TOPIC: Hash = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';

export const addressTopic = (address: Address): Hash => `0x${'00'.repeat(12)}${address.slice(2)}`;

/** What executing a transaction is said to have given; this chain signs, hashes and certifies, but runs nothing. */
export interface ScriptedTransaction {
  readonly transaction: SignedTransaction;
  readonly gasUsed?: bigint;
  readonly logs?: readonly Log[];
  /** Fails with this revert data. */
  readonly revertData?: Uint8Array;
}

interface StoredBlock {
  readonly header: Header;
  readonly hash: Hash;
  readonly transactions: readonly SignedTransaction[];
  readonly receipts: readonly StoredReceipt[];
  readonly proposal: { readonly proposal: Proposal; readonly digest: Hash } | undefined;
  readonly certificate: Certificate<FinalizeStatement> | undefined;
}

const names = ['authority', 'bank', 'farm', 'market'];

export const testValidators: ValidatorSet = {
  epoch: Epoch(0),
  validators: names.map((name) => ({
    name,
    address: addressOf(name),
    voteKey: testSuite.publicKey(keyOf(name)),
  })),
};

/** Signs a transaction of the test chain; what is left out is 0, empty, or type 2. */
export function signed(sender: string, fields: Partial<UnsignedTransaction>): SignedTransaction {
  return signTransaction(
    {
      type: 2,
      chainId: TEST_CHAIN_ID,
      nonce: 0n,
      gasLimit: 100_000n,
      maxFeePerGas: 0n,
      maxPriorityFeePerGas: 0n,
      to: undefined,
      value: 0n,
      data: new Uint8Array(),
      accessList: [],
      ...fields,
    },
    keyOf(sender),
    testSuite,
  );
}

/** A finalized chain in memory with real hashes, roots, blooms, signatures and certificates. */
export class TestChain implements LedgerReader, ChainEvents {
  readonly accounts = new Map<Address, Account>();
  readonly slots = new Map<string, bigint>();
  readonly codes = new Map<Hash, Uint8Array>([[emptyHashes(testSuite).code, new Uint8Array()]]);
  readonly #blocks: StoredBlock[] = [];
  readonly #heights = new Map<Hash, Height>();
  readonly #places = new Map<Hash, { height: Height; index: number }>();
  readonly #handlers: ((blocks: readonly { height: Height }[]) => void)[] = [];
  /** How often a block was read as a whole. */
  decodedBlocks = 0;

  constructor() {
    this.#push(this.#genesis(), [], undefined);
  }

  get genesisHash(): Hash {
    return this.#blocks[0]!.hash;
  }

  refresh(): void {}

  headHeight(): Height {
    return Height(this.#blocks.length - 1);
  }

  header(height: Height): { header: Header; hash: Hash } | undefined {
    return this.#blocks[height];
  }

  heightOf(hash: Hash): Height | undefined {
    return this.#heights.get(hash);
  }

  transactions(height: Height): readonly SignedTransaction[] | undefined {
    return this.#blocks[height]?.transactions;
  }

  iterateTransactions(height: Height): Iterable<SignedTransaction> | undefined {
    this.decodedBlocks++;
    return this.#blocks[height]?.transactions;
  }

  iterateReceipts(height: Height): Iterable<StoredReceipt> | undefined {
    return this.#blocks[height]?.receipts;
  }

  findTransaction(hash: Hash): { height: Height; index: number } | undefined {
    return this.#places.get(hash);
  }

  certificate(height: Height): Certificate<FinalizeStatement> | undefined {
    return this.#blocks[height]?.certificate;
  }

  state(): StateReader {
    return {
      account: (address) => this.accounts.get(address),
      storage: (address, slot) => this.slots.get(`${address}/${slot}`) ?? 0n,
      code: (codeHash) => {
        const code = this.codes.get(codeHash);
        if (code === undefined) throw new Error(`no code ${codeHash}`);
        return code;
      },
    };
  }

  onFinalized(handler: (blocks: readonly { height: Height }[]) => void): void {
    this.#handlers.push(handler);
  }

  setAccount(address: Address, fields: Partial<Account> & { readonly code?: Uint8Array }): void {
    const { code = new Uint8Array(), ...rest } = fields;
    const codeHash = testSuite.hashHex(code);
    this.codes.set(codeHash, code);
    const old = this.accounts.get(address) ?? {
      nonce: 0n,
      balance: 0n,
      storageRoot: emptyHashes(testSuite).trieRoot,
      codeHash,
    };
    this.accounts.set(address, { ...old, codeHash, ...rest });
  }

  /** Appends a block and tells the handlers. Returns its height. */
  append(scripted: readonly ScriptedTransaction[], options: { readonly certified?: boolean } = {}): Height {
    const parent = this.#blocks.at(-1)!;
    const height = Height(parent.header.number + 1);
    const transactions = scripted.map(({ transaction }) => transaction);
    for (const { sender, nonce } of transactions) {
      this.setAccount(sender, { ...this.accounts.get(sender), nonce: nonce + 1n });
    }
    const proposal: Proposal = {
      epoch: Epoch(0),
      view: View(height),
      leader: height % names.length,
      parentDigest: parent.proposal?.digest ?? genesisDigest(testSuite, this.genesisHash),
      height,
      timeMs: 1_790_000_000_000 + height * 1_000,
      transactionHashes: transactions.map(({ hash }) => hash),
    };
    const digest = proposalDigest(testSuite, this.genesisHash, proposal);
    const receipts = makeReceipts(scripted);
    const header = this.#header(parent.header, { proposal, digest, transactions, receipts });
    const certificate =
      options.certified === false ? undefined : this.#certify(proposal, digest, headerHash(testSuite, header));
    this.#push(header, scripted, { proposal: { proposal, digest }, certificate, receipts });
    for (const handler of this.#handlers) handler([{ height }]);
    return height;
  }

  #genesis(): Header {
    const { trieRoot } = emptyHashes(testSuite);
    return {
      ...constantHeaderFields(testSuite),
      parentHash: ZERO_HASH,
      beneficiary: `0x${'00'.repeat(20)}`,
      stateRoot: trieRoot,
      transactionsRoot: trieRoot,
      receiptsRoot: trieRoot,
      logsBloom: `0x${'00'.repeat(256)}`,
      number: Height(0),
      gasLimit: 60_000_000n,
      gasUsed: 0n,
      timestamp: 1_790_000_000,
      extraData: testSuite.hashHex(Buffer.from('genesis document')),
      mixHash: ZERO_HASH,
      baseFeePerGas: 0n,
    };
  }

  #header(
    parent: Header,
    block: {
      readonly proposal: Proposal;
      readonly digest: Hash;
      readonly transactions: readonly SignedTransaction[];
      readonly receipts: readonly StoredReceipt[];
    },
  ): Header {
    const { proposal, digest, transactions, receipts } = block;
    const nextSetHash = validatorSetHash(testSuite, testValidators);
    return {
      ...parent,
      parentHash: headerHash(testSuite, parent),
      beneficiary: testValidators.validators[proposal.leader]!.address,
      transactionsRoot: orderedTrieRoot(
        transactions.map(({ raw }) => raw),
        testSuite,
      ),
      receiptsRoot: orderedTrieRoot(
        receipts.map((receipt) => encodeReceipt(testSuite, receipt)),
        testSuite,
      ),
      logsBloom: bytesToHex(mergeBlooms(receipts.map(({ logs }) => logsBloom(testSuite, logs)))),
      number: proposal.height,
      gasUsed: receipts.at(-1)?.cumulativeGasUsed ?? 0n,
      timestamp: Math.floor(proposal.timeMs / 1000),
      extraData: headerExtraData(testSuite, digest, Epoch(0), nextSetHash),
      mixHash: headerHash(testSuite, parent),
    };
  }

  #certify(proposal: Proposal, digest: Hash, blockHash: Hash): Certificate<FinalizeStatement> {
    const { epoch, view, height } = proposal;
    const statement: FinalizeStatement = { kind: 'finalize', epoch, view, digest, height, blockHash };
    const message = statementBytes(this.genesisHash, statement);
    const signatures = [0, 1, 3].map((signer) => ({
      signer,
      signature: testSuite.sign(keyOf(names[signer]!), message),
    }));
    return { statement, signatures };
  }

  #push(
    header: Header,
    scripted: readonly ScriptedTransaction[],
    rest: (Pick<StoredBlock, 'proposal' | 'certificate'> & { readonly receipts: readonly StoredReceipt[] }) | undefined,
  ): void {
    const hash = headerHash(testSuite, header);
    const transactions = scripted.map(({ transaction }) => transaction);
    const height = header.number;
    this.#blocks.push({
      header,
      hash,
      transactions,
      receipts: rest?.receipts ?? [],
      proposal: rest?.proposal,
      certificate: rest?.certificate,
    });
    this.#heights.set(hash, height);
    for (const [index, transaction] of transactions.entries()) this.#places.set(transaction.hash, { height, index });
  }
}

function makeReceipts(scripted: readonly ScriptedTransaction[]): readonly StoredReceipt[] {
  let cumulativeGasUsed = 0n;
  return scripted.map(({ transaction, gasUsed = 21_000n, logs = [], revertData }) => {
    cumulativeGasUsed += gasUsed;
    return {
      type: transaction.type,
      success: revertData === undefined,
      cumulativeGasUsed,
      logs,
      gasUsed,
      effectiveGasPrice: transaction.maxFeePerGas,
      ...(transaction.to === undefined
        ? { contractAddress: createAddress(testSuite, transaction.sender, transaction.nonce) }
        : {}),
      revertData: revertData ?? new Uint8Array(),
    };
  });
}

export function transferLog(from: Address, to: Address, amount: bigint): Log {
  return {
    address: token,
    topics: [TRANSFER_TOPIC, addressTopic(from), addressTopic(to)],
    data: hexToBytes(`0x${amount.toString(16).padStart(64, '0')}`),
  };
}

/**
 * Four blocks: a legacy creation of `token`; a transfer of type 2 with two logs, a call of type 1 with an access list, and a failed
 * call; an empty, uncertified block; a legacy call with one log.
 */
export function standardChain(): TestChain {
  const chain = new TestChain();
  chain.setAccount(alice, { balance: 10n ** 18n });
  chain.append([
    { transaction: signed('alice', { type: 0, data: hexToBytes('0x600a80600b6000396000f3') }), gasUsed: 53_000n },
  ]);
  chain.setAccount(token, { nonce: 1n, code: hexToBytes('0x6080604052') });
  chain.slots.set(`${token}/0`, 1_000n);
  chain.append([
    {
      transaction: signed('alice', { nonce: 1n, to: token, data: hexToBytes('0xa9059cbb') }),
      gasUsed: 51_000n,
      logs: [transferLog(alice, bob, 5n), transferLog(alice, alice, 7n)],
    },
    {
      transaction: signed('bob', {
        type: 1,
        to: token,
        accessList: [{ address: token, storageKeys: [ZERO_HASH] }],
      }),
      gasUsed: 30_000n,
      logs: [transferLog(bob, alice, 3n)],
    },
    { transaction: signed('alice', { nonce: 2n, to: token }), revertData: hexToBytes('0xdeadbeef') },
  ]);
  chain.append([], { certified: false });
  chain.append([{ transaction: signed('bob', { type: 0, nonce: 1n, to: token }), logs: [transferLog(bob, bob, 9n)] }]);
  return chain;
}
