// Remembers everything that any member ever showed as final, and holds every member to it: whatever was shown once must be
// shown by all, forever. Knows members only by their JSON-RPC.
import {
  createInternationalSuite,
  genesisValidatorSet,
  parseGenesis,
  portablePrimitives,
  verifyFinality,
} from '@hanse/protocol';
import { batch, call } from '../soak/jsonRPC.mjs';
import { sleep, until } from './waiting.mjs';

const REQUEST_MS = 2_000;
/** Answers of one batch stay well below a member's limit on responses. */
const BATCH = 200;

export class Witness {
  /** Transaction hash -> { height, blockHash } as some member first showed its receipt. */
  receipts = new Map();
  /** Height -> block hash as some member first showed it. */
  blocks = new Map();
  certificates = 0;
  #members;
  #findings;
  #genesisHash;
  #validators;
  #suite = createInternationalSuite(portablePrimitives);
  #stopped = false;
  #observers = [];

  /** `members`: `{ name, url }` in the order of the validators; `genesis`: the parsed JSON of the genesis document. */
  constructor({ members, genesis, genesisHash, findings }) {
    this.#members = members;
    this.#findings = findings;
    this.#genesisHash = genesisHash;
    this.#validators = genesisValidatorSet(parseGenesis(genesis));
  }

  get highest() {
    let highest = 0;
    for (const height of this.blocks.keys()) highest = Math.max(highest, height);
    for (const { height } of this.receipts.values()) highest = Math.max(highest, height);
    return highest;
  }

  noteBlock(name, { number, hash }) {
    const height = Number(number);
    const known = this.blocks.get(height);
    if (known === undefined) this.blocks.set(height, hash);
    else if (known !== hash)
      this.#findings.add(`FORK at height ${height}: ${name} shows ${hash}, before it was ${known}`);
  }

  /** A receipt that a member shows; the first one counts, and every later one must equal it. */
  noteReceipt(name, hash, receipt) {
    const shown = { height: Number(receipt?.blockNumber), blockHash: receipt?.blockHash };
    const known = this.receipts.get(hash);
    if (known === undefined) this.receipts.set(hash, shown);
    else if (known.height !== shown.height || known.blockHash !== shown.blockHash)
      this.#findings.add(
        `${hash} was final in block ${known.height}, but ${name} shows ${receipt ? `block ${shown.height}` : 'no receipt'}`,
      );
    const block = this.blocks.get(shown.height);
    if (receipt && block !== undefined && block !== shown.blockHash)
      this.#findings.add(`${name} shows ${hash} in block ${shown.blockHash}, but block ${shown.height} is ${block}`);
  }

  /** Looks at every member's newest block all the time, and now and then at the proof of one. `seen` hears of every height. */
  observe(seen = () => undefined) {
    this.#observers = this.#members.map((member, index) => this.#observeOne(member, (height) => seen(index, height)));
  }

  async stop() {
    this.#stopped = true;
    await Promise.all(this.#observers);
  }

  async #observeOne({ name, url }, seen) {
    for (let round = 0; !this.#stopped; round++) {
      const block = await call(url, 'eth_getBlockByNumber', ['latest', false], REQUEST_MS).catch(() => undefined);
      if (block) {
        this.noteBlock(name, block);
        seen(Number(block.number));
        if (round % 40 === 0) await this.checkProof({ name, url }, Number(block.number)).catch(() => undefined);
      }
      await sleep(40);
    }
  }

  /** Verifies the certificate of a block as a light client does: by the genesis alone. Rejects if the member does not answer. */
  async checkProof({ name, url }, height) {
    if (height === 0) return;
    const proof = await call(url, 'hanse_getFinality', [`0x${height.toString(16)}`], REQUEST_MS);
    if (proof === null) {
      this.#findings.add(`${name} has no proof of block ${height}, which it shows as final`);
      return;
    }
    try {
      const { hash, header } = verifyFinality(this.#suite, this.#genesisHash, this.#validators, proof);
      if (Number(header.number) !== height) throw new Error(`it is of block ${header.number}`);
      this.noteBlock(name, { number: height, hash });
      this.certificates += 1;
    } catch (error) {
      this.#findings.add(`${name}'s proof of block ${height} does not verify: ${error.message}`);
    }
  }

  /** Holds every member to everything that was shown, from block 0 on. */
  async checkAll(limitMs) {
    const target = this.highest;
    for (const member of this.#members) {
      const { name, url } = member;
      const reached = await until(async () => Number(await call(url, 'eth_blockNumber', [])) >= target, limitMs);
      if (!reached) {
        this.#findings.add(`${name} did not reach block ${target} within ${limitMs / 1_000} s`);
        continue;
      }
      const heights = Array.from({ length: target + 1 }, (_, height) => height);
      await inBatches(url, heights, (height) => ['eth_getBlockByNumber', [`0x${height.toString(16)}`, false]], {
        each: (_, block) => this.noteBlock(name, block),
      });
      await inBatches(url, [...this.receipts.keys()], (hash) => ['eth_getTransactionReceipt', [hash]], {
        each: (hash, receipt) => this.noteReceipt(name, hash, receipt),
      });
      const step = Math.max(1, Math.floor(target / 20));
      for (let height = target; height > 0; height -= step) await this.checkProof(member, height);
    }
  }
}

async function inBatches(url, items, toCall, { each }) {
  for (let from = 0; from < items.length; from += BATCH) {
    const piece = items.slice(from, from + BATCH);
    const answers = await batch(url, piece.map(toCall));
    for (const [index, { result, error }] of answers.entries()) {
      if (error !== undefined) throw new Error(`${url}: ${error.message}`);
      each(piece[index], result);
    }
  }
}
