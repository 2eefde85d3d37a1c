import type { NodeConfig } from '@hanse/node';

/** Where this machine reaches the member's JSON-RPC: one that listens everywhere is reached on loopback. */
export function rpcUrlOf({ rpc }: Pick<NodeConfig, 'rpc'>): string {
  const host = rpc.host === '0.0.0.0' || rpc.host === '::' ? '127.0.0.1' : rpc.host;
  return `http://${host.includes(':') ? `[${host}]` : host}:${rpc.port}`;
}
