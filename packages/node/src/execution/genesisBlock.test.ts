import {
  currencyAbi,
  currencyAddress,
  currencyFactoryAddress,
  ModuleHost,
  ModuleReaders,
  membersAbi,
  membersAddress,
} from '@hanse/modules';
import {
  type Address,
  bytesToHex,
  CompiledAbi,
  Epoch,
  type Genesis,
  genesisDocumentHash,
  genesisValidatorSet,
  Height,
  headerHash,
  hexToBytes,
  parseGenesis,
  type Statement,
  type StateReader,
  statementBytes,
  View,
  validatorSetHash,
} from '@hanse/protocol';
import { encodeFunctionData } from 'viem';
import { describe, expect, it } from 'vitest';
import { emptyState } from '../storage/emptyState.ts';
import { StateKeys } from '../storage/stateKeys.ts';
import { StateOverlay } from '../storage/stateOverlay.ts';
import { BlockExecutor } from './blockExecutor.ts';
import { executionRules } from './executionRules.ts';
import { buildGenesisBlock } from './genesisBlock.ts';
import { checkBlockTransactions } from './staticChecks.ts';
import { testAccount, testSuite, testTransaction } from './testing/executionFixture.ts';

const [authority, bank, farm, stranger] = [1, 2, 3, 9].map((number) => testAccount(number)) as [
  ReturnType<typeof testAccount>,
  ReturnType<typeof testAccount>,
  ReturnType<typeof testAccount>,
  ReturnType<typeof testAccount>,
];
const contract: Address = `0x${'c0'.repeat(20)}`;
const keys = new StateKeys(testSuite);
const modules = new ModuleHost(testSuite);
const readers = new ModuleReaders(testSuite);

function document(changes: Record<string, unknown> = {}): Genesis {
  return parseGenesis({
    format: 1,
    name: 'test',
    chainId: 1234,
    suite: 'international',
    timeMs: 1_700_000_000_999,
    members: (['authority', 'bank', 'farm'] as const).map((name, index) => ({
      name,
      role: name === 'farm' ? 'company' : name,
      validator: true,
      address: testAccount(index + 1).address,
      voteKey: testSuite.publicKey(testAccount(index + 1).privateKey),
      transportKey: `0x${String(index + 1).padStart(64, '0')}`,
      endpoints: [`${name}.example:30000`],
    })),
    currencies: [{ symbol: 'DCNY', name: 'Digital yuan', decimals: 2, authority: 'authority' }],
    alloc: { [contract]: { balance: '5', nonce: '1', code: '0x600160015500', storage: { [slot(1)]: slot(2) } } },
    ...changes,
  });
}

function slot(number: number): string {
  return `0x${number.toString(16).padStart(64, '0')}`;
}

const build = (genesis = document()) => buildGenesisBlock(genesis, testSuite, { modules, keys });

describe('buildGenesisBlock', () => {
  it('writes the allocation and the modules, and binds the document', () => {
    const genesis = document();
    const { header, hash, stateChanges } = build(genesis);
    expect(hash).toBe(headerHash(testSuite, header));
    expect(header).toMatchObject({
      number: 0,
      timestamp: 1_700_000_000,
      gasLimit: 60_000_000n,
      baseFeePerGas: 0n,
      stateRoot: stateChanges.stateRoot,
      extraData: genesisDocumentHash(testSuite, genesis),
    });
    const state = new StateOverlay(emptyState(testSuite), stateChanges);
    expect(state.account(contract)).toMatchObject({ balance: 5n, nonce: 1n });
    expect(state.storage(contract, 1n)).toBe(2n);
    for (const address of [membersAddress, currencyFactoryAddress, currencyAddress(1n)]) {
      expect(modules.isModuleCode(state.code(state.account(address)!.codeHash))).toBe(true);
    }
    expect(readers.readValidatorSet(state, 0 as Epoch)).toEqual(genesisValidatorSet(genesis));
  });

  it('is the same for the same document, and another for any other', () => {
    expect(build().hash).toBe(build().hash);
    const others = [document({ chainId: 1235 }), document({ name: 'other' }), document({ alloc: {} })];
    expect(new Set([build(), ...others.map(build)].map(({ hash }) => hash)).size).toBe(4);
  });

  it.each([
    ['forges the marker of a module', { code: '0xef48414e534501' }, 'EIP-3541'],
    ['has storage without code', { storage: { [slot(1)]: slot(1) } }, 'EIP-7610'],
  ])('refuses an allocation that %s', (_, allocation, message) => {
    expect(() => build(document({ alloc: { [contract]: allocation } }))).toThrow(message);
  });
});

