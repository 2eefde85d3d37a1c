import { describe, expect, it } from 'vitest';
import { ethereumAnswer, ethereumBytes, ethereumFiles, ethereumJson, hasExecutionApis } from '../test/ethereumData.ts';
import type { Header } from './block.ts';
import { bytesToHex, concatBytes, hexToBytes, ZERO_ADDRESS } from './bytes.ts';
import {
  constantHeaderFields,
  decodeHeader,
  EMPTY_REQUESTS_HASH,
  emptyHashes,
  encodeHeader,
  headerHash,
} from './header.ts';
import { createInternationalSuite } from './internationalSuite.ts';
import { portablePrimitives } from './portablePrimitives.ts';
import { decodeRlp, encodeRlp, type RlpItem } from './rlp.ts';
import { Height, type Hex } from './types.ts';

const suite = createInternationalSuite(portablePrimitives);

const header: Header = {
  ...constantHeaderFields(suite),
  parentHash: `0x${'11'.repeat(32)}`,
  beneficiary: ZERO_ADDRESS,
  stateRoot: emptyHashes(suite).trieRoot,
  transactionsRoot: emptyHashes(suite).trieRoot,
  receiptsRoot: emptyHashes(suite).trieRoot,
  logsBloom: `0x${'00'.repeat(256)}`,
  number: Height(1),
  gasLimit: 60_000_000n,
  gasUsed: 0n,
  timestamp: 1_700_000_000,
  extraData: `0x${'22'.repeat(32)}`,
  mixHash: `0x${'11'.repeat(32)}`,
  baseFeePerGas: 0n,
};

describe('headers', () => {
  it('know the hashes of nothing that Ethereum publishes', () => {
    expect(emptyHashes(suite)).toEqual({
      ommers: '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347',
      trieRoot: '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421',
      code: '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470',
    });
    expect(EMPTY_REQUESTS_HASH).toBe(bytesToHex(suite.primitives.sha256(new Uint8Array(0))));
  });

  it('decode to what was encoded, and to a frozen hash', () => {
    expect(decodeHeader(encodeHeader(header))).toEqual(header);
    expect(headerHash(suite, header)).toBe('0x2c1d27dfc3ac7d9463db0783cedc26cece31568bfa7b7274e4b3e7bab77ebc44');
  });

  it('refuse another shape', () => {
    const items = decodeRlp(encodeHeader(header)) as readonly RlpItem[];
    const without = (index: number) => encodeRlp(items.filter((_, i) => i !== index));
    const replaced = (index: number, item: RlpItem) => encodeRlp(items.map((old, i) => (i === index ? item : old)));
    const malformed = expect.objectContaining({ code: 'invalid-header' });
    expect(() => decodeHeader(without(20))).toThrow(malformed);
    expect(() => decodeHeader(encodeRlp([...items, new Uint8Array(0)]))).toThrow(malformed);
    items.forEach((_, index) => {
      expect(() => decodeHeader(replaced(index, [])), `field ${index}`).toThrow(malformed);
    });
    expect(() => decodeHeader(replaced(12, new Uint8Array(33)))).toThrow(malformed);
    expect(() => decodeHeader(replaced(9, Uint8Array.of(0, 1)))).toThrow(malformed);
    expect(() => decodeHeader(replaced(11, new Uint8Array(8).fill(1)))).toThrow(malformed);
    expect(() => decodeHeader(new Uint8Array(1025))).toThrow(expect.objectContaining({ code: 'too-large' }));
    expect(() => decodeHeader(encodeHeader(header).subarray(1))).toThrow(
      expect.objectContaining({ code: 'invalid-rlp' }),
    );
  });
});

interface RecordedBlock {
  readonly hash: Hex;
  readonly number: Hex;
  readonly requestsHash?: Hex;
}

describe('headers of BasicTests', () => {
  // blockgenesistest is left out: its headers are from before logs blooms, which no release of Ethereum had.
  it('hash as BasicTests/genesishashestest, whose header has the fifteen fields of Frontier', () => {
    const test = ethereumJson<{ genesis_rlp_hex: string; genesis_hash: string }>(
      'ethereum-tests/BasicTests/genesishashestest.json',
    );
    const block = decodeRlp(hexToBytes(`0x${test.genesis_rlp_hex}`)) as readonly RlpItem[];
    expect(suite.hashHex(encodeRlp(block[0]!))).toBe(`0x${test.genesis_hash}`);
    expect(() => decodeHeader(encodeRlp(block[0]!))).toThrow('must have 21 items, not 15');
  });
});

const isRecorded = hasExecutionApis('Headers');

describe.skipIf(!isRecorded)('headers of execution-apis', () => {
  // chain.rlp is a sequence of blocks, each a list whose first item is the header; one list around it makes it one item.
  const headers = isRecorded ? chainHeaders(ethereumBytes('execution-apis/tests/chain.rlp')) : [];

  it('from Prague on decode, re-encode and link by their hashes', () => {
    const prague = headers.filter((encoded) => (decodeRlp(encoded) as readonly RlpItem[]).length === 21);
    expect(prague.length).toBeGreaterThan(3);
    let parent: string | undefined;
    for (const encoded of prague) {
      const decoded = decodeHeader(encoded);
      expect(encodeHeader(decoded)).toEqual(encoded);
      if (parent !== undefined) expect(decoded.parentHash).toBe(parent);
      parent = headerHash(suite, decoded);
    }
  });

  it('have the hashes that eth_getBlockByNumber reports', () => {
    let compared = 0;
    for (const file of ethereumFiles('execution-apis/tests/eth_getBlockByNumber')) {
      const block = ethereumAnswer<RecordedBlock | null>(`execution-apis/tests/eth_getBlockByNumber/${file}`);
      if (block?.requestsHash === undefined) continue;
      const encoded = headers[Number(block.number) - 1]!;
      const decoded = decodeHeader(encoded);
      expect(headerHash(suite, decoded)).toBe(block.hash);
      expect(BigInt(decoded.number)).toBe(BigInt(block.number));
      compared++;
    }
    expect(compared).toBeGreaterThan(0);
  });
});

function chainHeaders(chain: Uint8Array): Uint8Array[] {
  const prefix = Uint8Array.of(0xfa, chain.length >> 16, (chain.length >> 8) & 255, chain.length & 255);
  const blocks = decodeRlp(concatBytes(prefix, chain)) as readonly (readonly RlpItem[])[];
  return blocks.map((block) => encodeRlp(block[0]!));
}
