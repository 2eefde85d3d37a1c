// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IGovernance} from "./IGovernance.sol";

/// The members of the alliance, the accounts they answer for, and the parameters of the network.
/// A native module at 0x48616e7365000000000000000000000000000001.
interface IMembers is IGovernance {
    /// Roles: 1 authority (regulator and central bank), 2 bank (operating institution), 3 company. Status: 1 active, 2 removed.
    struct Member {
        uint32 id;
        string name;
        uint8 role;
        uint8 status;
        address account;
        bool validator;
        uint32 order;
        bytes voteKey;
        bytes transportKey;
        string[] endpoints;
    }

    /// An account and the member that answers for it (0: nobody). `since` is the height of its registration.
    struct AccountRecord {
        uint32 member;
        bool mayTransact;
        bool mayDeploy;
        bool transactBarred;
        bool deployBarred;
        uint48 since;
    }

    struct Validator {
        uint32 member;
        string name;
        address account;
        bytes voteKey;
    }

    struct Parameters {
        uint48 blockGasLimit;
        uint48 maxTransactionGas;
        uint32 idleBlockIntervalMs;
        uint32 maxBlockTransactions;
        uint32 maxBlockBytes;
        uint32 maxTransactionBytes;
        bool openAccounts;
        uint128 minGasPrice;
    }

    event AccountRegistered(address indexed account, uint32 indexed member, bool mayTransact, bool mayDeploy);
    event AccountRemoved(address indexed account, uint32 indexed member);
    event AccountPermissionsChanged(address indexed account, uint32 indexed member, bool mayTransact, bool mayDeploy);
    event EndpointsChanged(uint32 indexed member, string[] endpoints);

    /// The caller is not the account of an active member.
    error NotMember(address caller);
    /// The caller is not the account of an active authority.
    error NotAuthority(address caller);
    /// The caller neither registered the account nor is an authority.
    error NotResponsible(address caller, address account);
    /// The account is registered already, by this member.
    error AccountTaken(address account, uint32 member);
    error UnknownAccount(address account);
    error UnknownMember(uint32 member);
    /// The zero address and reserved addresses are nobody's accounts.
    error InvalidAccount(address account);
    /// The account of a member itself is not removed or barred here: that is a change of the member set.
    error MemberAccount(address account);
    /// The member may not deploy itself, or the authority barred the account, so the flag cannot be granted.
    error DeployNotGranted(address account);
    error InvalidEndpoint(uint256 index);
    error TooMany(uint256 count, uint256 limit);

    /// A member registers an account that it answers for. It may send at once, unless the authority barred it before;
    /// `mayDeploy` can be given by a member that may deploy itself.
    function registerAccount(address account, bool mayDeploy) external;

    /// The member that registered the account, or the authority, removes it.
    function removeAccount(address account) external;

    /// The authority grants or bars deployment for any account; a member grants or withdraws it for its own accounts,
    /// as long as it may deploy itself and the authority has not barred the account.
    function setMayDeploy(address account, bool allowed) external;

    /// The authority bars an account from sending transactions, or lifts the bar. A bar outlives the registration.
    function setMayTransact(address account, bool allowed) external;

    /// A member changes where it can be reached: 1 to 8 times host:port or [IPv6]:port.
    function setEndpoints(string[] calldata endpoints) external;

    function memberCount() external view returns (uint32);

    /// Members are numbered from 1.
    function getMember(uint32 id) external view returns (Member memory);

    /// 0 if there is none of that name.
    function memberByName(string calldata name) external view returns (uint32);

    function getAccount(address account) external view returns (AccountRecord memory);

    /// What an account may do now, the network's policy included.
    function permissionsOf(address account) external view returns (bool mayTransact, bool mayDeploy);

    function accountCount(uint32 member) external view returns (uint256);

    /// The accounts that a member answers for, at most 256 at a time. The order changes when one is removed.
    function accountsOf(uint32 member, uint256 offset, uint256 limit) external view returns (address[] memory);

    function epoch() external view returns (uint64);

    /// The validators of an epoch in their order; empty for an epoch that has not begun.
    function validatorSet(uint64 epochNumber) external view returns (Validator[] memory);

    function parameters() external view returns (Parameters memory);
}
