/**
 * Reads an amount as people write it ("1234.50", "1,234.5") into a currency's smallest units. Throws a RangeError for more
 * decimals than the currency has, a sign, or anything that is no number: money is never rounded silently.
 */
export function parseAmount(text: string, decimals: number): bigint {
  const match = /^(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?$/.exec(text.trim());
  if (match === null) throw new RangeError(`"${text}" is no amount: write it like 1234.50`);
  const fraction = match[2] ?? '';
  if (fraction.length > decimals) throw new RangeError(`"${text}" has more than ${decimals} decimals`);
  const whole = (match[1] as string).replaceAll(',', '');
  return BigInt(whole + fraction.padEnd(decimals, '0'));
}

/** Writes smallest units as people read them: 123450n with 2 decimals is "1,234.50". */
export function formatAmount(units: bigint, decimals: number): string {
  const digits = (units < 0n ? -units : units).toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals).replace(/\B(?=(\d{3})+$)/g, ',');
  const fraction = decimals === 0 ? '' : `.${digits.slice(digits.length - decimals)}`;
  return `${units < 0n ? '-' : ''}${whole}${fraction}`;
}
