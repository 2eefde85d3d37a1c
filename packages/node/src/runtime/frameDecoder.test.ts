import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeReason,
  encodeClosingFrame,
  encodeFrameHeader,
  encodeReason,
  FRAME_CLOSING,
  FRAME_DATA,
  FrameDecoder,
} from './frameDecoder.ts';

describe('the frame decoder', () => {
  it('gives the same frames however the stream is cut', () => {
    const frames = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 20 });
    const cuts = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(frames, cuts, (payloads, sizes) => {
        const stream = Buffer.concat(
          payloads.flatMap((payload) => [encodeFrameHeader(FRAME_DATA, payload.length), payload]),
        );
        const decoder = new FrameDecoder(50);
        const out: Uint8Array[] = [];
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const size = Math.max(1, sizes[turn % sizes.length]!);
          decoder.push(stream.subarray(at, at + size));
          at += size;
          for (let frame = decoder.next(); frame !== undefined; frame = decoder.next()) out.push(frame.payload);
        }
        expect(out.map((payload) => [...payload])).toEqual(payloads.map((payload) => [...payload]));
      }),
      { seed: 20_231_201, numRuns: 300 },
    );
  });

  it('holds a frame that comes byte by byte in a few buffers, and mixes such with large chunks', () => {
    const payload = Uint8Array.from({ length: 200_000 }, (_, index) => index * 31);
    const decoder = new FrameDecoder(200_000);
    decoder.push(encodeFrameHeader(FRAME_DATA, payload.length));
    let most = 0;
    for (let at = 0; at < payload.length; ) {
      const size = at >= 70_000 && at < 150_000 ? 5_000 : 1;
      decoder.push(payload.subarray(at, at + size));
      at += size;
      if (at < payload.length) expect(decoder.next()).toBeUndefined();
      most = Math.max(most, decoder.held);
    }
    expect(decoder.next()?.payload).toEqual(payload);
    expect(most).toBeLessThan(25);
    expect(decoder.held).toBe(0);
  });

  it('hands out copies', () => {
    const decoder = new FrameDecoder(10);
    const chunk = Buffer.concat([encodeFrameHeader(FRAME_DATA, 1), Uint8Array.of(5)]);
    decoder.push(chunk);
    const frame = decoder.next();
    chunk.fill(0);
    expect(frame?.payload).toEqual(Uint8Array.of(5));
    expect(frame?.payload.buffer.byteLength).toBe(1);
  });

  it('refuses a header over the limit, and of an unknown type', () => {
    for (const [type, length, reason] of [
      [FRAME_DATA, 11, /11 bytes is over the limit of 10/],
      [FRAME_DATA, 0xffff_ffff, /over the limit/],
      [FRAME_CLOSING, 201, /over the limit of 200/],
      [1, 1, /over the limit of 0/],
      [3, 0, /unknown frame type 3/],
    ] as const) {
      const decoder = new FrameDecoder(10);
      decoder.push(encodeFrameHeader(type, length));
      expect(() => decoder.next()).toThrow(reason);
    }
  });

  it('cuts a long reason at a whole character', () => {
    const reason = `${'x'.repeat(199)}\u00e9 and more`;
    expect(decodeReason(encodeReason(reason))).toBe('x'.repeat(199));
    expect(encodeClosingFrame(reason).length).toBe(204);
  });
});
