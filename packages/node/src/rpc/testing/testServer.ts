import {
  type Address,
  bytesToHex,
  decodeTransaction,
  type Hash,
  hexToBytes,
  ProtocolError,
  recoverSender,
  type SignedTransaction,
} from '@hanse/protocol';
import { decodingRejection, type Rejection } from '../../chain/transactionRejection.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { createRealClock } from '../../runtime/realClock.ts';
import { SeededRandom } from '../../runtime/seededRandom.ts';
import type { CallService, HealthReport, TransactionSubmitter } from '../dependencies.ts';
import { RPCServer, type RPCServerOptions } from '../rpcServer.ts';
import { keyOf, standardChain, TEST_CHAIN_ID, type TestChain, testSuite, testValidators, token } from './testChain.ts';

/** A pool that decodes and verifies, and otherwise does as the test says. */
export class TestPool implements TransactionSubmitter {
  readonly waiting = new Map<Hash, SignedTransaction>();
  /** The next submissions are refused with this. */
  refusal: Rejection | undefined;
  readonly #handlers: ((transactions: readonly SignedTransaction[]) => void)[] = [];

  async submit(raw: Uint8Array): ReturnType<TransactionSubmitter['submit']> {
    if (this.refusal !== undefined) return { ok: false, ...this.refusal };
    try {
      const transaction = decodeTransaction(raw, testSuite);
      const sender = recoverSender(transaction, testSuite);
      if (sender === undefined) return { ok: false, code: 'invalid-sender', message: 'the signature gives no account' };
      this.take({ ...transaction, sender });
      return { ok: true, hash: transaction.hash };
    } catch (error) {
      if (error instanceof ProtocolError) return { ok: false, ...decodingRejection(error) };
      throw error;
    }
  }

  take(transaction: SignedTransaction): void {
    this.waiting.set(transaction.hash, transaction);
    for (const handler of this.#handlers) handler([transaction]);
  }

  get(hash: Hash): SignedTransaction | undefined {
    return this.waiting.get(hash);
  }

  nextNonce(address: Address): bigint | undefined {
    let next: bigint | undefined;
    for (const { sender, nonce } of this.waiting.values()) {
      if (sender === address && nonce >= (next ?? 0n)) next = nonce + 1n;
    }
    return next;
  }

  onPending(handler: (transactions: readonly SignedTransaction[]) => void): void {
    this.#handlers.push(handler);
  }
}

/** Knows two functions of the token: `totalSupply()` gives 1,000, anything else reverts with "unknown". */
const tokenCalls: CallService = {
  async call({ to, data }) {
    if (to === undefined || to !== token) return { status: 'success', output: new Uint8Array() };
    const selector = Buffer.from(data.subarray(0, 4)).toString('hex');
    if (selector === '18160ddd')
      return { status: 'success', output: hexToBytes(`0x${(1000).toString(16).padStart(64, '0')}`) };
    return { status: 'revert', output: errorString('unknown') };
  },
  async estimateGas() {
    return { status: 'success', gas: 23_456n };
  },
};

/** Solidity's Error(string) with a short reason. */
export function errorString(reason: string): Uint8Array {
  const text = Buffer.from(reason);
  const words = Buffer.alloc(4 + 32 + 32 + 32);
  words.set([0x08, 0xc3, 0x79, 0xa0]);
  words[4 + 31] = 32;
  words[4 + 63] = text.length;
  words.set(text, 4 + 64);
  return words;
}

export interface TestServer {
  readonly chain: TestChain;
  readonly pool: TestPool;
  readonly url: string;
  readonly webSocketURL: string;
  readonly errors: string[];
  /** One call over HTTP: the parsed response. */
  rpc(method: string, ...params: readonly unknown[]): Promise<RPCResponse>;
  post(body: string | Uint8Array, headers?: Record<string, string>): Promise<Response>;
  close(): Promise<void>;
}

export interface RPCResponse {
  readonly jsonrpc: '2.0';
  readonly id: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

export interface TestServerOptions extends Partial<RPCServerOptions> {
  readonly chain?: TestChain;
  readonly calls?: CallService | readonly CallService[];
  readonly clock?: Clock;
  readonly health?: () => HealthReport;
  readonly syncing?: { readonly startingHeight: number; readonly highestHeight: number };
}

/** The real server on a free port of the loopback interface, over a chain in memory. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { chain = standardChain(), calls = tokenCalls, clock = createRealClock(), syncing, health } = options;
  const pool = new TestPool();
  const errors: string[] = [];
  const logger: Logger = {
    log: (level, message, fields) => void errors.push(`${level} ${message} ${JSON.stringify(fields)}`),
    child: () => logger,
  };
  const server = new RPCServer(
    { host: '127.0.0.1', port: 0, ...options },
    {
      ledger: chain,
      events: chain,
      pool,
      calls: 'call' in calls ? [calls] : calls,
      clock,
      logger,
      random: new SeededRandom('rpc'),
      suite: testSuite,
      metrics: createMetrics(),
      network: {
        name: 'test',
        chainId: TEST_CHAIN_ID,
        suite: testSuite.id,
        genesisHash: chain.genesisHash,
        minGasPrice: 0n,
        members: () =>
          testValidators.validators.map(({ name, address, voteKey }, index) => ({
            id: index + 1,
            name,
            role: index === 0 ? 'authority' : index === 1 ? 'bank' : 'company',
            validator: true,
            address,
            voteKey,
            transportKey: bytesToHex(keyOf(`transport of ${name}`)),
            endpoints: [`127.0.0.1:${9000 + index}`],
            // What the chain keeps beside, as any provider may: it is no part of the answer, and JSON has no bigint.
            since: 0n,
          })),
        validators: (epoch) => (epoch === testValidators.epoch ? testValidators : undefined),
      },
      node: {
        name: 'farm',
        version: '0.1.0',
        cryptography: { secp256k1: 'javascript', keccak256: 'javascript' },
        epoch: () => 0,
        view: () => 5,
        validators: () => testValidators.validators.map(({ name }) => name),
        voting: () => 'voting',
        membership: () => 'active',
        keys: () => {
          const voteKey = testValidators.validators[2]!.voteKey;
          return { voteKey, voteKeys: [voteKey], transportKey: bytesToHex(keyOf('transport of farm')) };
        },
        openProposals: () => 1,
        missingRule: () => undefined,
        peers: () => [
          { name: 'authority', endpoint: '127.0.0.1:9000', connected: true },
          { name: 'bank', endpoint: '127.0.0.1:9001', connected: true },
          { name: 'market', endpoint: '127.0.0.1:9003', connected: false },
        ],
        syncing: () => syncing,
        pendingTransactions: () => pool.waiting.size,
        health: health ?? (() => ({ healthy: true, checks: { consensus: { healthy: true, detail: 'view 5' } } })),
        evidence: () => [],
        recoveryPending: () => undefined,
        signedAsFinal: () => [],
      },
    },
  );
  const { url, webSocketURL } = await server.listen();
  const post = (body: string | Uint8Array, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(url, {
      method: 'POST',
      body: body as NonNullable<RequestInit['body']>,
      headers: { 'content-type': 'application/json', ...headers },
    });
  return {
    chain,
    pool,
    url,
    webSocketURL,
    errors,
    post,
    async rpc(method, ...params) {
      const response = await post(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));
      return (await response.json()) as RPCResponse;
    },
    close: () => server.close(),
  };
}
