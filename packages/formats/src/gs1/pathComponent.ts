/**
 * Characters of the GS1 character set 82 that stand for themselves in a canonical GS1 Digital Link; the others are
 * percent-encoded (GS1 Digital Link: URI syntax 1.2, section 4.11; the EPC Tag Data Standard has nearly the same table).
 */
const LITERAL = /[A-Za-z0-9\-._';=]/;

/** Character set 82 (GS1 General Specifications, figure 7.11-1): what a serial or lot number may hold. */
const CHARACTER_SET_82 = /^[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]*$/;

/** Character set 39 (figure 7.11-2): what a component or part number may hold. */
const CHARACTER_SET_39 = /^[#\-/0-9A-Z]*$/;

/** The text behind a percent-encoded component; undefined if an escape is broken or leaves ASCII. */
export function decodeComponent(component: string): string | undefined {
  if (/%(?![0-7][0-9A-Fa-f])/.test(component)) return undefined;
  return component.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** One way to write a component: upper-case escapes, and only where they must be. */
export function encodeComponent(text: string): string {
  let encoded = '';
  for (const character of text) {
    encoded += LITERAL.test(character)
      ? character
      : `%${(character.codePointAt(0) as number).toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

export const inCharacterSet82 = (text: string): boolean => CHARACTER_SET_82.test(text);
export const inCharacterSet39 = (text: string): boolean => CHARACTER_SET_39.test(text);
