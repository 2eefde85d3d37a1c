import type { Defect } from './defect.ts';

/** Mistakes in the chain, its storage, the modules and the network between members. */
export const memberDefects: readonly Defect[] = [
  {
    name: 'blocks imported without a look at their certificates',
    breaks: 'a block is imported by a certificate of the set that decides',
    patches: [
      {
        file: 'node/src/chain/blockImport.ts',
        from: 'if (last.verifiedBy !== this.#setHash) {',
        to: 'if (last.verifiedBy === undefined && run.length < 0) {',
      },
    ],
    setting: { byzantine: 'lying-sync' },
    caughtBy: ['certificate validity', 'composure'],
  },
  {
    name: "a result that depends on the machine's clock",
    breaks: 'the same blocks give the same results',
    patches: [
      {
        file: 'node/src/chain/ledgerService.ts',
        from: '      timeMs: proposal.timeMs,\n      beneficiary',
        to: '      timeMs: this.#modules.clock.nowMs(),\n      beneficiary',
      },
    ],
    caughtBy: ['execution determinism', 'composure', 'chain rules'],
  },
  {
    name: 'a newest block without its certificate',
    breaks: 'the finalization of the newest block is stored with it',
    patches: [
      {
        file: 'node/src/storage/ledgerStore.ts',
        from: "if (certificate !== undefined) batch.put('certificates', key, encodeCertificate(certificate));",
        to: "if (certificate !== undefined && height < 5) batch.put('certificates', key, encodeCertificate(certificate));",
      },
    ],
    caughtBy: ['certificate validity'],
  },
  {
    name: 'a transaction without its place',
    breaks: 'a receipt that was shown is found again',
    patches: [
      {
        file: 'node/src/storage/ledgerStore.ts',
        from: "batch.put('transactions', hexToBytes(transaction.hash), encodePlace({ height, index }));",
        to: "if (index === 0) batch.put('transactions', hexToBytes(transaction.hash), encodePlace({ height, index }));",
      },
    ],
    caughtBy: ['durability'],
  },
  {
    name: 'money out of nothing',
    breaks: 'issued minus redeemed is the sum of the balances',
    patches: [
      {
        file: 'modules/src/currency/currencyModule.ts',
        from: 'credit(context, to, value);',
        to: 'credit(context, to, value + 1n);',
      },
    ],
    caughtBy: ['supply'],
  },
  {
    name: 'a nonce that nobody checks',
    breaks: 'a transaction is final once, and in its order',
    patches: [
      {
        file: 'node/src/execution/staticChecks.ts',
        from: 'checkNonce(transaction, progress.nextNonce, true) ??',
        to: '',
      },
      {
        file: 'node/src/execution/transactionExecutor.ts',
        from: "assertExecution(state.getNonce(transaction.sender) === transaction.nonce, 'the nonce was not checked');",
        to: '',
      },
    ],
    setting: { byzantine: 'cheating-leader' },
    caughtBy: ['chain rules', 'durability'],
  },
];
