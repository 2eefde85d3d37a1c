/** Where to reach a member: a DNS name or an address, and a port. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Reads `name:port`, `192.0.2.1:port` or `[2001:db8::1]:port`. Port 0 stands for any, in an endpoint to listen at. Throws an Error naming the text. */
export function parseEndpoint(text: string): Endpoint {
  const match = /^(?:\[([0-9a-fA-F:.%a-z]+)\]|([A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})?)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535) {
    throw new Error(
      `${JSON.stringify(text.slice(0, 300))} is no endpoint: expected name:port, address:port or [IPv6 address]:port`,
    );
  }
  return { host, port };
}

export function formatEndpoint(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
