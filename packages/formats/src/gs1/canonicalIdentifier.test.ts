import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalIdentifier } from './canonicalIdentifier.ts';
import { checkDigit } from './checkDigit.ts';

// Cases of the check digit, the EPC Tag Data Standard and the Digital Link syntax; most appear in the unit tests of
// github.com/RalphTro/epcis-event-hash-generator (MIT), which other implementations use too.

describe('check digits (GS1 General Specifications, section 7.9.1)', () => {
  it.each([
    ['629104150021', '3'],
    ['37610425002123456', '9'],
    ['0401234511111', '8'],
    ['000000000000', '0'],
  ])('%s', (digits, expected) => {
    expect(checkDigit(digits)).toBe(expected);
  });

  it('refuses what are no digits', () => {
    expect(() => checkDigit('12a')).toThrow(RangeError);
  });
});

describe('EPC URIs (EPC Tag Data Standard 2.0)', () => {
  it.each([
    ['urn:epc:id:sgtin:4012345.011111.98%22', '/01/04012345111118/21/98%22'],
    ['urn:epc:id:sgtin:415056789012.0.987654', '/01/04150567890128/21/987654'],
    ['urn:epc:id:sgtin:0614141.812345.6789%2F%26%25%22!%3F()', '/01/80614141123458/21/6789%2F%26%25%22%21%3F%28%29'],
    ['urn:epc:id:sgtin:0614141.812345.1.2', '/01/80614141123458/21/1.2'],
    ['urn:epc:id:sscc:4012345.3111111111', '/00/340123451111111111'],
    ['urn:epc:id:sscc:4012345.0000000011', '/00/040123450000000115'],
    ['urn:epc:id:sgln:4012345.00005.122', '/414/4012345000054/254/122'],
    ['urn:epc:id:sgln:4012345.00005.0', '/414/4012345000054'],
    ['urn:epc:id:sgln:401234500005..7', '/414/4012345000054/254/7'],
    ['urn:epc:id:grai:4012345.00022.334455', '/8003/04012345000221334455'],
    ['urn:epc:id:giai:4012345.ABC345', '/8004/4012345ABC345'],
    ['urn:epc:id:gsrn:4012345.0000006765', '/8018/401234500000067657'],
    ['urn:epc:id:gsrnp:4012345.0000000007', '/8017/401234500000000074'],
    ['urn:epc:id:gdti:4012345.00009.PO-4711', '/253/4012345000092PO-4711'],
    ['urn:epc:id:gdti:987659999999..9', '/253/98765999999929'],
    ['urn:epc:id:sgcn:4012345.99999.44', '/255/401234599999044'],
    ['urn:epc:id:cpi:0614141.11111111111111-A%23%2F.1234', '/8010/061414111111111111111-A%23%2F/8011/1234'],
    ['urn:epc:id:ginc:0614141.xyz47%2F11', '/401/0614141xyz47%2F11'],
    ['urn:epc:id:gsin:4012345.222333444', '/402/40123452223334442'],
    ['urn:epc:id:itip:4012345.011111.01.02.987', '/8006/040123451111180102/21/987'],
    ['urn:epc:id:upui:1234567.098765.51qIgY)%3C%26Jp3*j7SDB', '/01/01234567987651/235/51qIgY%29%3C%26Jp3%2Aj7SDB'],
    ['urn:epc:id:pgln:4000001.00000', '/417/4000001000005'],
    ['urn:epc:id:pgln:999999999999.', '/417/9999999999994'],
    ['urn:epc:class:lgtin:4012345.012345.Lot987', '/01/04012345123456/10/Lot987'],
    ['urn:epc:idpat:sgtin:4012345.012345.*', '/01/04012345123456'],
    ['urn:epc:idpat:grai:4012345.99999.*', '/8003/04012345999990'],
    ['urn:epc:idpat:gdti:4012345.11111.*', '/253/4012345111118'],
    ['urn:epc:idpat:sgcn:4012345.22222.*', '/255/4012345222227'],
    ['urn:epc:idpat:cpi:4012345.AB12.*', '/8010/4012345AB12'],
    ['urn:epc:idpat:itip:4012345.012345.01.02.*', '/8006/040123451234560102'],
    ['urn:epc:idpat:upui:4012345.012345.*', '/01/04012345123456'],
  ])('%s', (uri, path) => {
    expect(canonicalIdentifier(uri)).toBe(`https://id.gs1.org${path}`);
  });

  it.each([
    'urn:epc:id:sscc:08600031303.0005',
    'urn:epc:id:sgtin:4012345.11111.9876',
    'urn:epc:id:sgtin:4012345.011111.',
    'urn:epc:id:sgtin:40123.01111111.1',
    'urn:epc:id:sgtin:4012345.011111.%zz',
    'urn:epc:id:sgcn:4012345.99999.4a',
    'urn:epc:id:gid:95100000.12345.400',
    'urn:epc:idpat:sgtin:4012345.*.*',
    'urn:epc:id:constructor:4012345.011111.1',
  ])('%s identifies no GS1 key and stays', (uri) => {
    expect(canonicalIdentifier(uri)).toBe(uri);
  });
});

