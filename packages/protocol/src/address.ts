import type { Keccak256 } from './bloom.ts';
import { bigintToBytes, bigintToFixedBytes, bytesToHex, hexToBytes, utf8ToBytes } from './bytes.ts';
import { ProtocolError } from './errors.ts';
import { encodeRlp } from './rlp.ts';
import type { Address } from './types.ts';

// CREATE and CREATE2 stay Keccak in both suites, so that tools which predict addresses keep working.

/** The address of a contract that `sender` creates with `nonce` (Yellow Paper, section 7). */
export function createAddress(hasher: Keccak256, sender: Address, nonce: bigint): Address {
  const preimage = encodeRlp([hexToBytes(sender), bigintToBytes(nonce)]);
  return bytesToHex(hasher.keccak256(preimage).subarray(12));
}

/** The address of a contract that CREATE2 makes (EIP-1014). */
export function create2Address(hasher: Keccak256, sender: Address, salt: bigint, initCode: Uint8Array): Address {
  const preimage = new Uint8Array(85);
  preimage[0] = 0xff;
  preimage.set(hexToBytes(sender), 1);
  preimage.set(bigintToFixedBytes(salt, 32), 21);
  preimage.set(hasher.keccak256(initCode), 53);
  return bytesToHex(hasher.keccak256(preimage).subarray(12));
}

/** The mixed-case form that people read and copy (EIP-55). */
export function checksumAddress(hasher: Keccak256, address: Address): string {
  const digits = address.slice(2);
  const hash = bytesToHex(hasher.keccak256(utf8ToBytes(digits))).slice(2);
  let result = '0x';
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charAt(i);
    result += hash.charAt(i) >= '8' ? digit.toUpperCase() : digit;
  }
  return result;
}

/** Reads an address that a person gave: all lower or all upper case, or mixed with a right checksum; throws `invalid-address`. */
export function parseAddress(hasher: Keccak256, text: string): Address {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) {
    throw new ProtocolError('invalid-address', 'an address is 0x and 40 hexadecimal digits');
  }
  const address = text.toLowerCase() as Address;
  const digits = text.slice(2);
  const isMixed = digits !== digits.toLowerCase() && digits !== digits.toUpperCase();
  if (isMixed && checksumAddress(hasher, address) !== text) {
    throw new ProtocolError(
      'invalid-address',
      'the checksum of the address is wrong (EIP-55): is a character mistyped?',
    );
  }
  return address;
}
