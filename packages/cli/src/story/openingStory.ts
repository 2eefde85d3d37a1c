import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { splitEPCISJson } from '@hanse/formats';
import type { HashFunction } from '@hanse/modules/abi';
import { loadSuite } from '@hanse/node';
import type { Address, Hash } from '@hanse/protocol';
import { createHanseClient, describeError, type HanseClient, type SentTransaction, sentTransaction } from '@hanse/sdk';
import type { TransactionReceipt } from 'viem';
import { CLIError } from '../cliError.ts';
import type { NetworkFile } from '../localNetwork/networkFile.ts';
import type { DevelopmentAccount } from '../localNetwork/networkFolder.ts';
import { isGenuine, keepAnchoredEvents, openCommitment, readAnchoredEvents } from './anchoredEvent.ts';
import { type CompiledContract, compileContract, contractPath } from './compileContract.ts';

/** The members that the opening story needs. */
export const STORY_CAST: readonly string[] = ['authority', 'bank', 'farm', 'market'];

export interface StoryOptions {
  /** Where the parties of the story keep what stays with them: `<folder>/farm/event-01.json` and so on. */
  readonly folder: string;
}

const CURRENCY = 'DCNY';
/** How long a step may take before the story calls it failed, milliseconds; a few hundred are usual. */
const PATIENCE_MS = 60_000;

const POINT = 10n ** 18n;

/**
 * Tells the opening story on a running network, on real data: money from the authority through the bank to farm and market;
 * a seafood chain (GS1 EPCIS) anchored by the farm, checked and paid by the market; a Solidity token by the bank's developer.
 * Every party talks to its own member only. Telling it again does no harm: money is issued again, and the same commitments
 * stand on the chain.
 *
 * Throws a CLIError that says which step failed and why.
 */
export async function tellOpeningStory(
  network: NetworkFile,
  say: (line: string) => void,
  options: StoryOptions,
): Promise<void> {
  // The compiler works in a process of its own while the first chapters are told.
  const token = compileContract(contractPath('HarvestPoints.sol'));
  token.catch(() => undefined);
  const events = splitEPCISJson(
    readFileSync(new URL('../../data/seafood/traceback_tests.jsonld', import.meta.url), 'utf8'),
  );
  const suite = await loadSuite(network.suite);
  const hash = (data: Uint8Array): Uint8Array => suite.hash(data);
  const farmFolder = join(options.folder, 'farm');
  const stage = new Stage(network, say);
  say('');
  say(
    `The opening story: digital yuan, and a real seafood chain of ${events.length} GS1 EPCIS events, from sea and farm to the shop.`,
  );
  await distributeMoney(stage);
  await anchorEvents(stage, events, farmFolder, hash);
  await checkEvents(stage, farmFolder, hash);
  await stage.step('market', `The market pays the farm 48,600.00 ${CURRENCY} for its tuna.`, () =>
    transfer(stage, 'market', 'farm', '48600.00'),
  );
  await deployToken(stage, token);
  await compareBalances(stage);
}

async function distributeMoney(stage: Stage): Promise<void> {
  await stage.step('authority', `The authority issues 1,000,000.00 ${CURRENCY} to the bank.`, async () => {
    const currency = await (await stage.client('authority')).currency(CURRENCY);
    return await currency.issue({ bank: stage.address('bank'), amount: '1000000.00' });
  });
  await stage.step('bank', `The bank passes on 150,000.00 ${CURRENCY} to the farm.`, () =>
    transfer(stage, 'bank', 'farm', '150000.00'),
  );
  await stage.step('bank', `The bank passes on 250,000.00 ${CURRENCY} to the market.`, () =>
    transfer(stage, 'bank', 'market', '250000.00'),
  );
}

async function transfer(stage: Stage, from: string, to: string, amount: string): Promise<SentTransaction> {
  const currency = await (await stage.client(from)).currency(CURRENCY);
  return await currency.transfer({ to: stage.address(to), amount });
}

async function anchorEvents(
  stage: Stage,
  events: readonly string[],
  folder: string,
  hash: HashFunction,
): Promise<void> {
  await stage.step('farm', `The farm anchors salted commitments of its ${events.length} events.`, async () => {
    const kept = keepAnchoredEvents(folder, events);
    const farm = await stage.client('farm');
    return await farm.anchors.anchor(kept.map((anchored) => openCommitment(anchored, hash).commitment));
  });
  stage.detail(`Events and salts stay with the farm: ${folder}`);
}

