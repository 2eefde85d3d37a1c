import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { EPCISEvent } from './epcisEvent.ts';
import { eventHash, eventPreHash } from './eventHash.ts';
import { parseEPCISJson, splitEPCISJson } from './parseEPCISJson.ts';

const sha256 = (data: Uint8Array): Uint8Array => new Uint8Array(createHash('sha256').update(data).digest());
const vectors = fileURLToPath(new URL('../../testdata/epcisEventHash/', import.meta.url));
const seafood = readFileSync(new URL('../../../cli/data/seafood/traceback_tests.jsonld', import.meta.url), 'utf8');

function hashes(text: string): readonly string[] {
  const document = parseEPCISJson(text);
  return document.events.map((event) => eventHash(event, sha256, { ignoredFields: document.ignoredFields }).id);
}

describe('the published vectors of the CBV 2.0 event hash', () => {
  const examples = readdirSync(vectors).filter((name) => name.endsWith('.hashes'));

  it('are all there', () => {
    expect(examples).toHaveLength(22);
  });

  it.each(examples)('%s', (name) => {
    const expected = readFileSync(vectors + name, 'utf8')
      .split('\n')
      .filter((line) => line.trim() !== '');
    expect(hashes(readFileSync(vectors + name.replace('.hashes', '.jsonld'), 'utf8'))).toEqual(
      expected.map((line) => line.trim()),
    );
  });

  it('events that are expected to be equal are', () => {
    const [first, ...others] = hashes(readFileSync(`${vectors}equalReferenceEventHashAlgorithm.jsonld`, 'utf8'));
    expect(others).toEqual([first]);
  });
});

describe('a seafood chain from feed mill to shop', () => {
  it('gives each of its 21 events a hash of its own, whole or split', () => {
    const whole = hashes(seafood);
    expect(new Set(whole).size).toBe(21);
    expect(splitEPCISJson(seafood).flatMap((event) => hashes(event))).toEqual(whole);
  });

  it('keeps its hashes', async () => {
    await expect(`${hashes(seafood).join('\n')}\n`).toMatchFileSnapshot('../../testdata/seafood.hashes');
  });

  it('any change of what happened changes the hash', () => {
    const event = parseEPCISJson(seafood).events[5] as EPCISEvent;
    const original = eventPreHash(event);
    const [quantity] = event.quantityList;
    const changes: readonly Partial<EPCISEvent>[] = [
      { eventTime: '2022-01-22T10:57:24.1570000+00:00' },
      { eventTimeZoneOffset: '+01:00' },
      { action: 'OBSERVE' },
      { bizStep: 'urn:gdst:bizStep:landing' },
      { bizLocation: { id: 'urn:epc:id:sgln:08600031303.1.2', extensions: [] } },
      { quantityList: [{ epcClass: quantity?.epcClass as string, quantity: '9877', uom: 'KGM' }] },
      { ilmd: event.ilmd.slice(1) },
      { extensions: event.extensions.slice(1) },
    ];
    for (const change of changes) expect(eventPreHash({ ...event, ...change })).not.toBe(original);
  });
});

const header =
  '"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{"ex":"https://ns.example.com/epcis/"}]';
const eventWith = (members: string): string =>
  `{${header},"type":"ObjectEvent","eventTime":"2024-05-01T12:00:00Z","eventTimeZoneOffset":"+00:00","action":"OBSERVE"${members === '' ? '' : `,${members}`}}`;
const preHash = (members: string): string => eventPreHash(parseEPCISJson(eventWith(members)).events[0] as EPCISEvent);

describe('one event, written in several ways, has one hash', () => {
  const same: readonly (readonly [what: string, one: string, other: string])[] = [
    ['order of a list', '"epcList":["ex:a","ex:b"]', '"epcList":["ex:b","ex:a"]'],
    [
      'URN and Digital Link',
      '"epcList":["urn:epc:id:sgtin:4012345.011111.9876"]',
      '"epcList":["https://shop.example/gtin/4012345111118/lot/7/ser/9876?exp=1"]',
    ],
    ['bare word, CURIE, URN and URI', '"bizStep":"shipping"', '"bizStep":"urn:epcglobal:cbv:bizstep:shipping"'],
    ['CURIE of a term', '"bizStep":"cbv:BizStep-shipping"', '"bizStep":"https://ref.gs1.org/cbv/BizStep-shipping"'],
    [
      'zeros behind a number',
      '"quantityList":[{"epcClass":"ex:c","quantity":2.50}]',
      '"quantityList":[{"epcClass":"ex:c","quantity":25e-1}]',
    ],
    ['empty list and none', '"epcList":[]', ''],
    ['null and none', '"ex:a":null', ''],
    ['white space at the ends', '"ex:a":" x "', '"ex:a":"x"'],
    ['order of extensions', '"ex:a":"1","ex:b":{"c":"2","d":"3"}', '"ex:b":{"d":"3","c":"2"},"ex:a":"1"'],
    [
      'eventID, recordTime, errorDeclaration, comment',
      '"eventID":"ex:1","recordTime":"2024-05-01T13:00:00Z","errorDeclaration":{"declarationTime":"2024-05-01T13:00:00Z"},"rdfs:comment":"x"',
      '',
    ],
  ];
  it.each(same)('%s', (_, one, other) => {
    expect(preHash(one)).toBe(preHash(other));
  });

  it('exact numbers never pass through a float', () => {
    expect(
      preHash('"quantityList":[{"epcClass":"ex:c","quantity":12345678901234567890.100000000000000000010}]'),
    ).toContain('quantity=12345678901234567890.10000000000000000001');
  });

  it('texts of extensions are no numbers: a lot 007 is not a lot 7', () => {
    expect(preHash('"ex:lot":"007"')).not.toBe(preHash('"ex:lot":"7"'));
  });

  it('sorts by code points, not by UTF-16 units', () => {
    expect(preHash('"ex:a":["\u{1F41F}","\uFF5E"]')).toMatch(/a=\uFF5E.*a=\u{1F41F}$/u);
  });

  it('fields that a repository added count unless the caller leaves them out', () => {
    const event = parseEPCISJson(eventWith('"ex:added":"x"')).events[0] as EPCISEvent;
    expect(eventPreHash(event)).not.toBe(preHash(''));
    expect(eventPreHash(event, { ignoredFields: ['{https://ns.example.com/epcis/}added'] })).toBe(preHash(''));
  });
});
