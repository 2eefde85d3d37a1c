import { withCheckDigit } from './checkDigit.ts';
import { decodeComponent, encodeComponent, inCharacterSet39, inCharacterSet82 } from './pathComponent.ts';

const DOMAIN = 'https://id.gs1.org';

/**
 * The canonical GS1 Digital Link of an EPC URI (`urn:epc:id:`), an EPC class URI (`urn:epc:class:`) or an EPC pattern URI
 * (`urn:epc:idpat:`) of those schemes that stand for a GS1 key (EPC Tag Data Standard 2.0, sections 6.3 and 8; CBV 2.0,
 * sections 8.2 and 8.3). Undefined for everything else, other schemes (`gid`, `bic`, `adi`, ...) and malformed keys included:
 * a key of the wrong length identifies nothing, and guessing would give two things one identity.
 */
export function digitalLinkOfEPC(uri: string): string | undefined {
  const match = /^urn:epc:(id|class|idpat):([a-z]+):([^.]+)\.(.*)$/s.exec(uri);
  if (match === null) return undefined;
  const [, kind, scheme, prefix, rest] = match as unknown as [string, string, string, string, string];
  if (!/^[0-9]{6,12}$/.test(prefix)) return undefined;
  const path = schemes[`${kind}:${scheme}`]?.(prefix, rest);
  return path === undefined ? undefined : DOMAIN + path;
}

/** From a company prefix and what follows its dot to the path of the link. */
type Scheme = (prefix: string, rest: string) => string | undefined;

/** Splits `digits.remainder`; the digits fill the key up to `total` together with the company prefix. */
function reference(
  prefix: string,
  rest: string,
  total: number,
): readonly [digits: string, remainder: string] | undefined {
  const length = total - prefix.length;
  const digits = rest.slice(0, length);
  if (digits.length !== length || !/^[0-9]*$/.test(digits) || rest[length] !== '.') return undefined;
  return [digits, rest.slice(length + 1)];
}

/** A serial number as it stands in the link; undefined if it is empty, too long or of other characters. */
function serial(component: string, maxLength: number): string | undefined {
  const text = decodeComponent(component);
  if (text === undefined || text === '' || text.length > maxLength || !inCharacterSet82(text)) return undefined;
  return encodeComponent(text);
}

/** A key that is nothing but digits: prefix, reference and check digit. */
const numeric =
  (ai: string, total: number): Scheme =>
  (prefix, rest) =>
    /^[0-9]*$/.test(rest) && prefix.length + rest.length === total
      ? `/${ai}/${withCheckDigit(prefix + rest)}`
      : undefined;

/** A GTIN: the indicator digit of the item reference moves before the company prefix. */
const gtin = (prefix: string, item: string): string => withCheckDigit(item.slice(0, 1) + prefix + item.slice(1));

const trade =
  (qualifier: string, maxLength: number): Scheme =>
  (prefix, rest) => {
    const parts = reference(prefix, rest, 13);
    const number = parts && serial(parts[1], maxLength);
    return parts && number && `/01/${gtin(prefix, parts[0])}/${qualifier}/${number}`;
  };

const tradePattern: Scheme = (prefix, rest) => {
  const parts = reference(prefix, rest, 13);
  return parts?.[1] === '*' ? `/01/${gtin(prefix, parts[0])}` : undefined;
};

/** A key of thirteen digits with a serial number right behind it (GRAI has a zero before it). */
const serialised =
  (ai: string, lead: string, maxLength: number, digitsOnly = false): Scheme =>
  (prefix, rest) => {
    const parts = reference(prefix, rest, 12);
    const number = parts && serial(parts[1], maxLength);
    if (parts === undefined || number === undefined || (digitsOnly && !/^[0-9]+$/.test(number))) return undefined;
    return `/${ai}/${withCheckDigit(lead + prefix + parts[0])}${number}`;
  };

const serialisedPattern =
  (ai: string, lead: string): Scheme =>
  (prefix, rest) => {
    const parts = reference(prefix, rest, 12);
    return parts?.[1] === '*' ? `/${ai}/${withCheckDigit(lead + prefix + parts[0])}` : undefined;
  };

/** A key without check digit: the company prefix and the company's own reference, thirty characters together. */
const free =
  (ai: string): Scheme =>
  (prefix, rest) => {
    const own = serial(rest, 30 - prefix.length);
    return own && `/${ai}/${prefix}${own}`;
  };

const sscc: Scheme = (prefix, rest) =>
  /^[0-9]+$/.test(rest) && prefix.length + rest.length === 17
    ? `/00/${withCheckDigit(rest.slice(0, 1) + prefix + rest.slice(1))}`
    : undefined;

const sgln: Scheme = (prefix, rest) => {
  const parts = reference(prefix, rest, 12);
  const extension = parts && serial(parts[1], 20);
  if (parts === undefined || extension === undefined) return undefined;
  const location = `/414/${withCheckDigit(prefix + parts[0])}`;
  // An extension of "0" says that there is none (Tag Data Standard 2.0, section 6.3.3).
  return extension === '0' ? location : `${location}/254/${extension}`;
};

/** Component or part: `prefix.reference.serial`, or `.*` in a pattern. */
const component =
  (pattern: boolean): Scheme =>
  (prefix, rest) => {
    const dot = rest.lastIndexOf('.');
    const own = dot < 0 ? undefined : decodeComponent(rest.slice(0, dot));
    const number = rest.slice(dot + 1);
    if (own === undefined || own === '' || !inCharacterSet39(own) || prefix.length + own.length > 30) return undefined;
    const key = `/8010/${prefix}${encodeComponent(own)}`;
    if (pattern) return number === '*' ? key : undefined;
    return /^[0-9]{1,12}$/.test(number) ? `${key}/8011/${number}` : undefined;
  };

/** A piece of a trade item: `prefix.item.piece.total.serial`, or `.*` in a pattern. */
const piece =
  (pattern: boolean): Scheme =>
  (prefix, rest) => {
    const parts = reference(prefix, rest, 13);
    const match = parts && /^([0-9]{2})\.([0-9]{2})\.(.*)$/s.exec(parts[1]);
    if (!parts || !match) return undefined;
    const key = `/8006/${gtin(prefix, parts[0])}${match[1]}${match[2]}`;
    if (pattern) return match[3] === '*' ? key : undefined;
    const number = serial(match[3] as string, 20);
    return number && `${key}/21/${number}`;
  };

const schemes: Readonly<Record<string, Scheme>> = {
  'id:sgtin': trade('21', 20),
  'id:upui': trade('235', 28),
  'class:lgtin': trade('10', 20),
  'idpat:sgtin': tradePattern,
  'idpat:upui': tradePattern,
  'id:sscc': sscc,
  'id:sgln': sgln,
  'id:pgln': numeric('417', 12),
  'id:gsrn': numeric('8018', 17),
  'id:gsrnp': numeric('8017', 17),
  'id:gsin': numeric('402', 16),
  'id:grai': serialised('8003', '0', 16),
  'idpat:grai': serialisedPattern('8003', '0'),
  'id:gdti': serialised('253', '', 17),
  'idpat:gdti': serialisedPattern('253', ''),
  'id:sgcn': serialised('255', '', 12, true),
  'idpat:sgcn': serialisedPattern('255', ''),
  'id:giai': free('8004'),
  'id:ginc': free('401'),
  'id:cpi': component(false),
  'idpat:cpi': component(true),
  'id:itip': piece(false),
  'idpat:itip': piece(true),
};
