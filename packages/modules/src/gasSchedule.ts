/**
 * What a module's work costs. Storage follows EIP-2200 (the net metering of Istanbul, without refunds: a frame has no way to
 * return one), events and created accounts cost what they do in the EVM. Part of consensus: a change is a change of the rules.
 */
export const GAS = {
  /** Finding the module and the function, for a function that declares no base of its own. */
  base: 700,
  /** A byte of call data, to decode. */
  inputByte: 1,
  /** A byte of what the call returns or reverts with. */
  outputByte: 1,
  /** Reading a slot. */
  read: 800,
  /** Writing a slot that was zero when the transaction began. */
  writeNew: 20_000,
  /** Writing a slot that was not zero when the transaction began. */
  writeChange: 5_000,
  /** Writing what is there already, or a slot that this transaction wrote before. */
  writeAgain: 800,
  /** An event; each of its topics; a byte of its data. */
  log: 375,
  logTopic: 375,
  logByte: 8,
  /** A pass through a loop whose length the caller decides. */
  loopItem: 100,
  /** A hash; a word of its input. */
  hash: 30,
  hashWord: 6,
  /** Whether bytes are a point of the curve, which takes one square root. */
  publicKey: 1_000,
  /** Verifying a signature, besides hashing the message; as the EVM's ECRECOVER. */
  signature: 3_000,
  /** A new account with a module's marker; a byte of the marker. */
  create: 32_000,
  createByte: 200,
  /** A call to another account, besides the gas that it gets. */
  call: 2_600,
} as const;

/** What all begin-block hooks of a block may use together, beside the block's gas limit. */
export const BEGIN_BLOCK_GAS = 10_000_000;
