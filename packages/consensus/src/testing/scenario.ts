import type { Certificate, Hash, NotarizeStatement, Proposal, Statement, Vote } from '@hanse/protocol';
import { Epoch, Height, View } from '@hanse/protocol';
import { step } from '../core.ts';
import { type ConsensusState, createConsensus } from '../state.ts';
import type { Effect, FinalizedPoint, Input, ProposalMessage } from '../types.ts';
import { describeEffect } from './describeEffect.ts';
import { fakeCertificate, fakeDigest, fakeHash, fakeValidators, fakeVote } from './fakeSuite.ts';

/**
 * Scenarios as scripts: a command a line, `----`, the effects that it has, an empty line. Members named in `cores=` are real
 * cores, the others are played by the script. `testdata/README.md` lists the commands.
 */
export function playScenario(script: string): string {
  const scene = new Scene();
  const parts: string[] = [];
  for (const part of script.trimEnd().split(/\n\n+/)) {
    const lines = part.split('\n');
    const comments = lines.filter((line) => line.startsWith('#'));
    const commands = lines.filter((line) => line !== '' && !line.startsWith('#'));
    const end = commands.indexOf('----');
    const spoken = end === -1 ? commands : commands.slice(0, end);
    if (spoken.length === 0) {
      parts.push(comments.join('\n'));
      continue;
    }
    const effects = spoken.flatMap((command) => scene.play(command));
    parts.push([...comments, ...spoken, '----', ...(effects.length > 0 ? effects : ['nothing'])].join('\n'));
  }
  return `${parts.join('\n\n')}\n`;
}

/** One member with a real core and what its host has under way. */
interface Actor {
  readonly index: number;
  state: ConsensusState;
  alive: boolean;
  /** Survives a crash. */
  votes: Vote[];
  certificates: Certificate[];
  proposals: ProposalMessage[];
  point: FinalizedPoint;
  /** Decided but not flushed. */
  unflushed: Extract<Effect, { type: 'vote' | 'propose' }>[];
  unrecorded: Certificate[];
  asked: Extract<Effect, { type: 'check' | 'execute' | 'build' | 'finalize' }>[];
}

type Message =
  | { readonly type: 'proposal'; readonly message: ProposalMessage }
  | { readonly type: 'vote'; readonly vote: Vote }
  | { readonly type: 'certificate'; readonly certificate: Certificate };

type Unstamped<I = Input> = I extends Input ? Omit<I, 'atMs'> : never;

const GENESIS = fakeHash('genesis');

/** `key=value` words by key, the others in order. */
class Command {
  readonly words: string[] = [];
  readonly #values = new Map<string, string>();

  constructor(line: string) {
    for (const word of line.trim().split(/\s+/)) {
      const at = word.indexOf('=');
      if (at === -1) this.words.push(word);
      else this.#values.set(word.slice(0, at), word.slice(at + 1));
    }
  }

  get(key: string): string | undefined {
    return this.#values.get(key);
  }

  number(key: string, otherwise?: number): number {
    const value = this.get(key);
    if (value !== undefined) return Number(value);
    if (otherwise === undefined) throw new Error(`${key}= is missing`);
    return otherwise;
  }

  list(key: string, otherwise: readonly number[]): readonly number[] {
    return this.get(key)?.split(',').map(Number) ?? otherwise;
  }
}

class Scene {
  #actors: Actor[] = [];
  #n = 0;
  #quorum = 0;
  #atMs = 0;
  #options = new Command('');
  readonly #names = new Map<Hash, string>([[GENESIS, 'genesis']]);
  readonly #digests = new Map<string, Hash>([['genesis', GENESIS]]);
  readonly #proposals = new Map<Hash, Proposal>();
  readonly #closing = new Set<Hash>();
  #network: { readonly from: number; readonly to: number; readonly message: Message }[] = [];
  #lines: string[] = [];
  #shown: readonly string[] | undefined;

  play(line: string): string[] {
    const command = new Command(line);
    this.#lines = [];
    this.#shown = command.get('show')?.split(',');
    const perform = this.#commands[command.words[0] ?? ''];
    if (perform === undefined) throw new Error(`no such command: ${line}`);
    perform(command);
    return this.#lines;
  }