describe('a block on a genesis with modules', () => {
  const rules = executionRules(document(), testSuite);
  const nextSetHash = (state: StateReader) =>
    validatorSetHash(testSuite, readers.readValidatorSet(state, readers.readEpoch(state))!);

  const dcny = currencyAddress(1n);
  const call = (functionName: 'issue' | 'transfer', args: readonly [Address, bigint]) =>
    hexToBytes(encodeFunctionData({ abi: currencyAbi, functionName, args }));

  it('issues and transfers a currency, with receipts, logs and revert data as of a contract', async () => {
    const { header, hash, stateChanges } = build();
    const parentState = new StateOverlay(emptyState(testSuite), stateChanges);
    const transactions = [
      testTransaction({ nonce: 0n, to: dcny, data: call('issue', [bank.address, 1_000n]) }, authority),
      testTransaction({ nonce: 0n, to: dcny, data: call('transfer', [farm.address, 300n]) }, bank),
      testTransaction({ nonce: 1n, to: dcny, data: call('transfer', [farm.address, 701n]) }, bank),
      testTransaction({ nonce: 0n, to: dcny, data: call('issue', [farm.address, 1n]) }, farm),
    ];
    const block = await new BlockExecutor(
      { suite: testSuite, rules, genesisHash: hash },
      { modules, keys },
    ).executeBlock({
      parent: { header, hash },
      parentState,
      height: Height(1),
      timeMs: 1_700_000_001_000,
      beneficiary: farm.address,
      digest: hash,
      epoch: 0 as Epoch,
      nextSetHash,
      transactions,
      blockHash: () => undefined,
    });
    expect(block.receipts.map(({ success }) => success)).toEqual([true, true, false, false]);
    expect(block.receipts[1]?.logs).toHaveLength(1);
    expect(block.receipts[2]?.revertData.length).toBeGreaterThan(0);
    expect(block.receipts[1]!.gasUsed).toBeLessThan(150_000n);
    expect(readers.checkSupply(block.overlay, dcny)).toMatchObject({ conserved: true, totalSupply: 1_000n });
    expect(block.nextSetHash).toBe(validatorSetHash(testSuite, genesisValidatorSet(document())));
    expect(block.hookFailures).toEqual([]);
  });

  it('closes its epoch when a validator changes its key, and takes evidence of this network', async () => {
    const { header, hash, stateChanges } = build();
    const parentState = new StateOverlay(emptyState(testSuite), stateChanges);
    const members = new CompiledAbi(membersAbi, testSuite);
    const voteKey = testSuite.publicKey(testAccount(40).privateKey);
    const votes = [1, 2].map((digest) => {
      const statement: Statement = {
        kind: 'notarize',
        epoch: Epoch(0),
        view: View(1),
        parentView: View(0),
        digest: testSuite.hashHex(Uint8Array.of(digest)),
      };
      const bytes = statementBytes(hash, statement);
      return [bytesToHex(bytes), bytesToHex(testSuite.sign(bank.privateKey, bytes))] as const;
    });
    const report = members.function('reportDoubleVote').encodeCall([...votes[0]!, ...votes[1]!, 1]);
    const rotate = members.function('rotateVoteKey').encodeCall([voteKey]);
    const transactions = [
      testTransaction({ nonce: 0n, to: membersAddress, data: rotate }, bank),
      testTransaction({ nonce: 0n, to: membersAddress, data: report }, farm),
    ];
    const options = { suite: testSuite, rules, genesisHash: hash };
    const block = await new BlockExecutor(options, { modules, keys }).executeBlock({
      parent: { header, hash },
      parentState,
      height: Height(1),
      timeMs: 1_700_000_001_000,
      beneficiary: farm.address,
      digest: hash,
      epoch: 0 as Epoch,
      nextSetHash,
      transactions,
      blockHash: () => undefined,
    });
    expect(block.receipts.map(({ success }) => success)).toEqual([true, true]);
    expect([readers.readEpoch(block.overlay), readers.readEpochStart(block.overlay, Epoch(1))]).toEqual([1, 1]);
    const { validators } = genesisValidatorSet(document());
    const next = { epoch: Epoch(1), validators: validators.map((one, i) => (i === 1 ? { ...one, voteKey } : one)) };
    expect(readers.readValidatorSet(block.overlay, Epoch(1))).toEqual(next);
    expect(block.nextSetHash).toBe(validatorSetHash(testSuite, next));
    expect(readers.readValidatorSet(block.overlay, Epoch(0))).toEqual(genesisValidatorSet(document()));
  });

  it('is checked against the registrations of the parent', () => {
    const parentState = new StateOverlay(emptyState(testSuite), build().stateChanges);
    const permissions = (sender: Address) => {
      const { mayTransact, mayDeploy } = readers.readPermissions(parentState, sender);
      return { maySend: mayTransact, mayDeploy };
    };
    const check = (account: typeof bank) =>
      checkBlockTransactions([testTransaction({ nonce: 0n, to: dcny }, account)], { rules, parentState, permissions });
    expect(check(bank)).toBeUndefined();
    expect(check(stranger)?.rejection.code).toBe('sender-not-permitted');
  });
});
