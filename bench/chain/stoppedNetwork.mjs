// A local network whose members do not run: its keys, its genesis, and the certainty that nobody starts meanwhile.
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import {
  acquireFolderLock,
  createSuite,
  genesisHashOf,
  networkLock,
  publicMemberKeys,
  readJsonFile,
  readMemberKeys,
} from '@hanse/node';
import { genesisValidatorSet, parseGenesis, quorum } from '@hanse/protocol';
import { createLocalNetwork } from '../../packages/cli/dist/localNetwork/createLocalNetwork.js';
import { folderState, openLocalNetwork } from '../../packages/cli/dist/localNetwork/networkFolder.js';
import { keyFileNames, keyUsage } from '../../packages/node/dist/config/memberKeys.js';
import { logFolderOf, openEngineLog } from '../../packages/node/dist/engine/engineLog.js';
import { defaultEngineOptions } from '../../packages/node/dist/engine/engineOptions.js';
import { createEngineMetrics } from '../../packages/node/dist/engine/metrics.js';
import { createSilentLogger } from '../../packages/node/dist/runtime/consoleLogger.js';
import { loadNodePrimitives } from '../../packages/node/dist/runtime/nodePrimitives.js';
import { createRealClock } from '../../packages/node/dist/runtime/realClock.js';
import { createRealDisk } from '../../packages/node/dist/runtime/realDisk.js';
import { createService } from '../../packages/node/dist/services/ledgerEntry.js';

export class StoppedNetwork {
  #network;
  #locks;

  /** Opens the network of a folder and keeps it for this process; creates one where there is none. */
  static async open(folder, { members, rpcPort }) {
    const root = resolve(folder);
    const state = folderState(root);
    if (state === 'foreign') throw new Error(`${root} holds something else than a Hanse network: name another folder.`);
    const locks = [];
    try {
      if (state === 'absent') {
        const ports = { rpcPort, peerPort: rpcPort + 1_000 };
        await createLocalNetwork({ root, suite: 'international', members, ...ports, nowMs: Date.now() });
        console.log(`Created a network of ${members} members in ${root}.`);
      }
      locks.push(acquireFolderLock(root, networkLock));
      const network = openLocalNetwork(root);
      for (const name of network.manifest.members) {
        const { data } = network.layout.member(name);
        mkdirSync(data, { recursive: true, mode: 0o700 });
        locks.push(acquireFolderLock(data));
      }
      const genesis = parseGenesis(readJsonFile(network.layout.genesis, 'The genesis'));
      return new StoppedNetwork(network, locks, genesis, await genesisHashOf(genesis), await loadNodePrimitives());
    } catch (error) {
      for (const lock of locks) lock.release();
      throw error;
    }
  }

  constructor(network, locks, genesis, genesisHash, primitives) {
    this.#network = network;
    this.#locks = locks;
    this.genesis = genesis;
    this.genesisHash = genesisHash;
    this.primitives = primitives;
    this.suite = createSuite(genesis.suite, primitives);
    this.accounts = network.accounts;
  }

  get names() {
    return this.#network.manifest.members;
  }

  data(name) {
    return this.#network.layout.member(name).data;
  }

  ledger(name) {
    return join(this.data(name), 'ledger');
  }

  /** The members that make blocks when these are away: they must be a quorum. */
  present(away) {
    const unknown = away.find((name) => !this.names.includes(name));
    if (unknown !== undefined)
      throw new Error(`--without ${unknown}: the members of this network are ${this.names.join(', ')}.`);
    const present = this.names.filter((name) => !away.includes(name));
    const needed = quorum(this.names.length);
    if (present.length < needed)
      throw new Error(`Without ${away.join(', ')} nothing becomes final: ${needed} of ${this.names.length} must sign.`);
    return present;
  }

  /** The keys that sign votes, by the members' places in the validator set, lowest first. */
  voters(names) {
    return genesisValidatorSet(this.genesis)
      .validators.map(({ name }, place) => ({ name, place }))
      .filter(({ name }) => names.includes(name))
      .map(({ name, place }) => ({ place, key: this.#keys(name).vote }));
  }

  #keys(name) {
    return readMemberKeys(this.#network.layout.member(name).keys);
  }

  /** The ledger as a member's own thread opens it; it writes the genesis into an empty folder. */
  openLedger(folder) {
    return createService(
      { genesis: this.genesis, ledgerFolder: folder, recoveries: [] },
      { primitives: this.primitives },
    );
  }

  /**
   * New votes of these members are safe only if their logs hold none above the finalized block and none was lost. The log
   * of a member that never ran is made here, as its first start would, so that it does not look like a lost one later.
   */
  async assertNothingPending(names) {
    const heads = new Set();
    for (const name of names) {
      const ledger = await this.openLedger(this.ledger(name));
      const head = await ledger.finalizedHead();
      await ledger.close();
      heads.add(`${head.height} ${head.blockHash}`);
      const { voteKey } = publicMemberKeys(this.#keys(name), this.suite);
      const options = { ...defaultEngineOptions, suite: this.suite, genesisHash: this.genesisHash };
      const signer = {
        publicKey: voteKey,
        usage: keyUsage(join(this.#network.layout.member(name).keys, keyFileNames.vote)),
      };
      const engineLog = await openEngineLog(options, logFolderOf(options, signer), signer, head, {
        disk: createRealDisk(this.data(name)),
        clock: createRealClock(),
        logger: createSilentLogger(),
        metrics: createEngineMetrics(),
      });
      const recovered = await engineLog.recover(head);
      await engineLog.log.close();
      if (recovered.amnesia) throw new Error(`${name} lost its log of votes: let it run until it votes again.`);
      if (recovered.votes.length + recovered.proposals.length > 0)
        throw new Error(
          `${name} voted above its newest final block: let the network run until it is idle, then stop it.`,
        );
    }
    if (heads.size > 1)
      throw new Error(`${names.join(', ')} do not have the same head: let the network run until they have.`);
  }

  release() {
    for (const lock of this.#locks.reverse()) lock.release();
    this.#locks = [];
  }
}
