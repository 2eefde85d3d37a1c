import { CLIError } from '../cliError.ts';
import { MemberProcess } from './memberProcess.ts';
import { type LocalNetwork, presentMembers } from './networkFolder.ts';

export interface StartedMember {
  readonly process: MemberProcess;
  readonly rpcUrl: string;
  readonly wsUrl: string;
}

/** How long a member may take to stop cleanly before it is killed. */
const STOP_TIMEOUT_MS = 20_000;

/** The members of a local network, each in its own process, started and stopped together. */
export class RunningNetwork {
  #members: readonly StartedMember[];
  #stopping: Promise<void> | undefined;

  private constructor(members: readonly StartedMember[]) {
    this.#members = members;
  }

  get members(): readonly StartedMember[] {
    return this.#members;
  }

  /** Starts every member, or those named in `only`; if one cannot start, the others are stopped again and its reason is thrown. */
  static async start(network: LocalNetwork, only?: string): Promise<RunningNetwork> {
    const { members: names, ports } = network.manifest;
    const known = Object.fromEntries(names.map((name, index) => [name, `127.0.0.1:${ports.peerPort + index}`]));
    const present = presentMembers(network.manifest);
    const processes = names.flatMap((name, index) => {
      if (only === undefined ? !present.includes(name) : name !== only) return [];
      const { [name]: _self, ...others } = known;
      const start = { name, rpcPort: ports.rpcPort + index, peerPort: ports.peerPort + index, known: others };
      return [new MemberProcess({ ...start, layout: network.layout.member(name) })];
    });
    try {
      const started = await Promise.all(processes.map(async (process) => ({ process, ...(await process.ready()) })));
      return new RunningNetwork(started);
    } catch (error) {
      await Promise.all(processes.map((process) => process.stop()));
      throw error;
    }
  }

  /** Stops one member for good; the others go on. */
  async dismiss(name: string): Promise<void> {
    const dismissed = this.#members.filter(({ process: member }) => member.name === name);
    this.#members = this.#members.filter(({ process: member }) => member.name !== name);
    await Promise.all(dismissed.map(({ process: member }) => member.stop()));
  }

  /** Calls when a member ends although nobody stopped the network. */
  onDeath(handler: (name: string, how: string) => void): void {
    for (const { process: member } of this.members) {
      void member.exited().then(({ code, signal }) => {
        if (this.#stopping === undefined)
          handler(member.name, signal === null ? `exit code ${code}` : `signal ${signal}`);
      });
    }
  }

  /** Stops all members cleanly; a second call waits for the first. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  /** Ends what still runs at once: the last resort. */
  kill(): void {
    for (const { process: member } of this.members) member.kill();
  }

  async #stopAll(): Promise<void> {
    const running = this.members.map(({ process: member }) => member).filter((member) => member.isRunning);
    const late = setTimeout(() => {
      this.kill();
    }, STOP_TIMEOUT_MS);
    const exits = await Promise.all(running.map((member) => member.stop()));
    clearTimeout(late);
    const unclean = running.filter((_, index) => exits[index]?.signal === 'SIGKILL').map(({ name }) => name);
    if (unclean.length > 0)
      throw new CLIError(
        `Did not stop cleanly: ${unclean.join(', ')}. Their data is safe: they recover at the next start.`,
      );
  }
}
