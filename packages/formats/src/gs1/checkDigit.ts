/**
 * The check digit of a GS1 key without it: weights 3 and 1 from the right, modulo 10 (GS1 General Specifications, section
 * 7.9.1). `digits` holds decimal digits only.
 */
export function checkDigit(digits: string): string {
  if (!/^[0-9]+$/.test(digits)) throw new RangeError('a GS1 key without its check digit has digits only');
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    sum += i % 2 === 0 ? 3 * digit : digit;
  }
  return String((10 - (sum % 10)) % 10);
}

/** The key with its check digit. */
export const withCheckDigit = (digits: string): string => digits + checkDigit(digits);
