/** A precompile whose work grows with its input, and that cannot be stopped once it runs. */
interface Work {
  /** Bytes of input for one unit of work; 0 where the first four bytes count the units. */
  readonly unitBytes: number;
  /** The least that a unit can cost: who has less gas fails before any work is done. */
  readonly gasPerUnit: number;
  /** Measured on one core of a small server, rounded up. */
  readonly microsecondsPerUnit: number;
}

/** By the last byte of the address. All others take milliseconds for as much gas as a call may have in one frame. */
const works: ReadonlyMap<number, Work> = new Map([
  // Pairing on BN254 (EIP-197, EIP-1108): a pair is 192 bytes.
  [0x08, { unitBytes: 192, gasPerUnit: 34_000, microsecondsPerUnit: 15_000 }],
  // BLAKE2 F (EIP-152): the number of rounds comes first.
  [0x09, { unitBytes: 0, gasPerUnit: 1, microsecondsPerUnit: 0.75 }],
  // BLS12-381 (EIP-2537): multi-scalar multiplication in G1 and in G2 at their best discounts, pairing.
  [0x0c, { unitBytes: 160, gasPerUnit: 6_228, microsecondsPerUnit: 5_000 }],
  [0x0e, { unitBytes: 288, gasPerUnit: 11_790, microsecondsPerUnit: 13_000 }],
  [0x0f, { unitBytes: 384, gasPerUnit: 32_600, microsecondsPerUnit: 15_000 }],
]);

/** What a microsecond of a precompile costs by gas schedule 2: 60,000,000 gas, a full block, are 2 seconds. */
const GAS_PER_MICROSECOND = 30;

/**
 * The least that a precompile with this last byte of its address costs by gas schedule 2, whatever Ethereum asks: as much as its time
 * is worth in a block. 0 for those that are quick.
 */
export function precompileFloorGas(lastByte: number, input: Uint8Array): bigint {
  const work = works.get(lastByte);
  if (work === undefined) return 0n;
  return BigInt(Math.ceil(unitsOf(work, input) * work.microsecondsPerUnit * GAS_PER_MICROSECOND));
}

/** The last bytes of the addresses of precompiles whose work grows fast with their input. */
export const slowPrecompiles: readonly number[] = [...works.keys()];

/** About how many milliseconds the precompile with this last byte of its address takes; 0 for those that are quick. */
export function precompileWorkMs(lastByte: number, input: Uint8Array, gas: bigint): number {
  const work = works.get(lastByte);
  if (work === undefined) return 0;
  const units = unitsOf(work, input);
  return gas < BigInt(units * work.gasPerUnit) ? 0 : (units * work.microsecondsPerUnit) / 1_000;
}

function unitsOf(work: Work, input: Uint8Array): number {
  return work.unitBytes > 0 ? Math.floor(input.length / work.unitBytes) : leadingUint32(input);
}

function leadingUint32(bytes: Uint8Array): number {
  return bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
}