describe('GS1 Digital Links (URI syntax 1.2)', () => {
  it.each([
    ['https://id.gs1.org/gtin/09780345418913', '/01/09780345418913'],
    ['https://example.com/gtin/09780345418913/21/765tz?abc=211121', '/01/09780345418913/21/765tz'],
    ['http://example.de/gtin-8/01/97803111', '/01/00000097803111'],
    ['http://us-company-with-UPC.com/01/001122334455/ser/GHB', '/01/00001122334455/21/GHB'],
    ['https://id.gs1.org/gtin/9780345418913/cpv/344/lot/1223/ser/765tz', '/01/09780345418913/21/765tz'],
    ['https://id.gs1.org/gtin/9780345418913/cpv/344/', '/01/09780345418913'],
    ['http://example.de/01/040123451234/cpv/344/lot/ABD#top', '/01/00040123451234/10/ABD'],
    ['https://id.gs1.org/8006/040123451234560102/22/ABCD/10/XYZ', '/8006/040123451234560102/10/XYZ'],
    ['https://fashion-corp.com/8006/040123451234560102/10/Lot-123/21/ser987', '/8006/040123451234560102/21/ser987'],
    ['https://id.gs1.org/414/4280000000002/254/12', '/414/4280000000002/254/12'],
    ['https://example.co.uk/party/4226350800008', '/417/4226350800008'],
    ['https://id.gs1.org/253/4602443000331XYZ', '/253/4602443000331XYZ'],
    ['https://id.gs1.org/8010/0628165987/8011/9876', '/8010/0628165987/8011/9876'],
    ['https://id.gs1.org/8018/385888700111111111/8019/5', '/8018/385888700111111111'],
    ['https://shop.example/01/04012345111118/21/98%22%2f!', '/01/04012345111118/21/98%22%2F%21'],
  ])('%s', (uri, path) => {
    expect(canonicalIdentifier(uri)).toBe(`https://id.gs1.org${path}`);
  });

  it.each([
    'http://example.org/123/4012345ABC987/456/4711',
    'http://id.gs1.org/99/9780345418913',
    'http://id.gs1.org/01/9780345418913/99/utfgf',
    'http://id.gs1.org/01/9780345418913/21/b/10/a',
    'http://example.de/01/97803',
    'https://id.gs1.org/8006/04012345123456/22/ABCD/10/XYZ',
    'http://transaction.acme.com/po/12345678',
    'https://example.com/401/error',
    'https://id.gs1.org/constructor/4012345111118',
    'geo:50.9,6.9',
    '42',
    '',
  ])('%s is none and stays', (uri) => {
    expect(canonicalIdentifier(uri)).toBe(uri);
  });

  it('spends no time on long texts', () => {
    const text = `https://example.com${'/01'.repeat(1_000_000)}`;
    expect(canonicalIdentifier(text)).toBe(text);
  });

  it('is canonical: doing it twice changes nothing, for any serial number', () => {
    const character = fc.constantFrom(...'!"%&\'()*+,-./0123456789:;<=>?ABCXYZ_abcxyz');
    fc.assert(
      fc.property(fc.array(character, { minLength: 1, maxLength: 20 }), (characters) => {
        const serial = encodeURIComponent(characters.join(''));
        const once = canonicalIdentifier(`https://shop.example/01/04012345111118/21/${serial}`);
        expect(canonicalIdentifier(once)).toBe(once);
        expect(canonicalIdentifier(`urn:epc:id:sgtin:4012345.011111.${serial}`)).toBe(once);
        expect(decodeURIComponent(once.split('/21/')[1] as string)).toBe(characters.join(''));
      }),
      { seed: 7, numRuns: 300 },
    );
  });
});