  readonly #commands: Readonly<Record<string, (command: Command) => void>> = {
    cast: (command) => this.#cast(command),
    at: (command) => this.#passTime(Number(command.words[1])),
    pending: (command) => {
      const waiting = command.words[1] !== 'no';
      this.#each(command, 'to', (actor) => this.#feed(actor, { type: 'pending', waiting }));
    },
    propose: (command) => this.#propose(command),
    vote: (command) => this.#vote(command),
    certificate: (command) => this.#certificate(command),
    status: (command) => this.#status(command),
    disconnect: (command) => {
      for (const peer of command.list('from', []))
        this.#each(command, 'to', (actor) => this.#feed(actor, { type: 'disconnected', peer }));
    },
    checked: (command) => this.#checked(command),
    executed: (command) => this.#executed(command),
    built: (command) => this.#built(command),
    applied: (command) => this.#applied(command),
    flush: (command) => this.#each(command, 'on', (actor) => this.#flush(actor)),
    deliver: () => this.#deliver(),
    crash: (command) => this.#each(command, 'on', (actor) => this.#crash(actor, command.get('keep') === 'proposal')),
    restart: (command) =>
      this.#each(command, 'on', (actor) =>
        this.#restart(actor, command.get('log') === 'lost', View(command.number('cut', 0))),
      ),
    run: () => this.#run(),
  };

  #cast(command: Command): void {
    this.#options = command;
    this.#n = command.number('n');
    const everyone = Array.from({ length: this.#n }, (_, index) => index);
    const observers = command.get('observer') === undefined ? [] : [this.#n];
    const cores = command.get('cores') === 'all' ? everyone : command.list('cores', []);
    const point = { digest: GENESIS, height: Height(0), view: View(0), timeMs: 0, certificate: undefined };
    for (const index of [...cores, ...observers]) {
      const actor: Actor = {
        index,
        state: this.#core(index, point),
        alive: true,
        votes: [],
        certificates: [],
        proposals: [],
        point,
        unflushed: [],
        unrecorded: [],
        asked: [],
      };
      this.#quorum = actor.state.quorum;
      this.#actors.push(actor);
      this.#start(actor, false);
      if (command.get('heard') === 'nobody') continue;
      for (const from of everyone) this.#hearStatus(actor, from, 1, 0, 0);
    }
  }

  #core(index: number, point: FinalizedPoint): ConsensusState {
    const validators = fakeValidators(this.#n);
    const options = {
      epoch: Epoch(0),
      validators,
      self: index < this.#n ? index : undefined,
      deltaFloorMs: this.#options.number('delta', 100),
      idleBlockIntervalMs: this.#options.number('idle', 30_000),
      maxUnfinalizedBlocks: this.#options.number('unfinalized', 16),
      resendIntervalMs: this.#options.number('resend', 1_000),
    };
    return createConsensus(options, point);
  }

  #start(actor: Actor, amnesia: boolean, floor = View(0)): void {
    const { votes, certificates, proposals } = actor;
    const recovered = {
      ownVotes: [...votes],
      certificates: [...certificates],
      proposals: [...proposals],
      floor,
      ...(amnesia && { amnesia }),
    };
    this.#feed(actor, { type: 'start', recovered });
  }

  #each(command: Command, key: string, action: (actor: Actor) => void): void {
    const wanted = command.list(
      key,
      this.#actors.map(({ index }) => index),
    );
    for (const actor of this.#actors)
      if (wanted.includes(actor.index) && (actor.alive || command.words[0] === 'restart')) action(actor);
  }

  #passTime(atMs: number): void {
    this.#atMs = atMs;
    for (const actor of this.#actors) {
      if (actor.alive && actor.state.wakeAtMs !== undefined && actor.state.wakeAtMs <= atMs)
        this.#feed(actor, { type: 'tick' });
    }
  }

  /** A quorum of played members if there are so many: a core's signature under what it never signed would mean a lost log. */
  #someSigners(): number[] {
    const everyone = Array.from({ length: this.#n }, (_, index) => index);
    const played = everyone.filter((index) => !this.#actors.some((actor) => actor.index === index));
    return (played.length >= this.#quorum ? played : everyone).slice(0, this.#quorum);
  }

  #digest(name: string): Hash {
    return this.#digests.get(name) ?? fakeHash(name);
  }

  #result(name: string): Hash {
    const hash = fakeHash(`result ${name}`);
    this.#names.set(hash, name);
    return hash;
  }

  /** `notarize P1 v=1 parent=0`, `nullify v=1`, `finalize P1 v=1 result=X`, starting at a word of the command. */
  #statement(command: Command, at: number): Statement {
    const kind = command.words[at];
    const view = View(command.number('v'));
    const epoch = Epoch(0);
    if (kind === 'nullify') return { kind, epoch, view };
    const name = command.words[at + 1] ?? '';
    const digest = this.#digest(name);
    const proposal = this.#proposals.get(digest);
    const parent = proposal === undefined ? undefined : this.#proposals.get(proposal.parentDigest);
    if (kind === 'notarize')
      return { kind, epoch, view, parentView: View(command.number('parent', parent?.view ?? 0)), digest };
    const height = Height(command.number('height', proposal?.height ?? view));
    return {
      kind: 'finalize',
      epoch,
      view,
      digest,
      height,
      blockHash: this.#result(command.get('result') ?? `result-of-${name}`),
    };
  }

  /** Makes a proposal known by a name: `P1 v=1 on=genesis [by=1] [time=10] [empty]`. */
  #make(command: Command, name: string): Proposal {
    const view = View(command.number('v'));
    const parentDigest = this.#digest(command.get('on') ?? 'genesis');
    const parent = this.#proposals.get(parentDigest);
    const proposal: Proposal = {
      epoch: Epoch(0),
      view,
      leader: command.number('by', view % this.#n),
      parentDigest,
      height: Height(command.number('height', (parent?.height ?? 0) + 1)),
      timeMs: command.number('time', (parent?.timeMs ?? 0) + 10),
      transactionHashes: command.words.includes('empty') ? [] : [fakeHash(`transaction of ${name}`)],
    };
    const digest = fakeDigest(proposal);
    this.#digests.set(name, digest);
    this.#names.set(digest, name);
    this.#proposals.set(digest, proposal);
    return proposal;
  }

  /** A played leader's proposal. `again` proposes a known block in a later view. */
  #propose(command: Command): void {
    const name = command.words[1] ?? '';
    const again = command.words.includes('again');
    const proposal = again ? this.#proposals.get(this.#digest(name))! : this.#make(command, name);
    const digest = this.#digest(name);
    const view = View(command.number('v'));
    const parent = this.#proposals.get(proposal.parentDigest);
    const parentView = View(command.number('parent', again ? proposal.view : (parent?.view ?? 0)));
    const statement: NotarizeStatement = { kind: 'notarize', epoch: Epoch(0), view, parentView, digest };
    const leader = command.number('from', view % this.#n);
    const justification = command.list('nullified', []).map((nullified) => {
      return fakeCertificate({ kind: 'nullify' as const, epoch: Epoch(0), view: View(nullified) }, this.#someSigners());
    });
    const message = { proposal, digest, leaderVote: fakeVote(statement, leader), justification };
    this.#each(command, 'to', (actor) => this.#feed(actor, { type: 'proposal', from: leader, message }));
  }

  #vote(command: Command): void {
    const statement = this.#statement(command, 1);
    for (const signer of command.list('by', [])) {
      const vote = fakeVote(statement, signer);
      this.#each(command, 'to', (actor) =>
        this.#feed(actor, { type: 'vote', from: command.number('from', signer), vote }),
      );
    }
  }

  #certificate(command: Command): void {
    const signers = command.list('by', this.#someSigners());
    const from = command.number('from', signers[0]);
    const certificate = fakeCertificate(this.#statement(command, 1), signers);
    this.#each(command, 'to', (actor) => this.#feed(actor, { type: 'certificate', from, certificate }));
  }

  #status(command: Command): void {
    for (const from of command.list('by', [])) {
      this.#each(command, 'to', (actor) => {
        this.#hearStatus(actor, from, command.number('view'), command.number('height', 0), command.number('final', 0));
      });
    }
  }

  #hearStatus(actor: Actor, from: number, view: number, height: number, final: number): void {
    if (from === actor.index) return;
    this.#feed(actor, {
      type: 'status',
      from,
      view: View(view),
      finalizedHeight: Height(height),
      finalizedView: View(final),
    });
  }

  #checked(command: Command): void {
    const digest = this.#digest(command.words[1] ?? '');
    const valid = !command.words.includes('invalid');
    this.#each(command, 'on', (actor) => {
      const asked = actor.asked.find((effect) => effect.type === 'check' && effect.message.digest === digest);
      if (asked?.type !== 'check')
        throw new Error(`member ${actor.index} did not ask for a check of ${command.words[1]}`);
      actor.asked = actor.asked.filter((effect) => effect !== asked);
      if (valid) actor.proposals.push(asked.message);
      this.#feed(actor, {
        type: 'checked',
        view: asked.view,
        digest,
        valid,
        ...(!valid && { reason: 'the script says so' }),
      });
    });
  }

  #executed(command: Command): void {
    const name = command.words[1] ?? '';
    const digest = this.#digest(name);
    if (command.words.includes('closing')) this.#closing.add(digest);
    const blockHash = this.#result(command.get('result') ?? `result-of-${name}`);
    this.#each(command, 'on', (actor) => this.#reportExecuted(actor, digest, blockHash));
  }

  #reportExecuted(actor: Actor, digest: Hash, blockHash: Hash): void {
    actor.asked = actor.asked.filter((effect) => effect.type !== 'execute' || effect.digest !== digest);
    const proposal = this.#proposals.get(digest);
    const height = proposal?.height ?? Height(1);
    const closing = this.#closing.has(digest) ? proposal : undefined;
    this.#feed(actor, { type: 'executed', digest, height, blockHash, closing });
  }

  #built(command: Command): void {
    const name = command.words[1] ?? '';
    this.#each(command, 'on', (actor) => {
      const asked = actor.asked.find((effect) => effect.type === 'build');
      if (asked?.type !== 'build') throw new Error(`member ${actor.index} did not ask for a block`);
      actor.asked = actor.asked.filter((effect) => effect !== asked);
      const { view } = asked;
      if (name === 'nothing') {
        this.#feed(actor, { type: 'built', view, proposal: undefined, digest: asked.parentDigest });
        return;
      }
      const on = this.#names.get(asked.parentDigest);
      const words = `${command.words.join(' ')} v=${view} on=${on} by=${actor.index}`;
      const proposal = this.#make(
        new Command(command.get('time') ? `${words} time=${command.get('time')}` : words),
        name,
      );
      this.#feed(actor, { type: 'built', view, proposal, digest: fakeDigest(proposal) });
    });
  }

  #applied(command: Command): void {
    this.#each(command, 'on', (actor) => {
      const name = command.words[1];
      if (name !== undefined) {
        const statement = this.#statement(new Command(`finalize ${name} v=${command.number('v')}`), 0);
        if (statement.kind === 'finalize') this.#apply(actor, fakeCertificate(statement, this.#someSigners()));
        return;
      }
      const asked = actor.asked.filter((effect) => effect.type === 'finalize');
      actor.asked = actor.asked.filter((effect) => effect.type !== 'finalize');
      for (const effect of asked) if (effect.type === 'finalize') this.#apply(actor, effect.certificate);
    });
  }

  #apply(actor: Actor, certificate: Extract<Effect, { type: 'finalize' }>['certificate']): void {
    const { digest, height, view } = certificate.statement;
    const timeMs = this.#proposals.get(digest)?.timeMs ?? 0;
    actor.point = { digest, height, view, timeMs, certificate };
    actor.votes = actor.votes.filter(({ statement }) => statement.view > view);
    actor.certificates = actor.certificates.filter(({ statement }) => statement.view > view);
    actor.proposals = actor.proposals.filter(({ leaderVote }) => leaderVote.statement.view > view);
    this.#feed(actor, { type: 'applied', point: actor.point });
  }

  #flush(actor: Actor): void {
    actor.certificates.push(...actor.unrecorded.splice(0));
    for (const effect of actor.unflushed.splice(0)) {
      const vote = fakeVote(effect.statement, actor.index);
      actor.votes.push(vote);
      let message: Message = { type: 'vote', vote };
      if (effect.type === 'propose') {
        const { proposal, digest, justification } = effect;
        message = {
          type: 'proposal',
          message: { proposal, digest, justification, leaderVote: vote as Vote<NotarizeStatement> },
        };
        actor.proposals.push(message.message);
      }
      this.#broadcast(actor, message);
      this.#feed(actor, { type: 'vote', from: actor.index, vote });
    }
  }

  #broadcast(actor: Actor, message: Message): void {
    for (const { index } of this.#actors)
      if (index !== actor.index) this.#network.push({ from: actor.index, to: index, message });
  }

  #deliver(): void {
    for (const { from, to, message } of this.#network.splice(0)) {
      const actor = this.#actors.find(({ index }) => index === to);
      if (actor?.alive) this.#feed(actor, { ...message, from });
    }
  }

  /** Loses what was not flushed; `keep=proposal` is a tear between a leader's proposal and its vote. */
  #crash(actor: Actor, keepsProposal: boolean): void {
    actor.alive = false;
    for (const effect of keepsProposal ? actor.unflushed : []) {
      if (effect.type !== 'propose') continue;
      const { proposal, digest, justification, statement } = effect;
      actor.proposals.push({ proposal, digest, justification, leaderVote: fakeVote(statement, actor.index) });
    }
    actor.unflushed = [];
    actor.unrecorded = [];
    actor.asked = [];
  }

  #restart(actor: Actor, loses: boolean, floor: View): void {
    actor.alive = true;
    if (loses) {
      actor.votes = [];
      actor.certificates = [];
      actor.proposals = [];
    }
    actor.state = this.#core(actor.index, actor.point);
    this.#start(actor, loses, floor);
  }

  /** Everything goes well, in the order of the members, until nothing is under way: flush, deliver, check, execute, build, apply. */
  #run(): void {
    for (let round = 0; round < 100; round++) {
      let busy = this.#network.length > 0;
      for (const actor of this.#actors) {
        if (!actor.alive) continue;
        busy ||= actor.unflushed.length > 0 || actor.asked.length > 0;
        this.#flush(actor);
        for (const effect of actor.asked.splice(0)) this.#answer(actor, effect);
      }
      this.#deliver();
      if (!busy) return;
    }
    throw new Error('run does not come to rest');
  }

  #answer(actor: Actor, effect: Actor['asked'][number]): void {
    switch (effect.type) {
      case 'check':
        actor.proposals.push(effect.message);
        this.#feed(actor, { type: 'checked', view: effect.view, digest: effect.message.digest, valid: true });
        return;
      case 'execute':
        this.#reportExecuted(actor, effect.digest, this.#result(`result-of-${this.#names.get(effect.digest)}`));
        return;
      case 'build': {
        this.#atMs = Math.max(this.#atMs, effect.notBeforeMs);
        const name = `P${effect.view}`;
        const on = this.#names.get(effect.parentDigest);
        const empty = effect.empty || !actor.state.pending ? 'empty' : '';
        const proposal = this.#make(new Command(`${name} v=${effect.view} on=${on} by=${actor.index} ${empty}`), name);
        this.#feed(actor, { type: 'built', view: effect.view, proposal, digest: fakeDigest(proposal) });
        // The transaction is in the block now, and in nobody's pool.
        for (const other of this.#actors) if (other.alive) this.#feed(other, { type: 'pending', waiting: false });
        return;
      }
      case 'finalize':
        this.#apply(actor, effect.certificate);
    }
  }

  #feed(actor: Actor, input: Unstamped): void {
    const effects = step(actor.state, { ...input, atMs: this.#atMs } as Input);
    for (const effect of effects) {
      this.#note(actor, effect);
      const text = describeEffect(effect, effects, (hash) => this.#names.get(hash) ?? hash.slice(0, 10));
      if (text === undefined || (this.#shown !== undefined && !this.#shown.includes(effect.type))) continue;
      this.#lines.push(`${actor.index}: ${text}`);
    }
  }

  #note(actor: Actor, effect: Effect): void {
    switch (effect.type) {
      case 'vote':
      case 'propose':
        actor.unflushed.push(effect);
        return;
      case 'check':
      case 'execute':
      case 'build':
      case 'finalize':
        actor.asked.push(effect);
        return;
      case 'record':
        actor.unrecorded.push(effect.certificate);
        return;
      case 'broadcast':
        this.#broadcast(actor, { type: 'certificate', certificate: effect.certificate });
        return;
      case 'resend':
        for (const certificate of effect.certificates) this.#broadcast(actor, { type: 'certificate', certificate });
        for (const vote of effect.ownVotes) this.#broadcast(actor, { type: 'vote', vote });
        if (effect.proposal) this.#broadcast(actor, { type: 'proposal', message: effect.proposal });
        return;
      // These ask nothing of the script.
      case 'alarm':
      case 'behind':
      case 'enteredView':
      case 'evidence':
      case 'fetchCertificates':
      case 'send':
      case 'wakeAt':
        return;
    }
  }
}
