import { decodeVote, encodeVote, type Vote } from '@hanse/protocol';
import type { Disk } from '../runtime/disk.ts';
import { decodeList, encodeList } from './boundedList.ts';

/** Two votes of one validator that no honest one signs both. */
export interface DoubleVote {
  readonly first: Vote;
  readonly second: Vote;
}

/** One piece proves it; more of the same validator in an epoch prove no more. */
const MAX_PER_SIGNER = 8;
const MAX_PIECES = 256;
const FOLDER = 'evidence';
const FILE = /^\d+-\d+-\d+-[a-z]+-[a-z]+\.votes$/;

/**
 * Evidence of double votes that this member saw, a file each, so that it outlives the process until somebody has put it on the chain.
 * Bounded, since a Byzantine validator can make any amount of it, in one epoch after another too: what is new gets its place from whom
 * the most is known of.
 */
export class EvidenceStore {
  readonly #disk: Disk;
  readonly #pieces = new Map<string, DoubleVote>();
  #writing: Promise<void> = Promise.resolve();

  private constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** Reads what earlier runs found. A file that is damaged or torn is passed over: the votes in it prove nothing any more. */
  static async open(disk: Disk): Promise<EvidenceStore> {
    const store = new EvidenceStore(disk);
    for (const name of await disk.list(FOLDER)) {
      if (!FILE.test(name)) continue;
      const file = await disk.open(`${FOLDER}/${name}`);
      const piece = readPiece(await file.read(0, await file.size()));
      await file.close();
      if (piece !== undefined) store.#pieces.set(name, piece);
    }
    return store;
  }

  /** In the order of epoch, view and signer. */
  list(): readonly DoubleVote[] {
    const place = ({ first: { statement, signer } }: DoubleVote): readonly number[] => [
      statement.epoch,
      statement.view,
      signer,
    ];
    return [...this.#pieces.values()].sort((a, b) => {
      const [left, right] = [place(a), place(b)];
      return left.map((value, index) => value - right[index]!).find((difference) => difference !== 0) ?? 0;
    });
  }

  /** Keeps a piece if it says something new; resolves when it is durable. Rejects when the disk fails. */
  add(piece: DoubleVote): Promise<void> {
    const { statement, signer } = piece.first;
    const name = `${statement.epoch}-${statement.view}-${signer}-${statement.kind}-${piece.second.statement.kind}.votes`;
    const known = this.#bySigner().get(signerOf(piece))?.length ?? 0;
    if (this.#pieces.has(name) || known >= MAX_PER_SIGNER) return Promise.resolve();
    const dropped = this.#pieces.size >= MAX_PIECES ? this.#leastUseful() : undefined;
    if (dropped !== undefined) this.#pieces.delete(dropped);
    this.#pieces.set(name, piece);
    this.#writing = this.#writing
      .catch(() => undefined)
      .then(async () => {
        if (dropped !== undefined) await this.#disk.remove(`${FOLDER}/${dropped}`);
        await this.#write(name, piece);
      });
    return this.#writing;
  }

  /** The names of the pieces of each signer and epoch, in the order in which they came. */
  #bySigner(): ReadonlyMap<string, readonly string[]> {
    const names = new Map<string, string[]>();
    for (const [name, piece] of this.#pieces) {
      const ofSigner = names.get(signerOf(piece)) ?? [];
      names.set(signerOf(piece), ofSigner);
      ofSigner.push(name);
    }
    return names;
  }

  /** The newest of those of whom the most is kept; the oldest of all if there is one piece of each. */
  #leastUseful(): string | undefined {
    let most: readonly string[] = [];
    for (const names of this.#bySigner().values()) if (names.length > most.length) most = names;
    return most.at(-1);
  }

  async #write(name: string, { first, second }: DoubleVote): Promise<void> {
    const file = await this.#disk.open(`${FOLDER}/${name}`);
    await file.truncate(0);
    await file.append(encodeList([encodeVote(first), encodeVote(second)]));
    await file.flush();
    await file.close();
    await this.#disk.flushDirectory(FOLDER);
  }
}

const signerOf = ({ first: { statement, signer } }: DoubleVote): string => `${statement.epoch} ${signer}`;

function readPiece(bytes: Uint8Array): DoubleVote | undefined {
  try {
    const [first, second] = decodeList(bytes, 2).map(decodeVote);
    return first === undefined || second === undefined ? undefined : { first, second };
  } catch {
    return undefined;
  }
}