/** The market has the farm's files, its own member, and trusts nothing else. */
async function checkEvents(stage: Stage, farmFolder: string, hash: HashFunction): Promise<void> {
  await stage.act('market', 'The market checks the events that the farm hands over, at its own member.', async () => {
    const market = await stage.client('market');
    const farm = stage.address('farm');
    const isAnchored = async (commitment: Hash): Promise<boolean> =>
      (await market.anchors.find(commitment))?.account === farm;
    const received = readAnchoredEvents(farmFolder);
    const verdicts = await Promise.all(received.map((anchored) => isGenuine(anchored, hash, isAnchored)));
    const genuine = verdicts.filter(Boolean).length;
    if (genuine < received.length)
      throw new Error(`Only ${genuine} of ${received.length} events are what the farm anchored.`);
    stage.detail(
      `${genuine} of ${received.length} are genuine: hashes and commitments recomputed, found on the chain.`,
    );
    const index = received.findIndex(({ event }) => event.includes('"quantity":9876'));
    const original = received[index];
    if (original === undefined) throw new Error('The event to tamper with is missing.');
    const tampered = { ...original, event: original.event.replace('"quantity":9876', '"quantity":9877') };
    if (await isGenuine(tampered, hash, isAnchored)) throw new Error('A tampered event passed for a genuine one.');
    stage.detail(
      `Event ${index + 1} with 9,877 kg of tuna in place of 9,876 is refused: the chain knows no such event.`,
    );
  });
}

async function deployToken(stage: Stage, compiled: Promise<CompiledContract>): Promise<void> {
  const title = "The bank's developer compiles an OpenZeppelin ERC-20 with solc, and deploys it with viem.";
  const { contractAddress } = await stage.step('developer', title, async () => {
    const { abi, bytecode } = await compiled;
    const client = await stage.client('developer');
    const hash = await client.requireWallet().deployContract({ abi, bytecode, args: [1_000_000n * POINT] });
    return sentTransaction(client.publicClient, hash);
  });
  const { abi } = await compiled;
  await stage.step(
    'developer',
    `The developer gives Alice 25 Harvest Points of token ${contractAddress}.`,
    async () => {
      if (!contractAddress) throw new Error('The deployment gave no contract address.');
      const client = await stage.client('developer');
      const args = [stage.address('alice'), 25n * POINT];
      const hash = await client
        .requireWallet()
        .writeContract({ address: contractAddress, abi, functionName: 'transfer', args });
      return sentTransaction(client.publicClient, hash);
    },
  );
}

/** Each party asks its own member, and all see the same books. */
async function compareBalances(stage: Stage): Promise<void> {
  await stage.act('authority', 'Bank, farm and market look at their accounts, each at its own member.', async () => {
    const lines = await Promise.all(
      ['bank', 'farm', 'market'].map(async (name) => {
        await stage.catchUp(name);
        const currency = await (await stage.client(name)).currency(CURRENCY);
        return `${name} ${currency.format(await currency.balanceOf(stage.address(name)))}`;
      }),
    );
    stage.detail(`${CURRENCY}: ${lines.join(', ')}`);
  });
}

/** Who plays, what was told so far, and how far the chain has come. */
class Stage {
  readonly #network: NetworkFile;
  readonly #say: (line: string) => void;
  readonly #clients = new Map<string, Promise<HanseClient>>();
  #steps = 0;
  /** The block of the latest step: the next party's member must have it before that party acts. */
  #height = 0n;

  constructor(network: NetworkFile, say: (line: string) => void) {
    this.#network = network;
    this.#say = say;
  }

  address(name: string): Address {
    return this.#account(name).address;
  }

  /** The client of an account, at the member that the account belongs to. */
  client(name: string): Promise<HanseClient> {
    const known = this.#clients.get(name);
    if (known !== undefined) return known;
    const { member, privateKey } = this.#account(name);
    const rpcUrl = this.#network.members.find((entry) => entry.name === member)?.rpcUrl;
    if (rpcUrl === undefined) throw new Error(`the network has no member ${member}`);
    const client = createHanseClient({ rpcUrl, account: privateKey, pollingIntervalMs: 20 });
    this.#clients.set(name, client);
    return client;
  }

  /** A step with one transaction: says what happens, the transaction, and the block in which it became final. */
  async step(who: string, title: string, send: () => Promise<SentTransaction>): Promise<TransactionReceipt> {
    return await this.act(who, title, async () => {
      const receipt = await (await send()).final();
      this.#height = receipt.blockNumber;
      this.detail(`final in block ${receipt.blockNumber}: ${receipt.transactionHash}`);
      return receipt;
    });
  }

  /** A step: says what happens, and lets it happen when the actor's member has seen all that happened before. */
  async act<T>(who: string, title: string, play: () => Promise<T>): Promise<T> {
    this.#steps += 1;
    this.#say(`${this.#steps}. ${title}`);
    try {
      await this.catchUp(who);
      return await play();
    } catch (error) {
      throw new CLIError(`The opening story stopped at step ${this.#steps} ("${title}"): ${describeError(error)}`);
    }
  }

  detail(line: string): void {
    this.#say(`   ${line}`);
  }

  /** Blocks are final everywhere, but reach the members a few milliseconds apart. */
  async catchUp(who: string): Promise<void> {
    const { publicClient } = await this.client(who);
    const deadline = Date.now() + PATIENCE_MS;
    while ((await publicClient.getBlockNumber({ cacheTime: 0 })) < this.#height) {
      if (Date.now() > deadline)
        throw new Error(`The member of ${who} has not reached block ${this.#height} after a minute.`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  #account(name: string): DevelopmentAccount {
    const account = this.#network.accounts.find((entry) => entry.name === name);
    if (account === undefined) throw new Error(`the network has no account ${name}`);
    return account;
  }
}
