import { data } from '../hexEncoding.ts';
import { defineMethod } from '../method.ts';
import { readBytes, required } from '../parameters.ts';

export const web3_sha3 = defineMethod({
  name: 'web3_sha3',
  summary: "The Keccak-256 hash of the bytes, whatever the network's suite.",
  parameters: [required('data', 'data', 'The bytes to hash.', readBytes)],
  result: 'hash (32 bytes)',
  example: ['0x68656c6c6f20776f726c64'],
  handler: ({ suite }, bytes) => data(suite.keccak256(bytes)),
});
