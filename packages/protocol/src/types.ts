/** Bytes as lower-case `0x` hexadecimal, two digits a byte. */
export type Hex = `0x${string}`;

/** A 32-byte hash as lower-case `0x` hexadecimal. */
export type Hash = Hex;

/** A 20-byte account address as lower-case `0x` hexadecimal (never checksummed inside the program). */
export type Address = Hex;

declare const brand: unique symbol;
type Branded<Name extends string> = number & { readonly [brand]: Name };

/** The number of a block; the genesis is height 0. A safe integer. */
export type Height = Branded<'Height'>;

/** The number of a round of consensus inside an epoch; the first is 1. A safe integer. */
export type View = Branded<'View'>;

/** The number of a validator set's reign; the genesis set is epoch 0. A safe integer. */
export type Epoch = Branded<'Epoch'>;

export const Height = (value: number): Height => value as Height;
export const View = (value: number): View => value as View;
export const Epoch = (value: number): Epoch => value as Epoch;

/** The place of a validator in its epoch's set, 0 to n - 1. */
export type ValidatorIndex = number;
