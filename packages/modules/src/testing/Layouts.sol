// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

// The modules' storage as Solidity would declare it; solc says where it puts each variable.

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

struct Member {
    address account;
    uint8 role;
    uint8 status;
    bool validator;
    uint32 order;
    string name;
    bytes voteKey;
    bytes transportKey;
    string[] endpoints;
}

struct Account {
    uint32 member;
    uint32 position;
    bool mayTransact;
    bool mayDeploy;
    bool transactBarred;
    bool deployBarred;
    uint48 since;
}

struct Validator {
    uint32 member;
    address account;
    bytes voteKey;
}

struct Policy {
    uint8 authority;
    uint8 bank;
    uint8 company;
    uint8 percent;
}

struct Proposal {
    uint8 action;
    uint8 state;
    uint32 proposer;
    uint32 member;
    uint48 createdAt;
    uint48 expiresAt;
    uint48 enactedHeight;
    uint32 approvals;
    uint32 rejections;
    uint32 electorate;
    address account;
    string name;
    bytes voteKey;
    bytes transportKey;
    string[] endpoints;
    string feature;
    uint8 role;
    uint8 policyAction;
    uint32 version;
    uint48 height;
    Policy policy;
    uint32[] voters;
}

struct Rule {
    uint32 version;
    uint48 height;
    string feature;
}

struct Feature {
    uint32 version;
    uint48 height;
}

struct Conduct {
    uint48 readyHeight;
    uint48 readyUntil;
    uint48 nextVoteKey;
    uint48 nextTransportKey;
    uint48 nextAccount;
}

struct Evidence {
    uint32 member;
    uint32 signer;
    uint64 epoch;
    uint64 viewNumber;
    uint48 height;
    uint8 kindA;
    uint8 kindB;
    address reporter;
    bytes32 hashA;
    bytes32 hashB;
}

struct Decided {
    uint32 standing;
    uint32 keys;
}

contract Members {
    Parameters parameters;
    uint32 memberCount;
    uint64 epoch;
    mapping(uint32 => Member) members;
    mapping(string => uint32) memberByName;
    mapping(address => Account) accounts;
    mapping(uint32 => address[]) accountsOf;
    mapping(uint64 => uint32) validatorCounts;
    mapping(uint64 => mapping(uint32 => Validator)) validators;
    mapping(uint64 => uint48) epochStarts;
    mapping(uint8 => uint32) activeMembers;
    mapping(bytes32 => uint32) voteKeyOwners;
    mapping(bytes32 => uint32) transportKeyOwners;
    mapping(uint32 => Conduct) conduct;
    uint32 votingPeriodSeconds;
    uint32 proposalCount;
    uint32 ruleCount;
    uint32 evidenceCount;
    mapping(uint8 => Policy) policies;
    mapping(uint32 => Proposal) proposals;
    mapping(uint32 => mapping(uint32 => uint8)) votes;
    mapping(uint32 => uint32[]) pendingProposals;
    mapping(uint32 => uint32) awaitedPromotion;
    mapping(uint32 => Rule) rules;
    mapping(string => Feature) features;
    mapping(uint32 => Evidence) evidence;
    mapping(uint64 => mapping(uint64 => mapping(uint32 => uint32))) evidenceOf;
    mapping(uint64 => mapping(uint32 => uint32)) evidenceCounts;
    mapping(uint32 => Decided) decided;
}

struct Wallet {
    uint128 balance;
    uint64 holder;
}

contract Currency {
    uint32 authority;
    uint8 decimals;
    string name;
    string symbol;
    uint128 totalSupply;
    uint64 holderCount;
    uint256 issued;
    uint256 redeemed;
    mapping(address => Wallet) wallets;
    mapping(address => mapping(address => uint256)) allowances;
    mapping(uint64 => address) holders;
}

contract CurrencyFactory {
    uint64 currencyCount;
    mapping(string => uint64) bySymbol;
}

struct Record {
    address account;
    uint32 member;
    uint32 count;
    uint48 height;
    uint48 time;
}

contract Anchor {
    mapping(bytes32 => Record) first;
    mapping(bytes32 => mapping(address => Record)) further;
}

struct Inner {
    uint8 a;
    uint256 b;
    bool c;
    address d;
    uint16 e;
}

struct Outer {
    uint64 x;
    Inner inner;
    uint8 y;
    string text;
    uint48[] numbers;
    mapping(bytes32 => uint8) marks;
}

// Every kind of type in every kind of neighbourhood, filled by the compiler's own code.
contract Everything {
    bool flag;
    uint8 small;
    uint16 short;
    uint32 medium;
    uint48 wide;
    uint64 wider;
    uint128 half;
    uint128 otherHalf;
    uint256 full;
    address owner;
    bytes32 hash;
    bool afterwards;
    Inner inner;
    uint8 behind;
    string shortText;
    string longText;
    bytes exactly31;
    bytes exactly32;
    uint8[] packed;
    uint128[] pairs;
    address[] people;
    Inner[] structs;
    string[] texts;
    uint16[][] nested;
    mapping(address => uint256) balances;
    mapping(uint32 => mapping(address => bool)) permissions;
    mapping(string => Outer) outers;
    mapping(bool => uint64) byFlag;
    mapping(uint256 => string) names;

    function fill() external {
        flag = true;
        small = 0x12;
        short = 0x3456;
        medium = 0x789abcde;
        wide = 0x123456789abc;
        wider = 0xfedcba9876543210;
        half = type(uint128).max - 5;
        otherHalf = 6;
        full = type(uint256).max - 7;
        owner = 0x1234567890AbcdEF1234567890aBcdef12345678;
        hash = keccak256("hash");
        afterwards = true;
        inner = Inner(9, 10, true, address(0xbeef), 11);
        behind = 255;
        shortText = unicode"short – text";
        longText = "a text that is so long that it needs more than one word, and then some more to need a third";
        exactly31 = hex"01020304050607080910111213141516171819202122232425262728293031";
        exactly32 = hex"0102030405060708091011121314151617181920212223242526272829303132";
        for (uint8 i = 0; i < 40; i++) packed.push(i + 1);
        pairs.push(1);
        pairs.push(type(uint128).max);
        pairs.push(3);
        people.push(address(0xaaaa));
        people.push(address(0xbbbb));
        structs.push(Inner(1, 2, true, address(3), 4));
        structs.push(Inner(5, 6, false, address(7), 8));
        texts.push("");
        texts.push("second");
        texts.push("the third of the texts is longer than thirty-one bytes");
        nested.push();
        nested.push();
        nested[1].push(7);
        nested[1].push(8);
        balances[address(0xcafe)] = 77;
        permissions[5][address(0xcafe)] = true;
        Outer storage outer = outers["a key"];
        outer.x = 1;
        outer.inner = Inner(1, 2, false, address(4), 5);
        outer.y = 6;
        outer.text = "inside";
        outer.numbers.push(1 << 40);
        outer.numbers.push(2);
        outer.marks[keccak256("mark")] = 3;
        byFlag[true] = 9;
        names[12345678901234567890] = "numbered";
    }

    // What was long becomes short or goes away.
    function shrink() external {
        longText = "short now";
        delete exactly32;
        exactly31 = hex"ff";
        delete inner;
        for (uint8 i = 0; i < 10; i++) packed.pop();
        pairs.pop();
        structs.pop();
        texts.pop();
        delete people;
        delete nested;
        small = 0;
        owner = address(0);
    }
}
