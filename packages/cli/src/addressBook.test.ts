import { getAddress } from 'viem';
import { describe, expect, it } from 'vitest';
import { AddressBook, parseAddress } from './addressBook.ts';
import { CLIError } from './cliError.ts';

const bank = '0x1f9090aae28b8a3dceadf281b0f12828e676c326';
const farm = `0x${'fa'.repeat(20)}` as const;
const book = new AddressBook([
  ['bank', bank],
  ['farm', farm],
  ['teller', bank],
]);

describe('an address book', () => {
  it('resolves names and addresses, always to lower case', () => {
    expect(book.resolve('bank')).toBe(bank);
    expect(book.resolve('teller')).toBe(bank);
    expect(book.resolve(getAddress(farm))).toBe(farm);
  });

  it('names an address by its first name', () => {
    expect(book.label(getAddress(bank))).toContain('bank (0x');
    expect(book.nameOf(getAddress(bank))).toBe('bank');
    expect(book.label('0x12')).toBe('0x12');
  });

  it('says whom it knows when a name is unknown', () => {
    expect(() => book.resolve('market')).toThrow('Nobody here is called market. Known are: bank, farm, teller.');
  });
});

describe('parseAddress', () => {
  it('takes all lower or all upper case without a checksum, and mixed case with the right one', () => {
    expect(parseAddress(bank)).toBe(bank);
    expect(parseAddress(`0x${bank.slice(2).toUpperCase()}`)).toBe(bank);
    expect(parseAddress(getAddress(bank))).toBe(bank);
  });

  it('notices a mistyped address by its checksum (ERC-55)', () => {
    const sound = getAddress(bank);
    const mistyped = sound.replace('1f9090', '1f9091');
    expect(() => parseAddress(mistyped)).toThrow('is mistyped');
  });

  it.each(['', '0x', bank.slice(0, -1), `${bank}0`, bank.slice(2), `0x${'zz'.repeat(20)}`])('refuses %j', (text) => {
    expect(() => parseAddress(text)).toThrow(CLIError);
  });
});
