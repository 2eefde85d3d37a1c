import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hasSharedData, sharedData } from '../../../../test/sharedData.ts';
import { FormatError } from '../formatError.ts';
import { defaultEPCISLimits, parseEPCISJson, splitEPCISJson } from './parseEPCISJson.ts';

const event = {
  type: 'ObjectEvent',
  eventTime: '2024-05-01T12:00:00Z',
  eventTimeZoneOffset: '+00:00',
  action: 'OBSERVE',
  epcList: ['urn:epc:id:sgtin:4012345.011111.9876'],
};
const context = ['https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld', { ex: 'https://ns.example.com/' }];
const document = (...events: readonly object[]): string =>
  JSON.stringify({
    '@context': context,
    type: 'EPCISDocument',
    schemaVersion: '2.0',
    epcisBody: { eventList: events },
  });

function refusal(text: string): FormatError {
  try {
    parseEPCISJson(text);
  } catch (error) {
    if (error instanceof FormatError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('what is read', () => {
  it('names every term in full and keeps identifiers as written', () => {
    const [read] = parseEPCISJson(
      document({
        ...event,
        bizStep: 'shipping',
        readPoint: { id: 'ex:dock', 'ex:gate': 7 },
        'ex:a': [{ b: true }, 'c'],
      }),
    ).events;
    expect(read).toMatchObject({
      type: 'ObjectEvent',
      bizStep: 'https://ref.gs1.org/cbv/BizStep-shipping',
      epcList: ['urn:epc:id:sgtin:4012345.011111.9876'],
      readPoint: {
        id: 'https://ns.example.com/dock',
        extensions: [{ namespace: 'https://ns.example.com/', localName: 'gate', value: '7', children: [] }],
      },
      extensions: [
        {
          namespace: 'https://ns.example.com/',
          localName: 'a',
          children: [{ namespace: '', localName: 'b', value: 'true', children: [] }],
        },
        { namespace: 'https://ns.example.com/', localName: 'a', value: 'c', children: [] },
      ],
    });
    expect(read).not.toHaveProperty('disposition');
  });

  it('a query document, a single event, and an event with prefixes of its own', () => {
    const query = {
      '@context': context,
      type: 'EPCISQueryDocument',
      epcisBody: { queryResults: { resultsBody: { eventList: [event] } } },
    };
    expect(parseEPCISJson(JSON.stringify(query)).events).toHaveLength(1);
    const single = { '@context': [...context, { own: 'urn:own:' }], ...event, 'own:x': 'y' };
    expect(parseEPCISJson(JSON.stringify(single)).events[0]?.extensions[0]?.namespace).toBe('urn:own:');
    const inside = document({ ...event, '@context': { own: 'urn:own:' }, 'own:x': 'y' });
    expect(parseEPCISJson(inside).events[0]?.extensions[0]?.namespace).toBe('urn:own:');
    expect(parseEPCISJson(splitEPCISJson(inside)[0] as string).events).toEqual(parseEPCISJson(inside).events);
  });
});

describe('prefixes', () => {
  const readPointOf = (id: string, ...contexts: readonly unknown[]): string | undefined =>
    parseEPCISJson(JSON.stringify({ '@context': contexts, ...event, readPoint: { id } })).events[0]?.readPoint?.id;

  it('never take an address for a prefix and a name', () => {
    expect(readPointOf('https://id.example.com/x', { https: 'urn:other:' })).toBe('https://id.example.com/x');
    expect(readPointOf('ex:x', { ex: 'cbv:Extra-' })).toBe('https://ref.gs1.org/cbv/Extra-x');
    expect(readPointOf('ex:x', { ex: { '@id': 'urn:one:' } }, { ex: 'urn:two:' })).toBe('urn:two:x');
  });

  it('are bounded in number', () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`p${index}`, 'urn:p:']));
    expect(refusal(JSON.stringify({ '@context': many, ...event })).code).toBe('too-large');
  });
});

