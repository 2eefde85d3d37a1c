// A thread that holds a member's keys and floods another member, which it dials again as soon as it may. Says at the end what became of it.
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { loadSuite, readMemberKeys } from '@hanse/node';
import { bytesToHex } from '@hanse/protocol';
import { encodeHello, PROTOCOL_VERSION } from '../../packages/node/dist/network/hello.js';
import { createSilentLogger } from '../../packages/node/dist/runtime/consoleLogger.js';
import { createRealClock } from '../../packages/node/dist/runtime/realClock.js';
import { TlsNetwork } from '../../packages/node/dist/runtime/tlsNetwork.js';
import { FLOOD_KINDS } from './kinds.mjs';

const { kind, seconds, thief, victim, network } = workerData;
/** Frames between two looks at what came in. */
const BATCH = 64;
/** More often than this it does not dial. */
const DIAL_MS = 50;

const keys = readMemberKeys(join(thief.folder, 'keys'));
const suite = await loadSuite(network.suite);
const { make, deaf = false } = FLOOD_KINDS[kind];
const frame = make({ ...network, suite, signer: thief.index, voteKey: keys.vote });
const tls = new TlsNetwork(
  { privateKey: bytesToHex(keys.transport) },
  { clock: createRealClock(), logger: createSilentLogger() },
);
const outcome = { connects: 0, refused: 0, frames: 0, bytes: 0, reasons: [] };
const untilMs = performance.now() + seconds * 1_000;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Sends until the connection ends or the time is over. */
async function floodThrough(connection) {
  let open = true;
  let writable = true;
  const closed = new Promise((done) => {
    connection.onClose((reason) => {
      open = false;
      outcome.reasons.push(reason);
      done();
    });
  });
  connection.onFrame(() => undefined);
  if (deaf) connection.pause();
  let drained = () => undefined;
  connection.onDrain(() => {
    writable = true;
    drained();
  });
  connection.send(
    encodeHello({
      minVersion: PROTOCOL_VERSION,
      version: PROTOCOL_VERSION,
      genesisHash: network.genesisHash,
      chainId: network.chainId,
      memberName: thief.name,
      headHeight: 0,
      instance: '0x0102030405060708',
    }),
  );
  while (open && performance.now() < untilMs) {
    for (let sent = 0; sent < BATCH && open && writable; sent++) {
      const bytes = frame(outcome.frames++);
      outcome.bytes += bytes.length;
      writable = connection.send(bytes);
    }
    if (writable) await new Promise((done) => setImmediate(done));
    else await Promise.race([closed, new Promise((done) => (drained = done)), pause(100)]);
  }
  if (open) {
    // The end of the flood is no answer to it.
    connection.close('the flood is over');
    await Promise.race([closed, pause(100)]);
    outcome.reasons = outcome.reasons.filter((reason) => reason !== 'the flood is over');
  }
}

while (performance.now() < untilMs) {
  const connection = await tls.dial(victim.endpoint, victim.transportKey).catch(() => undefined);
  if (connection === undefined) {
    outcome.refused++;
    await pause(DIAL_MS);
    continue;
  }
  outcome.connects++;
  await floodThrough(connection);
}
parentPort.postMessage(outcome);
