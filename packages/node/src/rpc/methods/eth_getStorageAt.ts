import { word } from '../hexEncoding.ts';
import { defineMethod } from '../method.ts';
import { readAddress, readSlot, required, stateBlock } from '../parameters.ts';

export const eth_getStorageAt = defineMethod({
  name: 'eth_getStorageAt',
  summary: 'The word in a storage slot of a contract or module.',
  parameters: [
    required('address', 'address', 'The contract.', readAddress),
    required('slot', 'quantity or up to 32 bytes', 'The slot.', readSlot),
    stateBlock,
  ],
  result: '32 bytes',
  example: ({ contract }) => [contract, '0x0', 'latest'],
  handler: ({ blocks }, address, slot, reference) => word(blocks.state(reference).storage(address, slot)),
});
