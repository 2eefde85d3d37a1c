import { formatReceipt } from '../formatReceipt.ts';
import { defineMethod } from '../method.ts';
import { BLOCK_FORM, readBlockReference, required } from '../parameters.ts';

export const eth_getBlockReceipts = defineMethod({
  name: 'eth_getBlockReceipts',
  summary: 'The receipts of all transactions of a block, in order.',
  parameters: [required('block', BLOCK_FORM, 'Which block.', readBlockReference)],
  result: 'array of receipts, or null',
  example: ['0x2'],
  handler: async ({ blocks, suite, turns }, reference) => {
    const height = blocks.resolve(reference);
    const block = height === undefined ? undefined : await blocks.block(height);
    if (block === undefined) return null;
    const receipts: unknown[] = [];
    for (const index of block.transactions.keys()) {
      receipts.push(formatReceipt(block, index, suite));
      const turn = turns.pause();
      if (turn !== undefined) await turn;
    }
    return receipts;
  },
});
