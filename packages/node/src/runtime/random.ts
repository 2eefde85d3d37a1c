/** The one source of randomness of a node. Never used by anything that members must agree on. */
export interface Random {
  bytes(length: number): Uint8Array;
}

/** A number in [0, 1) with 32 bits of the generator, for jitter. */
export function randomFraction(random: Random): number {
  const bytes = random.bytes(4);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / 0x1_0000_0000;
}
