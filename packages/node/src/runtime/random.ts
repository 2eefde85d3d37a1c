/** The one source of randomness of a node. Never used by anything that members must agree on. */
export interface Random {
  bytes(length: number): Uint8Array;
}
