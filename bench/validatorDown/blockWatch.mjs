// Follows the chain at one member over WebSocket, as a client does: when each block was there, who led it, and which transactions it holds.
import { createRequire } from 'node:module';

const { WebSocket } = createRequire(new URL('../../packages/node/package.json', import.meta.url))('ws');

export class BlockWatch {
  /** `{height, atMs, leader, hashes}` of every block since the start, ascending. */
  blocks = [];
  #socket;
  #calls = new Map();
  #nextId = 1;
  #onBlock;

  /** `onBlock(block)` is called when a block's transactions are known. */
  static async open(wsUrl, onBlock) {
    const watch = new BlockWatch();
    watch.#onBlock = onBlock;
    watch.#socket = new WebSocket(wsUrl);
    await new Promise((resolve, reject) => watch.#socket.once('open', resolve).once('error', reject));
    watch.#socket.on('message', (text) => watch.#received(JSON.parse(text)));
    await watch.#call('eth_subscribe', ['newHeads']);
    return watch;
  }

  close() {
    this.#socket.close();
  }

  #call(method, params) {
    const id = this.#nextId++;
    this.#socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    return new Promise((resolve, reject) => this.#calls.set(id, { resolve, reject }));
  }

  #received({ id, result, error, params }) {
    if (id !== undefined) {
      const { resolve, reject } = this.#calls.get(id);
      this.#calls.delete(id);
      if (error === undefined) resolve(result);
      else reject(new Error(error.message));
      return;
    }
    const { number, miner } = params.result;
    const block = { height: Number(number), atMs: performance.now(), leader: miner, hashes: [] };
    this.blocks.push(block);
    void this.#call('eth_getBlockByNumber', [number, false]).then(({ transactions }) => {
      block.hashes = transactions;
      this.#onBlock(block);
    });
  }
}
