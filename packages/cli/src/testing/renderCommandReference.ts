import type { Command } from 'commander';
import { exitCodes } from '../cliError.ts';

/** What help texts leave out: what a reader of the reference wants to know of a command beyond its options. */
const NOTES: Readonly<Record<string, string>> = {
  up: `\`npm start\` runs this. The first start creates the network: keys, accounts, a genesis, and a folder for each member. Every later
start continues the same chain. The members run until Ctrl-C; while they do, \`DIR/network.json\` tells tools where they are and
which development accounts there are. With \`--json\` the content of that file goes to standard output as soon as the members are
ready, and progress to standard error.

A member that dies is not restarted: \`hanse up\` says so, and \`hanse up --only NAME\` starts it again. Nothing is overwritten: a
folder that holds anything else, a network of another version, a damaged file or a taken port ends the command with one line. Only
\`--fresh\` deletes, and only the network.`,
  node: `Runs in the foreground until SIGINT or SIGTERM and stops cleanly. The log goes to standard output: readable lines on a terminal,
one JSON object a line elsewhere. Relative paths in the configuration count from its folder.`,
  'member init': `Runs on the member's own machine. The private keys never leave it: \`keys/account.key\` (the member's account), \`keys/vote.key\`
(votes of consensus) and \`keys/transport.key\` (TLS between members) are readable by their owner only. The node needs the last two;
the account key signs registrations and payments and may be kept elsewhere.

\`descriptor.json\` is public. It holds name, role, keys and endpoints, and is signed by the account key and the vote key, so that a
swapped key is noticed. Whether the whole file was swapped, its *fingerprint* tells, compared over another channel; besides, a
node refuses a genesis that has other keys for its member. An existing folder that is not empty is left as it is.`,
  'network create': `Needs the public descriptors only. It refuses descriptors that were changed, and any name, key or endpoint that two members share. A
network has at least one authority and 1 to 31 validators. The document is written whole or not at all, and never over another one.

The genesis hash stands for every field of the document. Members compare it over another channel before they start.`,
  'network show': `Computes the genesis hash on this machine, so that members can compare it by phone. With \`--descriptor\` it also checks that a member
stands in the document exactly as it described itself.`,
  status: `For a local network it asks all members; with \`--rpc\` that member, and shows what it knows of the others. \`cryptography\` says
which implementation answers: native, WebAssembly, or (slow) JavaScript. Ends with 1 if a member does not answer or is not well.`,
  'account new':
    'The key file is a keystore of version 3, as geth, ethers and wallets write and read them (scrypt, 256 MiB).',
  'account import': `A file with a raw key must be readable by its owner only. A keystore file is opened with the same passphrase that will encrypt the
new one, unless you are asked for both at the prompt.`,
  'account register': `On a network of registered accounts, only registered ones may send transactions. A member's own account registers; the member
answers for what the account does. \`--member NAME\` alone takes the development key of a local network.`,
  send: `Waits until the transaction is final, which is when a member shows it; there is nothing to wait for after that. Prints the
transaction, its block and the certificate. Ends with 2 if the chain refuses it or it reverts. Amounts are never rounded.`,
  block: `\`final\` names who certified the block, or its nearest certified descendant. With the genesis document at hand (\`--genesis\`, or that of
the local network) the certificate is verified here, and the asked member need not be believed.`,
  tx: 'Calls and events of the native modules are decoded, and so are the reasons of reverts.',
  doctor: `Checks Node.js, the cryptographic implementation, the permissions of key files and data folders, ports (of members that do not run),
whether members answer and reach each other, and their clocks. Every finding comes with what to do. Ends with 1 if there is a problem.`,
};

const HEAD = `# The command line

\`npx hanse\` in the repository runs the program; \`npm start\` is \`hanse up\`. Every command has \`--help\` with an example.

**Where is the network?** Commands that talk to one take \`--rpc URL\`, else they read \`network.json\` in the data folder of a local
network (\`--data\`, default \`.hanse\`). Names are members, or development accounts of the local network; everything else is an
address.

**Who signs?** \`--from NAME\` takes a development account, \`--from ADDRESS\` a key file of the keystore (\`--keystore\`, default
\`keystore\` in the data folder), \`--key FILE\` any file with a key. Passphrases come from \`--password-file\`, from the variable
\`HANSE_PASSWORD\`, or from a prompt that shows nothing.

**For programs:** \`--json\` prints one JSON value on standard output and nothing else there; amounts and other large numbers are
decimal text. Errors are one line on standard error in any case.

| exit code | meaning |
| ---: | --- |
| ${exitCodes.success} | done |
| ${exitCodes.failure} | something that you can mend: the line on standard error says what and how |
| ${exitCodes.refused} | the chain refused: the transaction was rejected, or it reverted |
| ${exitCodes.usage} | the command line is wrong |
| ${exitCodes.bug} | a bug of this program, with its stack |
| 130 | stopped at a prompt by Ctrl-C |
`;

/** A command with the words that lead to it, without the program's name. */
export interface NamedCommand {
  readonly name: string;
  readonly command: Command;
}

/** All commands that do something, in the order of the help. */
export function leafCommands(command: Command, path: readonly string[] = []): readonly NamedCommand[] {
  return command.commands.flatMap((child) => {
    const words = [...path, child.name()];
    return child.commands.length > 0 ? leafCommands(child, words) : [{ name: words.join(' '), command: child }];
  });
}

/** The text that \`--help\` prints, always in the same width. */
export function helpOf(command: Command): string {
  let text = '';
  command.configureHelp({ helpWidth: 110 });
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  return text.trimEnd();
}

/** docs/reference/cli.md from the commands themselves. */
export function renderCommandReference(program: Command): string {
  const commands = leafCommands(program);
  const anchor = (name: string): string => `#hanse-${name.replaceAll(' ', '-')}`;
  const index = commands.map(({ name }) => `[${name}](${anchor(name)})`).join(' ·\n');
  const sections = commands.map(({ name, command }) => {
    const notes = NOTES[name];
    return `### hanse ${name}\n\n${notes === undefined ? '' : `${notes}\n\n`}\`\`\`text\n${helpOf(command)}\n\`\`\`\n`;
  });
  return `${HEAD}\n## Commands\n\n${index}\n\n${sections.join('\n')}`;
}
