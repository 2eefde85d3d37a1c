import { readdirSync } from 'node:fs';
import { Height } from '@hanse/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rejectionCodes } from '../chain/transactionRejection.ts';
import { rejectionError, rpcError, rpcErrors } from './codes.ts';
import type { ExampleValues } from './method.ts';
import { methodTable } from './methodTable.ts';
import { type ExecutedExample, exampleParams, renderReference } from './testing/renderReference.ts';
import { bob, signed, token } from './testing/testChain.ts';
import { startTestServer, type TestServer } from './testing/testServer.ts';
import { TestWebSocket } from './testing/webSocketClient.ts';

let server: TestServer;
let client: TestWebSocket;
beforeAll(async () => {
  server = await startTestServer();
  client = new TestWebSocket(server.webSocketURL);
  await client.opened;
});
afterAll(async () => {
  client.socket.terminate();
  await server.close();
});

/** Identifiers differ by what they name; these methods need one that exists. */
async function identifierFor(method: string): Promise<unknown> {
  if (method === 'eth_unsubscribe') return (await client.call('eth_subscribe', 'newHeads')).result;
  return (await client.call('eth_newFilter', { fromBlock: '0x4', address: token })).result;
}

async function execute(name: string): Promise<ExecutedExample> {
  const method = methodTable.get(name)!;
  const values: ExampleValues = {
    account: bob,
    contract: token,
    blockHash: server.chain.header(Height(4))!.hash,
    transactionHash: server.chain.transactions(Height(4))![0]!.hash,
    rawTransaction: `0x${Buffer.from(signed('bob', { nonce: 2n, to: token }).raw).toString('hex')}`,
    identifier: (await identifierFor(name)) as `0x${string}`,
  };
  const params = exampleParams(method, values);
  const answer = await client.call(name, ...params);
  expect(answer.error, name).toBeUndefined();
  // The only result that depends on the machine.
  const result = name === 'web3_clientVersion' ? 'Hanse/v0.1.0/linux-x64/node20.19.0' : answer.result;
  return { method, params, result };
}

describe('docs/reference/rpc.md', () => {
  it('documents every method with an example that works, every error and every limit (update with `vitest run FILE --update`)', async () => {
    const examples: ExecutedExample[] = [];
    for (const name of methodTable.keys()) examples.push(await execute(name));
    await expect(renderReference(examples)).toMatchFileSnapshot('../../../../docs/reference/rpc.md');
  });
});

describe('the table of methods', () => {
  it('has one file for each method, named after it', () => {
    const files = readdirSync(new URL('./methods/', import.meta.url))
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .map((file) => file.slice(0, -3));
    expect(files.sort()).toEqual([...methodTable.keys()].sort());
  });
});

describe('the table of errors', () => {
  it('uses the codes of JSON-RPC 2.0, EIP-1474 and go-ethereum only', () => {
    const known = [-32700, -32600, -32601, -32602, -32603, -32000, -32001, -32002, -32003, -32005, 3];
    for (const [name, { code }] of Object.entries(rpcErrors)) expect(known, name).toContain(code);
  });

  it('lets every message begin as clients expect, whatever detail follows', () => {
    expect(rpcError('nonce-too-low', 'next nonce 5').message).toBe('nonce too low: next nonce 5');
    expect(rpcError('nonce-too-low', 'nonce too low: next nonce 5').message).toBe('nonce too low: next nonce 5');
    expect(rpcError('nonce-too-low').message).toBe('nonce too low');
    expect(rejectionError('rlp', 'bytes after the end').message).toBe(
      'rlp: malformed transaction: bytes after the end',
    );
  });

  it('has a row for every reason for which decoder, static checks and pool refuse a transaction', () => {
    expect(new Set(rejectionCodes).size).toBe(rejectionCodes.length);
    for (const code of rejectionCodes) {
      expect(Object.keys(rpcErrors), code).toContain(code);
      expect(rejectionError(code, 'detail').toObject()).toEqual({
        code: -32000,
        message: `${rpcErrors[code].message}: detail`,
      });
    }
  });
});
