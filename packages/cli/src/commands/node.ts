import { type NodeConfig, readNodeConfig, startNode } from '@hanse/node';
import type { Command } from 'commander';
import { CLIError } from '../cliError.ts';
import { readInvitation } from '../invitation.ts';
import type { MemberReport } from '../localNetwork/memberProcess.ts';
import { addExamples, collect, parseWhole, usageError } from '../options.ts';
import { PRETENDED_RULES, readPretendedRules } from '../pretendedRules.ts';

interface NodeOptions {
  readonly config: string;
  readonly rpcPort?: string;
  readonly listen?: string;
  readonly known?: readonly string[];
  readonly invitation?: string;
  readonly json?: boolean;
}

/** `hanse node`: runs one member until it is told to stop. */
export function addNodeCommand(program: Command): void {
  const node = program
    .command('node')
    .description('run one member from its configuration')
    .requiredOption('--config <file>', "the member's configuration (made by hanse member init)")
    .option('--rpc-port <port>', 'serve JSON-RPC on this port instead of the configured one')
    .option('--listen <host:port>', 'accept members here instead of the configured address')
    .option('--known <name=host:port>', 'where to reach a member, before what the chain says (repeatable)', collect)
    .option(
      '--invitation <file>',
      'the members of today, for a node whose own knowledge of them is too old (hanse member invite)',
    )
    .option('--json', 'write the log as one JSON object a line, also on a terminal');
  addExamples(
    node,
    'hanse node --config ./bank/node.json',
    'hanse node --config ./bank/node.json --invitation invitation.json',
  ).action(async (options: NodeOptions) => {
    await runNode(withOverrides(readNodeConfig(options.config), options), options.json === true ? 'json' : 'auto');
  });
}

function withOverrides(config: NodeConfig, options: NodeOptions): NodeConfig {
  const port = options.rpcPort === undefined ? config.rpc.port : parseWhole('--rpc-port', options.rpcPort, 0, 65_535);
  const known: Record<string, readonly string[]> = { ...config.peer.known };
  for (const entry of options.known ?? []) {
    const [name, endpoint] = entry.split('=');
    if (!name || !endpoint) throw usageError(`--known ${entry} must be name=host:port.`);
    known[name] = [endpoint];
  }
  const introduced =
    options.invitation === undefined ? config.peer.introduced : readInvitation(options.invitation).members;
  const peer = { ...config.peer, listen: options.listen ?? config.peer.listen, known };
  return { ...config, rpc: { ...config.rpc, port }, peer: introduced === undefined ? peer : { ...peer, introduced } };
}

function report(message: MemberReport): void {
  if (process.send !== undefined && process.connected) process.send(message);
}

/** A log that nobody takes (its reader is gone, its disk is full) is lost, but no reason to stop voting. */
function outliveLog(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.removeAllListeners('error');
    stream.on('error', () => undefined);
  }
}

async function runNode(config: NodeConfig, logFormat: 'auto' | 'json'): Promise<void> {
  outliveLog();
  // A signal that comes while the node starts is kept until it can be obeyed.
  const stopAsked = new Promise<undefined>((resolve) => {
    const stop = (): void => {
      resolve(undefined);
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    // `hanse up` is gone: nobody watches over this member any more.
    process.on('disconnect', stop);
  });
  try {
    const pretendedRules = readPretendedRules(process.env[PRETENDED_RULES]);
    const node = await startNode(config, { logFormat, ...(pretendedRules === undefined ? {} : { pretendedRules }) });
    report({ type: 'ready', rpcUrl: node.rpcUrl, wsUrl: node.wsUrl });
    const failure = await Promise.race([stopAsked, node.failed]);
    // Why it failed says more than what then went wrong in stopping it.
    await node.close().catch((error: unknown) => {
      if (failure === undefined) throw error;
    });
    if (failure !== undefined) throw new CLIError(`The member stopped: ${failure.message}`);
  } catch (error) {
    report({ type: 'failed', message: (error as Error).message });
    throw error;
  } finally {
    // An open channel would keep the process alive.
    if (process.connected) process.disconnect();
  }
}
