import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { CLIError } from './cliError.ts';

export interface PassphraseOptions {
  readonly passwordFile?: string;
}

export function addPassphraseOption(command: Command): Command {
  return command.option(
    '--password-file <file>',
    'read the passphrase from this file (default: the variable HANSE_PASSWORD, else a prompt)',
  );
}

/** The passphrase of an existing key file. */
export async function readPassphrase(options: PassphraseOptions, what: string): Promise<string> {
  return givenPassphrase(options) ?? (await promptHidden(`Passphrase of ${what}: `));
}

/** A passphrase for a new key file: typed twice, because nobody sees what was typed. */
export async function readNewPassphrase(options: PassphraseOptions): Promise<string> {
  const given = givenPassphrase(options);
  if (given !== undefined) return given;
  const passphrase = await promptHidden('New passphrase: ');
  if (passphrase === '') throw new CLIError('An empty passphrase protects nothing: choose another.');
  if ((await promptHidden('The same again: ')) !== passphrase)
    throw new CLIError('The two passphrases differ; nothing was written.');
  return passphrase;
}

function givenPassphrase({ passwordFile }: PassphraseOptions): string | undefined {
  if (passwordFile === undefined) return process.env.HANSE_PASSWORD;
  try {
    // The line end is an editor's; every other character belongs to the passphrase.
    return readFileSync(passwordFile, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new CLIError(`The passphrase file ${passwordFile} cannot be read: ${(error as Error).message}`);
  }
}

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const ERASE = ['\u007f', '\b'];

/** Asks on the terminal without showing what is typed. The question goes to standard error: standard output may be a file. */
function promptHidden(question: string): Promise<string> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY)
    throw new CLIError(
      'A passphrase is needed and there is no terminal to ask at: give --password-file or HANSE_PASSWORD.',
    );
  stderr.write(question);
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  stdin.resume();
  return new Promise((resolve, reject) => {
    let typed = '';
    const end = (): void => {
      stdin.off('data', onData);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write('\n');
    };
    const onData = (text: string): void => {
      for (const character of text) {
        if (character === '\r' || character === '\n') {
          end();
          resolve(typed);
          return;
        }
        if (character === CTRL_C || (character === CTRL_D && typed === '')) {
          end();
          reject(new CLIError('Stopped.', 130));
          return;
        }
        if (ERASE.includes(character)) typed = [...typed].slice(0, -1).join('');
        else typed += character;
      }
    };
    stdin.on('data', onData);
  });
}
