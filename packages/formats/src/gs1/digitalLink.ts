import { decodeComponent, encodeComponent, inCharacterSet39, inCharacterSet82 } from './pathComponent.ts';

const set82 = (min: number, max: number) => (value: string) =>
  value.length >= min && value.length <= max && inCharacterSet82(value);

/** Primary keys by application identifier: what a value must look like, and which qualifiers may follow, in this order. */
const keys: Readonly<
  Record<string, { readonly valid: (value: string) => boolean; readonly qualifiers: readonly string[] }>
> = {
  '00': { valid: (value) => /^[0-9]{18}$/.test(value), qualifiers: [] },
  '01': { valid: (value) => /^([0-9]{8}|[0-9]{12,14})$/.test(value), qualifiers: ['22', '10', '21', '235'] },
  '253': { valid: (value) => /^[0-9]{13}/.test(value) && set82(13, 30)(value), qualifiers: [] },
  '255': { valid: (value) => /^[0-9]{13,25}$/.test(value), qualifiers: [] },
  '401': { valid: set82(1, 30), qualifiers: [] },
  '402': { valid: (value) => /^[0-9]{17}$/.test(value), qualifiers: [] },
  '414': { valid: (value) => /^[0-9]{13}$/.test(value), qualifiers: ['254', '7040'] },
  '417': { valid: (value) => /^[0-9]{13}$/.test(value), qualifiers: ['7040'] },
  '8003': { valid: (value) => /^[0-9]{14}/.test(value) && set82(14, 30)(value), qualifiers: [] },
  '8004': { valid: set82(1, 30), qualifiers: ['7040'] },
  '8006': { valid: (value) => /^[0-9]{18}$/.test(value), qualifiers: ['22', '10', '21'] },
  '8010': { valid: (value) => value.length <= 30 && inCharacterSet39(value), qualifiers: ['8011'] },
  '8017': { valid: (value) => /^[0-9]{18}$/.test(value), qualifiers: ['8019'] },
  '8018': { valid: (value) => /^[0-9]{18}$/.test(value), qualifiers: ['8019'] },
};

const qualifiers: Readonly<Record<string, (value: string) => boolean>> = {
  '10': set82(1, 20),
  '21': set82(1, 20),
  '22': set82(1, 20),
  '235': set82(1, 28),
  '254': set82(1, 20),
  '7040': set82(1, 4),
  '8011': (value) => /^[0-9]{1,12}$/.test(value),
  '8019': (value) => /^[0-9]{1,10}$/.test(value),
};

/** The names that release 1.1 of the syntax allowed instead of numbers. */
const shortNames: Readonly<Record<string, string>> = {
  sscc: '00',
  gtin: '01',
  lot: '10',
  ser: '21',
  cpv: '22',
  tpx: '235',
  gdti: '253',
  glnx: '254',
  gcn: '255',
  ginc: '401',
  gsin: '402',
  gln: '414',
  party: '417',
  grai: '8003',
  giai: '8004',
  itip: '8006',
  cpid: '8010',
  cpsn: '8011',
  gsrnp: '8017',
  gsrn: '8018',
  srin: '8019',
};

/** The one qualifier that stays, most precise first; lot gives way to serial (CBV 2.0, event hash, rule 18). */
const precise = ['21', '235', '10', '254', '8011'] as const;

const applicationIdentifier = (segment: string): string => shortNames[segment] ?? segment;

/**
 * The constrained canonical form of a GS1 Digital Link (CBV 2.0, event hash, rule 18; GS1 Digital Link: URI syntax 1.2,
 * section 4.11): domain id.gs1.org, no query or fragment, GTINs of fourteen digits, and only the most precise identification.
 * Undefined if the address is no such link, so that ordinary web addresses stay what they are. Compressed links are not
 * recognised: they cannot be told from other addresses.
 */
export function canonicalDigitalLink(uri: string): string | undefined {
  const match = /^https?:\/\/[^/?#\s]+(\/[^?#\s]*)(?:[?#].*)?$/s.exec(uri);
  if (match === null) return undefined;
  const segments = (match[1] as string).split('/').slice(1);
  if (segments.at(-1) === '') segments.pop();
  // A custom path may stand before the key: the first key whose qualifiers reach to the end of the path counts.
  for (let start = 0; start + 1 < segments.length; start++) {
    const link = linkFrom(segments.slice(start));
    if (link !== undefined) return `https://id.gs1.org${link}`;
  }
  return undefined;
}

function linkFrom(segments: readonly string[]): string | undefined {
  const ai = applicationIdentifier(segments[0] as string);
  const key = Object.hasOwn(keys, ai) ? keys[ai] : undefined;
  if (key === undefined || segments.length % 2 !== 0) return undefined;
  const value = decodeComponent(segments[1] as string);
  // Every key begins with a company prefix of at least four digits.
  if (value === undefined || !key.valid(value) || !/^[0-9]{4}./.test(value)) return undefined;
  const found = new Map<string, string>();
  let position = -1;
  for (let i = 2; i < segments.length; i += 2) {
    const qualifier = applicationIdentifier(segments[i] as string);
    const text = decodeComponent(segments[i + 1] as string);
    const next = key.qualifiers.indexOf(qualifier);
    if (next <= position || text === undefined || qualifiers[qualifier]?.(text) !== true) return undefined;
    position = next;
    found.set(qualifier, text);
  }
  const kept = precise.find((qualifier) => found.has(qualifier));
  const whole = `/${ai}/${encodeComponent(ai === '01' ? value.padStart(14, '0') : value)}`;
  return kept === undefined ? whole : `${whole}/${kept}/${encodeComponent(found.get(kept) as string)}`;
}
