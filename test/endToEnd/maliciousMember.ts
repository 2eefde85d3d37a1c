import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesToHex, type Hash, type Hex } from '@hanse/protocol';
import { encodeEnvelope } from '../../packages/node/src/network/envelope.ts';
import {
  encodeHello,
  type Hello,
  MIN_PROTOCOL_VERSION,
  PROTOCOL_VERSION,
} from '../../packages/node/src/network/hello.ts';
import { createSilentLogger } from '../../packages/node/src/runtime/consoleLogger.ts';
import type { Connection } from '../../packages/node/src/runtime/network.ts';
import { createRealClock } from '../../packages/node/src/runtime/realClock.ts';
import { TlsNetwork } from '../../packages/node/src/runtime/tlsNetwork.ts';
import type { LocalNetwork } from './localNetwork.ts';
import { call, until } from './rpc.ts';

/** Where a member accepts other members, and the key that it proves. */
export interface PeerAddress {
  readonly endpoint: string;
  readonly host: string;
  readonly port: number;
  readonly transportKey: Hex;
}

export async function peerAddress(network: LocalNetwork, member: string): Promise<PeerAddress> {
  const members = await call<readonly { name: string; transportKey: Hex; endpoints: readonly string[] }[]>(
    network.member(member).rpcUrl,
    'hanse_members',
  );
  const { transportKey, endpoints } = members.find(({ name }) => name === member)!;
  const endpoint = endpoints[0]!;
  const [host, port] = endpoint.split(':') as [string, string];
  return { endpoint, host, port: Number(port), transportKey };
}

/** The key file of a member of a local network. */
export function readKey(network: LocalNetwork, member: string, file: 'transport.key' | 'vote.key'): Hex {
  return readFileSync(join(network.root, 'members', member, 'keys', file), 'utf8').trim() as Hex;
}

/** A dialler with a transport key; frames may be of any size. */
export function dialler(privateKey: Hex): TlsNetwork {
  return new TlsNetwork(
    { privateKey, maxFrameBytes: 256 * 1024 * 1024, sendBufferBytes: 1024 * 1024 },
    { clock: createRealClock(), logger: createSilentLogger() },
  );
}

/** A connection with a member's own key, behind which is nobody honest. */
export class MaliciousMember {
  /** Why the other side ended the connection. */
  readonly closed: Promise<string>;
  readonly #connection: Connection;
  #isClosed = false;
  #drained: () => void = () => {};

  private constructor(connection: Connection) {
    this.#connection = connection;
    this.closed = new Promise((resolve) => {
      connection.onClose((reason) => {
        this.#isClosed = true;
        this.#drained();
        resolve(reason);
      });
    });
    connection.onDrain(() => this.#drained());
    connection.onFrame(() => {});
  }

  /** Dials until it is admitted: after an offence that takes a while. Says nothing if `hello` is undefined. */
  static async connect(
    network: LocalNetwork,
    as: string,
    target: string,
    hello: Partial<Hello> | undefined = {},
  ): Promise<MaliciousMember> {
    const { endpoint, transportKey } = await peerAddress(network, target);
    const tls = dialler(readKey(network, as, 'transport.key'));
    const member = new MaliciousMember(await until(() => tls.dial(endpoint, transportKey)));
    if (hello !== undefined) {
      const { genesisHash, chainId } = network.description;
      member.send(
        encodeHello({
          minVersion: MIN_PROTOCOL_VERSION,
          version: PROTOCOL_VERSION,
          genesisHash: genesisHash as Hash,
          chainId,
          memberName: as,
          headHeight: 0,
          instance: bytesToHex(randomBytes(8)),
          ...hello,
        }),
      );
    }
    return member;
  }

  send(frame: Uint8Array): boolean {
    return this.#connection.send(frame);
  }

  message(kind: number, payload: Uint8Array): boolean {
    return this.send(encodeEnvelope({ type: 'message', kind, payload }));
  }

  /** Sends frames as fast as the other side reads them, until it has had enough. */
  async flood(frames: Iterable<Uint8Array>): Promise<void> {
    for (const frame of frames) {
      if (this.#isClosed) return;
      if (this.send(frame) || this.#isClosed) continue;
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
  }

  /** Reads nothing any more. */
  deafen(): void {
    this.#connection.pause();
  }

  close(): void {
    this.#connection.close('bye');
  }
}
