import { constants } from 'node:crypto';
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import {
  connect,
  createSecureContext,
  createServer as createTlsServer,
  type SecureContext,
  type SecureContextOptions,
  type TLSSocket,
  type Server as TlsServer,
} from 'node:tls';
import type { Hex } from '@hanse/protocol';
import type { Clock } from './clock.ts';
import { formatEndpoint, parseEndpoint } from './endpoint.ts';
import {
  decodeReason,
  encodeClosingFrame,
  encodeFrameHeader,
  FRAME_ADMITTED,
  FRAME_CLOSING,
  FrameDecoder,
} from './frameDecoder.ts';
import { DEFAULT_HANDSHAKE_LIMITS, HandshakeGate, type HandshakeLimits } from './handshakeGate.ts';
import type { Logger } from './logger.ts';
import { type Acceptor, type Connection, DEFAULT_MAX_FRAME_BYTES, type Listener, type Network } from './network.ts';
import { type ConnectionLimits, TlsConnection } from './tlsConnection.ts';
import { certificateKey, createTransportIdentity, sameTransportKey } from './transportKey.ts';

/** RFC 7301: a peer that speaks another protocol or version is refused inside the handshake. */
const ALPN = 'hanse/1';

export interface TlsNetworkOptions {
  /** This member's Ed25519 transport key: 32 bytes as `0x` hexadecimal, or PKCS#8 in PEM. */
  readonly privateKey: string;
  /**
   * Further keys that this member had or will have, in the same forms; asked when it begins to listen and when others refuse the present one.
   * They are proved to members that know this one by them.
   */
  readonly furtherKeys?: () => readonly string[];
  readonly maxFrameBytes?: number;
  readonly sendBufferBytes?: number;
  /** The whole of a dial: name resolution, TCP, TLS and admission. */
  readonly dialTimeoutMs?: number;
  readonly handshake?: Partial<HandshakeLimits>;
}

