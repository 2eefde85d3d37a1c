import { resolve } from 'node:path';
import { addressOfPrivateKey, loadSuite } from '@hanse/node';
import { type Address, bytesToHex, type Hex, type SuiteId } from '@hanse/protocol';
import type { Command } from 'commander';
import type { AddressBook } from './addressBook.ts';
import { CLIError } from './cliError.ts';
import { listKeystore, loadKeyFile } from './keyFiles.ts';
import type { ConnectedNetwork } from './networkTarget.ts';
import { usageError } from './options.ts';
import { addPassphraseOption, type PassphraseOptions } from './passphrase.ts';

export interface SignerOptions extends PassphraseOptions {
  readonly from?: string;
  readonly key?: string;
  readonly keystore?: string;
}

export function addSignerOptions(command: Command): Command {
  const options = command
    .option(
      '--from <name|address>',
      'who signs: a development account of the local network, or an account of the keystore',
    )
    .option('--key <file>', 'else: a file with the private key, as hexadecimal or as a keystore file')
    .option('--keystore <dir>', 'folder of key files (default: keystore in the data folder)');
  return addPassphraseOption(options);
}

export interface Signer {
  readonly address: Address;
  readonly privateKey: Hex;
}

/** Finds the key that the options name; every reason against it is a CLIError that says where was looked. */
export async function findSigner(
  options: SignerOptions,
  network: ConnectedNetwork,
  book: AddressBook,
): Promise<Signer> {
  const suite = await loadSuite(network.status.suite as SuiteId);
  const named = options.from === undefined ? undefined : book.resolve(options.from);
  const signerOf = (key: Uint8Array): Signer => ({
    address: addressOfPrivateKey(key, suite),
    privateKey: bytesToHex(key),
  });
  if (options.key !== undefined) {
    const signer = signerOf(await loadKeyFile(options.key, suite, options));
    if (named !== undefined && named !== signer.address)
      throw new CLIError(`The key in ${options.key} is that of ${book.label(signer.address)}, not of ${options.from}.`);
    return signer;
  }
  if (named === undefined) throw usageError('Say who signs: --from NAME, --from ADDRESS or --key FILE.');
  const development = network.file?.accounts.find(({ address }) => address === named);
  if (development !== undefined) return development;
  const folder = resolve(options.keystore ?? network.layout.keystore);
  const entry = listKeystore(folder).find(({ address }) => address === named);
  if (entry !== undefined) return signerOf(await loadKeyFile(entry.file, suite, options));
  throw new CLIError(
    `The key of ${book.label(named)} is not in ${folder}. Name its file with --key, or its folder with --keystore.`,
  );
}
