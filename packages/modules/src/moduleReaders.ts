import {
  type AccountsPolicy,
  type Address,
  bytesToHex,
  Epoch,
  type GenesisParameters,
  type Hex,
  type Keccak256,
  type MemberRole,
  type StateReader,
  type ValidatorIndex,
  type ValidatorSet,
  type View,
} from '@hanse/protocol';
import { currencyAddress, currencyFactoryAddress, membersAddress } from './abi/addresses.ts';
import { ACTIVE_MEMBER, proposalStates, roleOf } from './abi/memberCodes.ts';
import { currencyFactoryStorage, currencyStorage } from './currency/currencyStorage.ts';
import { type MembersReader, type Permissions, permissionsOf } from './members/membership.ts';
import { membersStorage } from './members/membersStorage.ts';
import { stateOf } from './members/proposals.ts';
import { readRules, type ScheduledRule } from './members/rules.ts';
import { readStorage } from './storage/accessors.ts';
import { SlotHasher } from './storage/slotHasher.ts';
import { StateSlots } from './storage/stateSlots.ts';

/** All that the readers need of a state. */
export type StorageReader = Pick<StateReader, 'storage'>;

export interface MemberRecord {
  /** From 1 on. */
  readonly id: number;
  readonly name: string;
  readonly role: MemberRole;
  readonly active: boolean;
  readonly address: Address;
  readonly validator: boolean;
  /** Its place among the validators; 0 if it is none. */
  readonly order: number;
  readonly voteKey: Hex;
  readonly transportKey: Hex;
  readonly endpoints: readonly string[];
}

/** A proposal that had neither passed nor was withdrawn; from `expiresAt` on, in seconds since 1970, it stands no more. */
export interface OpenProposal {
  readonly id: number;
  readonly expiresAt: number;
}

export interface CurrencyRecord {
  readonly address: Address;
  readonly symbol: string;
  readonly name: string;
  readonly decimals: number;
  /** The id of the member that issues. */
  readonly authority: number;
  readonly totalSupply: bigint;
}

/** What `checkSupply` found. */
export interface SupplyReport {
  readonly holders: number;
  readonly balances: bigint;
  readonly totalSupply: bigint;
  readonly issued: bigint;
  readonly redeemed: bigint;
  /** issued - redeemed = totalSupply = sum of the balances. */
  readonly conserved: boolean;
}

/**
 * Reads the modules' storage in a finished state without frame and gas. One instance serves a thread: it remembers the slots
 * of accounts, so that the permissions of a known sender cost three reads of storage and no hash.
 */
export class ModuleReaders {
  readonly #hasher: SlotHasher;

  constructor(hasher: Keccak256) {
    this.#hasher = new SlotHasher(hasher);
  }

