import { bls12_381 } from '@noble/curves/bls12-381.js';

/**
 * The second power of the secret in G2, [tau]2, of the ceremony that EIP-4844 fixes (ethereum/consensus-specs,
 * presets/mainnet/trusted_setups/trusted_setup_4096.json, g2_monomial[1]). Verifying a point evaluation needs nothing
 * else of the trusted setup, so no file of it has to be shipped.
 */
const tauG2Hex =
  'b5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72' +
  '185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2';

const { G1, G2, fields } = bls12_381;
type G1Point = InstanceType<typeof G1.Point>;
type G2Point = InstanceType<typeof G2.Point>;

const scalarOrder = fields.Fr.ORDER;
let tauG2: G2Point | undefined;

/**
 * Checks that the polynomial behind `commitment` evaluates to `y` at `z`
 * (consensus-specs, deneb/polynomial-commitments.md, verify_kzg_proof): e(C - [y]1, -G2) * e(proof, [tau]2 - [z]2) = 1.
 * All arguments are hexadecimal with `0x`: 48, 32, 32 and 48 bytes. False for anything malformed, it never throws.
 */
export function verifyKzgProof(commitment: string, z: string, y: string, proof: string): boolean {
  const commitmentPoint = g1Point(commitment);
  const proofPoint = g1Point(proof);
  const point = BigInt(z);
  const value = BigInt(y);
  if (commitmentPoint === undefined || proofPoint === undefined) return false;
  if (point >= scalarOrder || value >= scalarOrder) return false;
  tauG2 ??= G2.Point.fromHex(tauG2Hex);
  const difference = commitmentPoint.subtract(multiply(G1.Point.BASE, value));
  const shifted = tauG2.subtract(multiplyG2(point));
  // The library refuses the point at infinity in a pairing; such a factor is 1 and is left out.
  const pairs: { g1: G1Point; g2: G2Point }[] = [];
  if (!difference.is0()) pairs.push({ g1: difference, g2: G2.Point.BASE.negate() });
  if (!proofPoint.is0() && !shifted.is0()) pairs.push({ g1: proofPoint, g2: shifted });
  if (pairs.length === 0) return true;
  return fields.Fp12.eql(bls12_381.pairingBatch(pairs), fields.Fp12.ONE);
}

function multiply(point: G1Point, scalar: bigint): G1Point {
  return scalar === 0n ? G1.Point.ZERO : point.multiplyUnsafe(scalar);
}

function multiplyG2(scalar: bigint): G2Point {
  return scalar === 0n ? G2.Point.ZERO : G2.Point.BASE.multiplyUnsafe(scalar);
}

function g1Point(hex: string): G1Point | undefined {
  try {
    const point = G1.Point.fromHex(hex.slice(2));
    if (!point.is0()) point.assertValidity();
    return point;
  } catch {
    return undefined;
  }
}