describe('what is refused, and where', () => {
  const wrong: readonly (readonly [what: string, change: object, path: string, reason: RegExp])[] = [
    ['time without offset', { eventTime: '2024-05-01T12:00:00' }, '.eventTime', /with an offset/],
    ['day that does not exist', { eventTime: '2023-02-29T12:00:00Z' }, '.eventTime', /no date/],
    ['offset', { eventTimeZoneOffset: 'UTC' }, '.eventTimeZoneOffset', /no offset/],
    ['action', { action: 'MOVE' }, '.action', /ADD, OBSERVE, DELETE/],
    ['missing action', { action: undefined }, '', /"action" is missing/],
    ['bizStep', { bizStep: 'eating' }, '.bizStep', /no bizStep/],
    ['identifier', { epcList: ['an apple'] }, '.epcList[0]', /no URI/],
    ['long identifier', { epcList: [`ex:${'a'.repeat(3000)}`] }, '.epcList[0]', /at most 2048/],
    [
      'number as text',
      { quantityList: [{ epcClass: 'ex:c', quantity: '2' }] },
      '.quantityList[0].quantity',
      /a number is expected/,
    ],
    ['field of another type', { parentID: 'ex:p' }, '.parentID', /ObjectEvent has no such field/],
    ['unknown field', { colour: 'red' }, '.colour', /no field of EPCIS/],
    [
      'unknown field in a list',
      { quantityList: [{ epcClass: 'ex:c', weight: 1 }] },
      '.quantityList[0].weight',
      /no field/,
    ],
    ['unknown prefix', { 'nobody:x': 1 }, '["nobody:x"]', /"nobody" is not declared/],
    ['type', { type: 'PartyEvent' }, '.type', /no event type/],
    ['list', { epcList: 'ex:a' }, '.epcList', /a list is expected/],
    ['null', { readPoint: null }, '.readPoint', /not null/],
  ];
  it.each(wrong)('%s', (_, change, path, reason) => {
    const error = refusal(document(event, { ...event, ...change }));
    expect(error.path).toBe(`$.epcisBody.eventList[1]${path}`);
    expect(error.message).toMatch(reason);
  });

  it('documents without context, of another kind, or with too many events', () => {
    expect(refusal('{"type":"EPCISDocument"}').message).toMatch(/"@context" is missing/);
    expect(refusal('{"@context":[],"type":"Invoice"}').code).toBe('unsupported');
    expect(() => parseEPCISJson(document(event, event), { ...defaultEPCISLimits, maxEvents: 1 })).toThrow(
      /more than 1 events/,
    );
  });
});

describe('documents of other projects', () => {
  const path = 'epcis/openepcis-test-resources/core/src/main/resources/2.0/EPCIS/JSON/';
  const folder = sharedData(path);
  const isPresent = hasSharedData(path, 'Documents of openepcis');
  // Measurement types that GS1 did not define when the standard was published.
  const unknownTerms = ['TransactionEvent_with_userExtensions.json', 'SensorData_with_combined_events.json'];

  it.skipIf(!isPresent)('openepcis: valid ones are read, invalid ones refused with a path', () => {
    const files = (name: string) => readdirSync(new URL(name, folder)).filter((file) => file.endsWith('.json'));
    for (const name of ['Capture/Documents/', 'Capture/Events/']) {
      for (const file of files(name).filter((entry) => !unknownTerms.includes(entry)))
        expect(parseEPCISJson(readFileSync(new URL(name + file, folder), 'utf8')).events.length, file).toBeGreaterThan(
          0,
        );
    }
    const refused = files('Capture/Invalid/').filter((file) => {
      try {
        parseEPCISJson(readFileSync(new URL(`Capture/Invalid/${file}`, folder), 'utf8'));
        return false;
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
        return true;
      }
    });
    expect(refused.length).toBeGreaterThan(10);
  });
});
