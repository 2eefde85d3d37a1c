const DECIMAL = /^([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,9}))?$/;

/** No quantity of this world needs more digits, and an exponent must not make a short text a long one. */
const MAX_DIGITS = 400;

/**
 * The one way to write a decimal number: no sign "+", no leading and trailing zeros, no exponent, no "-0". Works on the
 * text alone, so nothing is ever rounded. Returns undefined if the text is no decimal number, or one of more than 400 digits.
 */
export function normaliseDecimal(text: string): string | undefined {
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', exponentText = '0'] = match;
  if (whole === '' && fraction === '') return undefined;
  const exponent = Number(exponentText);
  if (whole.length + fraction.length + Math.abs(exponent) > MAX_DIGITS) return undefined;
  const digits = whole + fraction;
  const point = whole.length + exponent;
  const wholeDigits = point <= 0 ? '' : digits.slice(0, point).padEnd(point, '0');
  const fractionDigits = point <= 0 ? digits.padStart(digits.length - point, '0') : digits.slice(point);
  const trimmedWhole = wholeDigits.replace(/^0+/, '') || '0';
  const trimmedFraction = fractionDigits.replace(/0+$/, '');
  const value = trimmedFraction === '' ? trimmedWhole : `${trimmedWhole}.${trimmedFraction}`;
  return sign === '-' && value !== '0' ? `-${value}` : value;
}