export interface TlsNetworkModules {
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Members talk over TLS 1.3 (RFC 8446) with both sides authenticated. No authority issues certificates: each side shows a
 * self-signed one made in memory, TLS proves that it holds the key in it, and that key is compared with the one on
 * the chain before any byte of the peer is looked at.
 */
export class TlsNetwork implements Network {
  #present: Identity;
  readonly #furtherKeys: () => readonly string[];
  /** By the name under which a dialling member asks for them. */
  readonly #identities = new Map<string, Identity>();
  readonly #listeners = new Set<TlsListener>();
  readonly #limits: ConnectionLimits;
  readonly #dialTimeoutMs: number;
  readonly #handshake: HandshakeLimits;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(options: TlsNetworkOptions, modules: TlsNetworkModules) {
    this.#present = this.#hold(options.privateKey);
    this.#furtherKeys = options.furtherKeys ?? (() => []);
    this.#limits = {
      maxFrameBytes: options.maxFrameBytes ?? DEFAULT_MAX_FRAME_BYTES,
      sendBufferBytes: options.sendBufferBytes ?? 256 * 1024,
    };
    this.#dialTimeoutMs = options.dialTimeoutMs ?? 10_000;
    this.#handshake = { ...DEFAULT_HANDSHAKE_LIMITS, ...options.handshake };
    this.#clock = modules.clock;
    this.#logger = modules.logger;
  }

  /** This member's transport public key. */
  get publicKey(): Hex {
    return this.#present.publicKey;
  }

  /** New connections prove this private key from now on; those that stand stay. Throws on anything but a private key. */
  useKey(privateKey: string): void {
    this.#present = this.#hold(privateKey);
    for (const listener of this.#listeners) listener.useContext(this.#present.contextOptions);
  }

  ownKeys(): readonly Hex[] {
    for (const privateKey of this.#furtherKeys()) this.#hold(privateKey);
    const present = this.#present.publicKey;
    const held = [...this.#identities.values()].map(({ publicKey }) => publicKey);
    return [present, ...held.filter((key) => key !== present)];
  }

  #hold(privateKey: string): Identity {
    const { publicKey, privateKeyPem, certificatePem } = createTransportIdentity(privateKey);
    const name = serverName(publicKey);
    const known = this.#identities.get(name);
    if (known !== undefined) return known;
    const contextOptions: SecureContextOptions = {
      key: privateKeyPem,
      cert: certificatePem,
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
      sigalgs: 'ed25519',
      ecdhCurve: 'X25519',
      // Without session tickets every connection proves the key anew.
      secureOptions: constants.SSL_OP_NO_TICKET,
    };
    const identity = { publicKey, contextOptions, context: createSecureContext(contextOptions) };
    this.#identities.set(name, identity);
    return identity;
  }

  async listen(endpoint: string, acceptor: Acceptor): Promise<Listener> {
    const { host, port } = parseEndpoint(endpoint);
    this.ownKeys();
    const listener = new TlsListener(
      this.#present.contextOptions,
      (name) => this.#identities.get(name)?.context,
      this.#handshake,
      this.#limits,
      acceptor,
      this.#clock,
      this.#logger,
    );
    await listener.listen(host, port);
    this.#listeners.add(listener);
    return listener;
  }

  dial(endpoint: string, expectedKey: Hex, ownKey = this.publicKey): Promise<Connection> {
    const { host, port } = parseEndpoint(endpoint);
    const own = this.#identities.get(serverName(ownKey));
    if (own === undefined) return Promise.reject(new Error(`the key ${ownKey} is not held here`));
    return new Promise<Connection>((resolve, reject) => {
      const socket = connect({
        host,
        port,
        secureContext: own.context,
        ALPNProtocols: [ALPN],
        // The certificate carries no trust; `#proved` checks the key.
        rejectUnauthorized: false,
        checkServerIdentity: () => undefined,
        servername: serverName(expectedKey),
      });
      const fail = (reason: string): void => {
        timer.cancel();
        socket.destroy();
        reject(new Error(`${endpoint}: ${reason}`));
      };
      const timer = this.#clock.schedule(this.#dialTimeoutMs, () => fail('timed out'));
      socket.on('error', (error) => fail(describe(error)));
      socket.on('close', () => fail('the connection was closed during the handshake'));
      socket.once('secureConnect', () => {
        const reason = wrongPeer(socket, (key) =>
          sameTransportKey(key, expectedKey) ? undefined : `proved the key ${key}, expected ${expectedKey}`,
        );
        if (reason !== undefined) {
          fail(reason);
          return;
        }
        this.#awaitAdmission(socket, fail, (decoder) => {
          timer.cancel();
          socket.removeAllListeners('close');
          socket.removeAllListeners('error');
          resolve(new TlsConnection(socket, expectedKey, decoder, this.#limits, this.#clock));
        });
      });
    });
  }

  /** The other side's first frame says whether it admits this one; until then nothing is sent. */
  #awaitAdmission(socket: TLSSocket, fail: (reason: string) => void, admitted: (decoder: FrameDecoder) => void): void {
    const decoder = new FrameDecoder(this.#limits.maxFrameBytes);
    const read = (chunk: Buffer): void => {
      decoder.push(chunk);
      try {
        const frame = decoder.next();
        if (frame === undefined) return;
        if (frame.type === FRAME_CLOSING) {
          fail(`refused by the other side: ${decodeReason(frame.payload)}`);
          return;
        }
        if (frame.type !== FRAME_ADMITTED) throw new Error('a frame before admission');
        socket.off('data', read);
        socket.pause();
        admitted(decoder);
      } catch (error) {
        fail(describe(error));
      }
    };
    socket.on('data', read);
  }
}

interface Identity {
  readonly publicKey: Hex;
  readonly contextOptions: SecureContextOptions;
  readonly context: SecureContext;
}

/** Under which name (RFC 6066, 3) a dialling member asks for a key: a label has room for 63 characters. */
function serverName(key: Hex): string {
  return `${key.slice(2, 42).toLowerCase()}.hanse.invalid`;
}

/** Why the other end of a finished handshake is not talked to, or undefined. */
function wrongPeer(socket: TLSSocket, judge: (key: Hex) => string | undefined): string | undefined {
  const key = peerKey(socket);
  if (key === undefined) return 'showed no Ed25519 certificate';
  if (socket.alpnProtocol !== ALPN) return `does not speak ${ALPN}`;
  return judge(key);
}

function peerKey(socket: TLSSocket): Hex | undefined {
  return certificateKey(socket.getPeerX509Certificate());
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A name with several addresses fails with one error for each of them.
  if (error instanceof AggregateError) return error.errors.map(describe).join('; ');
  return error.message
    .replace(/^[0-9A-F]+:error:[0-9A-F]+:/, '')
    .replace(/:\.\.\/.*$/s, '')
    .trim();
}

class TlsListener implements Listener {
  endpoint = '';
  readonly #tcp: TcpServer;
  readonly #tls: TlsServer;
  readonly #gate: HandshakeGate;
  readonly #limits: ConnectionLimits;
  readonly #acceptor: Acceptor;
  readonly #clock: Clock;
  readonly #logger: Logger;

  constructor(
    context: SecureContextOptions,
    contextOf: (serverName: string) => SecureContext | undefined,
    handshake: HandshakeLimits,
    limits: ConnectionLimits,
    acceptor: Acceptor,
    clock: Clock,
    logger: Logger,
  ) {
    this.#gate = new HandshakeGate(handshake, clock);
    this.#limits = limits;
    this.#acceptor = acceptor;
    this.#clock = clock;
    this.#logger = logger;
    // The gate keeps the time and owns the sockets, so the TLS server never listens itself: it is fed by the TCP one.
    this.#tls = createTlsServer({
      ...context,
      // An unknown name gets the present key, so that the other side can say which one it met.
      SNICallback: (name, answer) => answer(null, contextOf(name)),
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: [ALPN],
      handshakeTimeout: 0x7fff_ffff,
    });
    this.#tls.on('secureConnection', (socket: TLSSocket) => this.#secured(socket));
    this.#tls.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      this.#logger.log('debug', 'handshake failed', { remote: socket.remoteAddress, reason: describe(error) });
      socket.destroy();
    });
    this.#tcp = createTcpServer({ noDelay: true }, (socket) => this.#arrived(socket));
  }

  listen(host: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#tcp.once('error', reject);
      this.#tcp.listen({ host, port }, () => {
        this.#tcp.off('error', reject);
        // For example too many open files at an accept: the listener itself goes on.
        this.#tcp.on('error', (error) =>
          this.#logger.log('warn', 'accepting a connection failed', { reason: error.message }),
        );
        const address = this.#tcp.address();
        if (address === null || typeof address === 'string')
          throw new Error('a TCP listener has an address and a port');
        this.endpoint = formatEndpoint(host, address.port);
        resolve();
      });
    });
  }

  useContext(context: SecureContextOptions): void {
    this.#tls.setSecureContext(context);
  }

  close(): Promise<void> {
    this.#gate.clear();
    return new Promise((resolve) => {
      // Connections that were handed over live on and would keep the callback of `close` waiting.
      this.#tcp.close();
      this.#tcp.unref();
      resolve();
    });
  }

  #arrived(socket: Socket): void {
    const key = socketKey(socket);
    socket.on('error', () => socket.destroy());
    if (key === undefined || !this.#gate.enter(key, socket.remoteAddress ?? '', () => socket.destroy())) {
      socket.destroy();
      return;
    }
    socket.on('close', () => this.#gate.leave(key));
    this.#tls.emit('connection', socket);
  }

  #secured(socket: TLSSocket): void {
    socket.on('error', () => socket.destroy());
    const key = socketKey(socket);
    const proved = peerKey(socket);
    const reason = wrongPeer(socket, (candidate) => this.#acceptor.refusal(candidate));
    if (reason !== undefined || proved === undefined || key === undefined) {
      this.#logger.log('debug', 'connection refused', { remote: socket.remoteAddress, key: proved, reason });
      // Stays in the gate, under its limits and its time, until the other side has read why and gone.
      socket.resume();
      socket.end(encodeClosingFrame(reason ?? 'lost'));
      return;
    }
    if (!this.#gate.proved(key)) {
      socket.destroy();
      return;
    }
    socket.write(encodeFrameHeader(FRAME_ADMITTED, 0));
    const decoder = new FrameDecoder(this.#limits.maxFrameBytes);
    this.#acceptor.accepted(new TlsConnection(socket, proved, decoder, this.#limits, this.#clock));
  }
}

/** Names a live connection of one listener; undefined if the other side has gone already. */
function socketKey(socket: Socket): string | undefined {
  return socket.remoteAddress === undefined || socket.remotePort === undefined
    ? undefined
    : formatEndpoint(socket.remoteAddress, socket.remotePort);
}
