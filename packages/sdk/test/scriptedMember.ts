import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

type Answer = { readonly result: unknown } | { readonly error: { code: number; message: string; data?: unknown } };
export type Handler = (params: readonly unknown[]) => Answer;

/** A member in a few lines: answers what a test gives it and remembers what it was asked. */
export class ScriptedMember {
  readonly asked: { readonly method: string; readonly params: readonly unknown[] }[] = [];
  readonly #server: Server;
  #url = '';

  constructor(handlers: Readonly<Record<string, Handler>>) {
    this.#server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on('end', () => {
        const { id, method, params = [] } = JSON.parse(body) as { id: number; method: string; params?: unknown[] };
        this.asked.push({ method, params });
        const handler = handlers[method];
        const answer = handler?.(params) ?? { error: { code: -32601, message: `no ${method}` } };
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }));
      });
    });
  }

  get url(): string {
    return this.#url;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    this.#url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }
}

export const ok = (result: unknown): Answer => ({ result });