  /** Whether a sender may send transactions, and create contracts with them. */
  readPermissions(state: StorageReader, sender: Address): Permissions {
    return permissionsOf(this.#members(state), sender);
  }

  /** All members in the order of their ids, those that left included. */
  readMembers(state: StorageReader): readonly MemberRecord[] {
    const { memberCount, members } = this.#members(state);
    return Array.from({ length: memberCount.get() }, (_, index) => {
      const member = members.at(index + 1);
      const role = roleOf(member.role.get());
      if (role === undefined) throw new Error(`member ${index + 1} has a role that this version does not know`);
      return {
        id: index + 1,
        name: member.name.get(),
        role,
        active: member.status.get() === ACTIVE_MEMBER,
        address: member.account.get(),
        validator: member.validator.get(),
        order: member.order.get(),
        voteKey: bytesToHex(member.voteKey.get()),
        transportKey: bytesToHex(member.transportKey.get()),
        endpoints: Array.from({ length: member.endpoints.length() }, (_, i) => member.endpoints.at(i).get()),
      };
    });
  }

  /** The epoch that decides the block after this state. */
  readEpoch(state: StorageReader): Epoch {
    return Epoch(Number(this.#members(state).epoch.get()));
  }

  /** The validators of an epoch in their order; undefined if the state knows no such epoch. */
  readValidatorSet(state: StorageReader, epoch: Epoch): ValidatorSet | undefined {
    const { validatorCounts, validators, members } = this.#members(state);
    const key = BigInt(epoch);
    const count = validatorCounts.at(key).get();
    if (count === 0) return undefined;
    return {
      epoch,
      validators: Array.from({ length: count }, (_, index) => {
        const validator = validators.at(key).at(index);
        return {
          name: members.at(validator.member.get()).name.get(),
          address: validator.account.get(),
          voteKey: bytesToHex(validator.voteKey.get()),
        };
      }),
    };
  }

  /** The height of the block that closed the epoch before, 0 for epoch 0; undefined if the state knows no such epoch. */
  readEpochStart(state: StorageReader, epoch: Epoch): number | undefined {
    const { validatorCounts, epochStarts } = this.#members(state);
    const key = BigInt(epoch);
    return validatorCounts.at(key).get() === 0 ? undefined : epochStarts.at(key).get();
  }

  /** Whether a double vote of a validator (by its place in the epoch's set) in a view stands on the chain. */
  isDoubleVoteRecorded(state: StorageReader, epoch: Epoch, view: View, signer: ValidatorIndex): boolean {
    return this.#members(state).evidenceOf.at(BigInt(epoch)).at(BigInt(view)).at(signer).get() !== 0;
  }

  /** The versions of features that the members decided on, ascending by the height from which they are in force; what is not named is in version 1. */
  readScheduledRules(state: StorageReader): readonly ScheduledRule[] {
    return readRules(this.#members(state));
  }

  /** Whether some member has or had the vote key. */
  isVoteKeyKnown(state: StorageReader, voteKey: Hex): boolean {
    return (
      this.#members(state)
        .voteKeyOwners.at(`0x${voteKey.slice(-64)}`)
        .get() !== 0
    );
  }

  /** Whether some member has or had the transport key. */
  isTransportKeyKnown(state: StorageReader, transportKey: Hex): boolean {
    return this.#members(state).transportKeyOwners.at(transportKey).get() !== 0;
  }

  /** The proposals that may still be voted for at `nowSeconds`, the newest first. All stand equally long, so the first that expired ends the search. */
  readOpenProposals(state: StorageReader, nowSeconds: number): readonly OpenProposal[] {
    const members = this.#members(state);
    const { proposalCount, proposals } = members;
    const open: OpenProposal[] = [];
    for (let id = proposalCount.get(); id > 0; id--) {
      const proposal = proposals.at(id);
      const expiresAt = proposal.expiresAt.get();
      if (expiresAt <= nowSeconds) break;
      if (stateOf(members, id, nowSeconds) === proposalStates.open) open.push({ id, expiresAt });
    }
    return open;
  }

  /** The parameters in force, in the genesis document's form. */
  readParameters(state: StorageReader): GenesisParameters {
    const { parameters } = this.#members(state);
    const accounts: AccountsPolicy = parameters.openAccounts.get() ? 'open' : 'registered';
    return {
      blockGasLimit: parameters.blockGasLimit.get(),
      minGasPrice: parameters.minGasPrice.get().toString(),
      accounts,
      idleBlockIntervalMs: parameters.idleBlockIntervalMs.get(),
      maxBlockTransactions: parameters.maxBlockTransactions.get(),
      maxBlockBytes: parameters.maxBlockBytes.get(),
      maxTransactionGas: parameters.maxTransactionGas.get(),
      maxTransactionBytes: parameters.maxTransactionBytes.get(),
    };
  }

  /** All currencies in the order of their creation. */
  readCurrencies(state: StorageReader): readonly CurrencyRecord[] {
    const factory = readStorage(new StateSlots(state, currencyFactoryAddress, this.#hasher), currencyFactoryStorage);
    return Array.from({ length: Number(factory.currencyCount.get()) }, (_, index) => {
      const address = currencyAddress(BigInt(index + 1));
      const currency = this.#currency(state, address);
      return {
        address,
        symbol: currency.symbol.get(),
        name: currency.name.get(),
        decimals: currency.decimals.get(),
        authority: currency.authority.get(),
        totalSupply: currency.totalSupply.get(),
      };
    });
  }

  /** Adds up a currency's balances; takes as long as it has holders. */
  checkSupply(state: StorageReader, currency: Address): SupplyReport {
    const { holderCount, holders, wallets, totalSupply, issued, redeemed } = this.#currency(state, currency);
    const count = holderCount.get();
    let balances = 0n;
    let orderly = true;
    for (let number = 1n; number <= count; number++) {
      const wallet = wallets.at(holders.at(number).get());
      balances += wallet.balance.get();
      // An account that stood twice in the list would be counted twice.
      orderly &&= wallet.holder.get() === number;
    }
    const report = { totalSupply: totalSupply.get(), issued: issued.get(), redeemed: redeemed.get() };
    const conserved =
      orderly && report.issued - report.redeemed === report.totalSupply && balances === report.totalSupply;
    return { holders: Number(count), balances, ...report, conserved };
  }

  #members(state: StorageReader): MembersReader {
    return readStorage(new StateSlots(state, membersAddress, this.#hasher), membersStorage);
  }

  #currency(state: StorageReader, address: Address) {
    return readStorage(new StateSlots(state, address, this.#hasher), currencyStorage);
  }
}
