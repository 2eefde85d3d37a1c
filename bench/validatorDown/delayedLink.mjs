// A TCP proxy between two members on loopback that passes on every byte after a delay, in both directions.
import { connect, createServer } from 'node:net';

export class DelayedLink {
  from;
  to;
  port;
  /** Of what arrives from now on; changing it never reorders bytes. */
  delayMs = 0;
  #server;
  #sockets = new Set();

  /** Listens at `port` for member `from`, and passes on to `targetPort` of member `to`. */
  static async open({ from, to, port, targetPort }) {
    const link = new DelayedLink();
    Object.assign(link, { from, to, port });
    link.#server = createServer((near) => link.#join(near, connect({ host: '127.0.0.1', port: targetPort })));
    await new Promise((resolve, reject) => {
      link.#server.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    return link;
  }

  close() {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(near, far) {
    this.#pass(near, far);
    this.#pass(far, near);
  }

  #pass(source, target) {
    this.#sockets.add(source);
    source.setNoDelay(true);
    const waiting = [];
    const send = () => {
      const nowMs = performance.now();
      while (waiting.length > 0 && waiting[0].dueMs <= nowMs) {
        const { chunk } = waiting.shift();
        if (chunk === undefined) target.destroy();
        else if (!target.destroyed) target.write(chunk);
      }
      // One timer at a time, for the first that waits.
      if (waiting.length > 0) setTimeout(send, waiting[0].dueMs - performance.now());
    };
    const later = (chunk) => {
      const dueMs = Math.max(waiting.at(-1)?.dueMs ?? 0, performance.now() + this.delayMs);
      waiting.push({ chunk, dueMs });
      if (waiting.length > 1) return;
      if (this.delayMs === 0) send();
      else setTimeout(send, this.delayMs);
    };
    source.on('data', later);
    source.on('error', () => undefined);
    source.on('close', () => {
      this.#sockets.delete(source);
      later(undefined);
    });
  }
}
