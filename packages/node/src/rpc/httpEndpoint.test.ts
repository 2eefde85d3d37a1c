import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './testing/testServer.ts';

async function withServer(
  options: Parameters<typeof startTestServer>[0],
  run: (server: TestServer) => Promise<void>,
): Promise<void> {
  const server = await startTestServer(options);
  try {
    await run(server);
  } finally {
    await server.close();
  }
}

/** Sends raw text over TCP and gives all that comes back until the other side ends. */
function raw(server: TestServer, text: string): Promise<string> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      received += chunk;
    });
    socket.on('end', () => resolve(received)).on('error', reject);
  });
}

const chainId = '{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}';

describe('POST /', () => {
  it('refuses a body of 50 MB by its announced length, before reading it', () =>
    withServer({}, async (server) => {
      const answer = await raw(
        server,
        'POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 52428800\r\n\r\n',
      );
      expect(answer).toMatch(/^HTTP\/1\.1 413 /);
      expect(answer).toContain(
        '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"content length too large (52428800>5242880)"}}',
      );
    }));

  it('lets a client that sends 50 MB all the same read the refusal', () =>
    withServer({}, async (server) => {
      const response = await server.post(new Uint8Array(50 * 1024 * 1024).fill(0x20));
      expect(response.status).toBe(413);
      expect(await response.json()).toMatchObject({ error: { code: -32600 } });
      expect((await server.rpc('eth_chainId')).result).toBe('0x13527d2');
    }));

  it('lets a client that wants the connection closed read the refusal, and goes on reading while it sends', () =>
    withServer({}, async (server) => {
      const { hostname, port } = new URL(server.url);
      const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
      const closed = new Promise<string>((resolve) => {
        socket.on('error', ({ message }) => resolve(message)).on('close', () => resolve('closed'));
      });
      const answered = new Promise<string>((resolve) => {
        let received = '';
        socket.setEncoding('utf8').on('data', (chunk: string) => {
          received += chunk;
        });
        socket.on('end', () => resolve(received));
      });
      const length = 20 * 1024 * 1024;
      socket.write(
        `POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`,
      );
      expect(await answered).toMatch(/^HTTP\/1\.1 413 /);
      socket.end(Buffer.alloc(length, 0x20));
      expect(await closed).toBe('closed');
    }));

  it('refuses a body without announced length as soon as it is too long', () =>
    withServer({ limits: { maxBodyBytes: 100_000 } }, async (server) => {
      const { hostname, port } = new URL(server.url);
      const status = await new Promise((resolve, reject) => {
        const request = httpRequest({
          hostname,
          port,
          method: 'POST',
          headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
        });
        request.on('response', (response) => {
          resolve(response.statusCode);
          request.destroy();
        });
        request.on('error', reject);
        // Never ends: the answer has to come while the body is still being sent.
        request.write(Buffer.alloc(200_000, 0x20));
      });
      expect(status).toBe(413);
    }));

  it('does not invite a body that it refuses (Expect: 100-continue)', () =>
    withServer({}, async (server) => {
      const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n';
      const refused = await raw(server, `${head}Content-Length: 99999999\r\n\r\n`);
      expect(refused).toMatch(/^HTTP\/1\.1 413 /);
      const accepted = await raw(
        server,
        `${head}Connection: close\r\nContent-Length: ${chainId.length}\r\n\r\n${chainId}`,
      );
      expect(accepted).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
    }));

  it('bounds the bodies of all clients together', () =>
    withServer({ limits: { maxBodyBytesTotal: 1_000 } }, async (server) => {
      const response = await server.post(`${' '.repeat(2_000)}${chainId}`);
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({ error: { code: -32005 } });
      expect((await server.post(chainId)).status).toBe(200);
    }));

  it('bounds the answers of all clients together', () =>
    withServer({ limits: { maxResponseBytesTotal: 10 } }, async (server) => {
      expect((await server.post(chainId)).status).toBe(503);
    }));

  it('bounds the requests in work', () =>
    withServer({ limits: { maxRequests: 0 } }, async (server) => {
      const response = await server.post(chainId);
      expect([response.status, (await response.json()) as unknown]).toMatchObject([503, { error: { code: -32005 } }]);
    }));

  it('wants JSON by its content type, so that no page can post without asking', () =>
    withServer({}, async (server) => {
      expect((await server.post(chainId, { 'content-type': 'text/plain' })).status).toBe(415);
      expect((await server.post(chainId, { 'content-type': 'application/json; charset=utf-8' })).status).toBe(200);
    }));

  it('is only at the root', () =>
    withServer({}, async (server) => {
      expect((await fetch(`${server.url}/rpc`, { method: 'POST', body: chainId })).status).toBe(404);
      const get = await fetch(server.url);
      expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST, GET, OPTIONS']);
      expect((await fetch(server.url, { method: 'DELETE' })).status).toBe(405);
    }));

  it('closes a connection whose headers do not come', () =>
    withServer({ limits: { headersTimeoutMs: 50 } }, async (server) => {
      expect(await raw(server, 'POST / HTTP/1.1\r\nHost: x\r\n')).toMatch(/^HTTP\/1\.1 408 /);
    }));

  it('refuses headers that are too long', () =>
    withServer({ limits: { maxHeaderBytes: 2_000 } }, async (server) => {
      expect(await raw(server, `GET / HTTP/1.1\r\nX: ${'y'.repeat(3_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
    }));
});

describe('pages of other origins', () => {
  const preflight = (server: TestServer, origin: string) =>
    fetch(server.url, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } });

  it('may call by default', () =>
    withServer({}, async (server) => {
      const response = await preflight(server, 'https://explorer.example');
      expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([204, '*']);
      expect(
        (await server.post(chainId, { origin: 'https://explorer.example' })).headers.get('access-control-allow-origin'),
      ).toBe('*');
    }));

  it('may call only if they are listed, once there is a list', () =>
    withServer({ corsOrigins: ['https://bank.example'] }, async (server) => {
      expect((await preflight(server, 'https://bank.example')).headers.get('access-control-allow-origin')).toBe(
        'https://bank.example',
      );
      expect((await preflight(server, 'https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
    }));

  it('cannot come by a host name that is not listed', () =>
    withServer({ allowedHosts: ['bank.example'] }, async (server) => {
      expect((await server.post(chainId)).status).toBe(403);
      const answer = await raw(server, 'GET /health HTTP/1.1\r\nHost: BANK.example:8545\r\nConnection: close\r\n\r\n');
      expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    }));
});

describe('GET /health and /metrics', () => {
  it('answer 200 while healthy, 503 otherwise, with the checks', async () => {
    let healthy = true;
    const health = () => ({ healthy, checks: { storage: { healthy, detail: healthy ? 'fine' : 'disk full' } } });
    await withServer({ health }, async (server) => {
      expect((await fetch(`${server.url}/health`)).status).toBe(200);
      healthy = false;
      const response = await fetch(`${server.url}/health?verbose=1`);
      expect(response.status).toBe(503);
      expect(await response.json()).toEqual({
        healthy: false,
        checks: { storage: { healthy: false, detail: 'disk full' } },
      });
    });
  });

  it('count calls by method and outcome, unknown methods together', () =>
    withServer({}, async (server) => {
      await server.rpc('eth_chainId');
      await server.rpc('eth_chainId');
      await server.rpc('eth_getBalance', 'x');
      await server.rpc('made_up_by_the_client');
      await server.post('{');
      const response = await fetch(`${server.url}/metrics`);
      expect(response.headers.get('content-type')).toContain('text/plain');
      const text = await response.text();
      expect(text).toContain('hanse_rpc_requests_total{method="eth_chainId",outcome="ok"} 2');
      expect(text).toContain('hanse_rpc_requests_total{method="eth_getBalance",outcome="invalid-params"} 1');
      expect(text).toContain('hanse_rpc_requests_total{method="unknown",outcome="method-not-found"} 1');
      expect(text).toContain('hanse_rpc_requests_total{method="none",outcome="parse-error"} 1');
      expect(text).not.toContain('made_up');
    }));
});

describe('close', () => {
  it('ends idle connections and frees the port', async () => {
    const server = await startTestServer();
    await server.rpc('eth_chainId');
    await server.close();
    await expect(fetch(server.url)).rejects.toThrow();
  });
});
