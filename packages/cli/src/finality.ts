import { existsSync } from 'node:fs';
import { genesisHashOf, loadSuite } from '@hanse/node';
import { genesisValidatorSet, type Hash, ProtocolError, type VerifiedFinality, verifyFinality } from '@hanse/protocol';
import { describeError, type FinalityAnswer, provenValidators } from '@hanse/sdk';
import type { Command } from 'commander';
import { CLIError } from './cliError.ts';
import { readGenesisFile } from './genesisFile.ts';
import type { ConnectedNetwork } from './networkTarget.ts';
import { counted } from './output.ts';

export interface GenesisOption {
  readonly genesis?: string;
}

export function addGenesisOption(command: Command): Command {
  return command.option(
    '--genesis <file>',
    "verify finality with the validators of this document (default: the local network's)",
  );
}

/** What proves a block final, and whether this program checked the proof itself. */
export interface Finality {
  readonly certifiedHeight: number | null;
  readonly epoch: number | null;
  readonly view: number | null;
  readonly signers: readonly string[];
  readonly verified: boolean;
  /** Why it was not checked, or what it was checked with. */
  readonly note: string;
}

/**
 * Asks for the proof of a block and checks it with the validators that the genesis document names, or those that followed them by
 * the chain's own proofs: nothing that the asked member says is believed then. Throws a CLIError if a proof is wrong, because then the member lies or is broken.
 */
export async function checkFinality(
  network: ConnectedNetwork,
  block: { readonly number: bigint; readonly hash: Hash },
  options: GenesisOption,
): Promise<Finality> {
  const file = options.genesis ?? localGenesis(network);
  if (block.number === 0n) return await genesisFinality(block.hash, file);
  let answer: FinalityAnswer | null;
  try {
    answer = await network.client.finality(block.number);
  } catch (error) {
    return { ...UNKNOWN, note: describeError(error) };
  }
  if (answer === null) return { ...UNKNOWN, note: 'the member knows no such block' };
  const { certifiedHeight, epoch, view, signers } = answer;
  const found = { certifiedHeight, epoch, view, signers };
  if (file === undefined)
    return { ...found, verified: false, note: 'not verified: name the genesis document with --genesis' };
  const proved = await verified(network, answer, file);
  if (proved.hash !== block.hash) throw lie(`the proof is for another block (${proved.hash}) than ${block.hash}`);
  const chain = epoch === 0 ? '' : `, and those of the ${counted(epoch, 'epoch')} after them`;
  return { ...found, verified: true, note: `verified with the validators in ${file}${chain}` };
}

const UNKNOWN = { certifiedHeight: null, epoch: null, view: null, signers: [], verified: false } as const;

function localGenesis({ file, layout }: ConnectedNetwork): string | undefined {
  return file !== undefined && existsSync(layout.genesis) ? layout.genesis : undefined;
}

/** The genesis is final by definition: it is what the document says. */
async function genesisFinality(hash: Hash, file: string | undefined): Promise<Finality> {
  if (file === undefined) return { ...UNKNOWN, certifiedHeight: 0, note: 'the genesis is final by definition' };
  const own = await genesisHashOf(readGenesisFile(file));
  if (own !== hash) throw new CLIError(`${file} is the genesis of another network: its hash is ${own}, not ${hash}.`);
  return { ...UNKNOWN, certifiedHeight: 0, verified: true, note: `the genesis of ${file}, final by definition` };
}

/** Validators of a later epoch are proved from those of the genesis on, one epoch after another. */
async function verified({ client }: ConnectedNetwork, answer: FinalityAnswer, file: string): Promise<VerifiedFinality> {
  const genesis = readGenesisFile(file);
  const suite = await loadSuite(genesis.suite);
  const genesisHash = await genesisHashOf(genesis);
  try {
    const genesisSet = genesisValidatorSet(genesis);
    const set = await provenValidators(client, answer.epoch, { suite, genesisHash, genesisSet });
    return verifyFinality(suite, genesisHash, set, answer);
  } catch (error) {
    if (error instanceof ProtocolError) throw lie(`${error.message}. (Is ${file} the genesis of this network?)`);
    throw error;
  }
}

const lie = (what: string): CLIError => new CLIError(`The proof of finality is wrong: ${what}`);

/** One line for people. */
export function describeFinality({ certifiedHeight, epoch, view, signers, note }: Finality): string {
  if (certifiedHeight === null || epoch === null) return note;
  return `certified at height ${certifiedHeight} (epoch ${epoch}, view ${view}) by ${signers.join(', ')}; ${note}`;
}
