// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// How the members of the alliance change its members, keys, rules and policies: docs/reference/governance.md.
/// A part of the native module at 0x48616e7365000000000000000000000000000001.
interface IGovernance {
    /// When a proposal passes: approvals by so many members of each role (or all, where there are fewer), and by more than `percent` percent of the active members.
    struct Policy {
        uint8 authority;
        uint8 bank;
        uint8 company;
        uint8 percent;
    }

    /// Actions: 1 addMember, 2 promote, 3 demote, 4 remove, 5 replaceKeys, 6 changeRule, 7 changePolicy.
    /// States: 1 open, 2 passed (and not enacted yet), 3 enacted, 4 withdrawn, 5 expired.
    struct Proposal {
        uint32 id;
        uint8 action;
        uint8 state;
        uint32 proposer;
        /// Seconds since 1970 of the block that has the proposal; from `expiresAt` on it can be neither voted for nor enacted.
        uint48 createdAt;
        uint48 expiresAt;
        /// The height of the block that enacted it; 0 before.
        uint48 enactedHeight;
        /// Counted now, or as they were when the proposal passed. `electorate` is the number of members that count.
        uint32 approvals;
        uint32 rejections;
        uint32 electorate;
        /// Whether the approvals suffice: always once it has passed.
        bool approved;
        Proposed proposed;
    }

    /// What a proposal is about; what the action does not use is zero or empty.
    struct Proposed {
        /// Whom it is about; the new member once addMember was enacted.
        uint32 member;
        string name;
        uint8 role;
        /// replaceKeys: what is zero or empty stays as it is.
        address account;
        bytes voteKey;
        bytes transportKey;
        string[] endpoints;
        /// changeRule: the feature, its new version, and from which height on that counts.
        string feature;
        uint32 version;
        uint48 height;
        /// changePolicy: the policy of which action.
        uint8 policyAction;
        Policy policy;
    }

    struct Rule {
        string feature;
        uint32 version;
        uint48 height;
    }

    /// Two votes of one validator in one view that no honest validator makes. Kinds: 1 notarize, 2 nullify, 3 finalize.
    struct Evidence {
        uint32 member;
        uint32 signer;
        uint64 epoch;
        uint64 viewNumber;
        uint8 kindA;
        uint8 kindB;
        /// The suite's hashes of the two signed statements.
        bytes32 hashA;
        bytes32 hashB;
        uint48 height;
        address reporter;
    }

    event ProposalCreated(uint32 indexed proposal, uint8 indexed action, uint32 indexed proposer, Proposed proposed, uint48 expiresAt);
    event Voted(uint32 indexed proposal, uint32 indexed member, bool approve);
    event ProposalPassed(uint32 indexed proposal, uint32 approvals, uint32 rejections, uint32 electorate);
    event ProposalEnacted(uint32 indexed proposal, uint8 indexed action);
    event ProposalWithdrawn(uint32 indexed proposal);

    event MemberAdded(uint32 indexed member, string name, uint8 role, address account);
    event MemberPromoted(uint32 indexed member);
    event MemberDemoted(uint32 indexed member);
    event MemberRemoved(uint32 indexed member);
    event MemberAccountChanged(uint32 indexed member, address indexed previous, address indexed account);
    event VoteKeyChanged(uint32 indexed member, bytes voteKey);
    event TransportKeyChanged(uint32 indexed member, bytes transportKey);
    event ReadyDeclared(uint32 indexed member, uint48 height);
    /// The block of this event closes the epoch before; `members` are the validators of the next in their order. The last such event of a block counts.
    event ValidatorSetChanged(uint64 indexed epoch, uint32[] members);
    event RuleScheduled(string feature, uint32 version, uint48 height);
    event PolicyChanged(uint8 indexed action, Policy policy);
    event DoubleVoteReported(
        uint32 indexed member,
        uint64 indexed epoch,
        uint64 viewNumber,
        uint32 signer,
        uint256 index,
        address reporter
    );

    error UnknownProposal(uint32 proposal);
    /// The proposal was enacted or withdrawn, has expired, or (for a vote) has passed already.
    error ProposalClosed(uint32 proposal, uint8 state);
    error NotProposer(uint32 proposal, uint32 member);
    /// Whom a removal or a replacement of keys is about has no vote on it.
    error OwnCase(uint32 proposal, uint32 member);
    /// The approvals do not suffice.
    error NotApproved(uint32 proposal, uint32 approvals, uint32 electorate);
    /// The member has as many proposals that were neither enacted nor have expired as it may.
    error TooManyProposals(uint32 member, uint256 limit);
    error MemberNotActive(uint32 member);
    error TooManyMembers(uint256 limit);
    error InvalidName();
    /// Some member has or had the name.
    error NameTaken(string name, uint32 member);
    error InvalidRole(uint8 role);
    /// Not 33 bytes of a point of the curve.
    error InvalidVoteKey();
    /// Not 32 bytes.
    error InvalidTransportKey();
    /// This member has or had the key; a key is used once.
    error KeyUsed(uint32 member);
    /// The authority barred the account from sending, so it cannot act for a member.
    error AccountBarred(address account);
    error NothingChanges();
    error AlreadyValidator(uint32 member);
    error NotValidator(uint32 member);
    error LastValidator(uint32 member);
    error LastAuthority(uint32 member);
    error TooManyValidators(uint256 limit);
    /// The member has not shown in the last hour that it follows the chain: it declares itself ready first.
    error NotReady(uint32 member);
    /// The height is not one of the 16 below the current block.
    error HeightOutOfReach(uint256 height);
    /// The chain has another block at that height.
    error WrongBlock(uint256 height, bytes32 blockHash);
    /// A member changes each of its keys itself at most once in ten minutes; from this second on it may again.
    error TooSoon(uint32 member, uint48 until);
    error InvalidFeature();
    /// The next version of the feature is this one.
    error WrongVersion(uint32 next);
    /// A rule counts from this height on at the earliest.
    error HeightTooLow(uint48 lowest);
    error HeightTooHigh(uint48 highest);
    error TooManyRules(uint256 limit);
    error UnknownAction(uint8 action);
    /// The policy is outside what the action allows.
    error InvalidPolicy(uint8 action);
    error UnknownEpoch(uint64 epoch);
    /// Statement 0 or 1 is no vote in its signed form.
    error InvalidStatement(uint256 index);
    /// Statement 0 or 1 is a vote of another network.
    error OtherNetwork(uint256 index);
    /// The statements are of different epochs or views, or an honest validator may make both.
    error NotContradictory();
    /// The epoch has no validator of that number.
    error UnknownSigner(uint64 epoch, uint32 signer);
    /// Signature 0 or 1 is not the signer's.
    error WrongSignature(uint256 index);
    /// It is known already that the validator voted twice in this view.
    error EvidenceKnown(uint256 index);
    /// So much is known about this validator in this epoch that more would prove no more.
    error TooMuchEvidence(uint64 epoch, uint32 signer);
    error UnknownEvidence(uint256 index);

    // Proposals. A member's own account makes them, which is its approval as well; the functions return the number of the proposal.

    function proposeMember(
        string calldata name,
        uint8 role,
        address account,
        bytes calldata voteKey,
        bytes calldata transportKey,
        string[] calldata endpoints
    ) external returns (uint32);

    /// Makes a member a validator, the last of the set. It must have declared itself ready when this is enacted.
    function proposePromotion(uint32 member) external returns (uint32);

    function proposeDemotion(uint32 member) external returns (uint32);

    function proposeRemoval(uint32 member) external returns (uint32);

    /// For keys that are lost: the zero address and empty keys stay as they are.
    function proposeKeys(
        uint32 member,
        address account,
        bytes calldata voteKey,
        bytes calldata transportKey
    ) external returns (uint32);

    /// A new version of a feature (`protocol`, `gas-schedule`, `module:NAME`), in force from a height on.
    function proposeRule(string calldata feature, uint32 version, uint48 height) external returns (uint32);

    function proposePolicy(uint8 action, Policy calldata policy) external returns (uint32);

    /// Once a member; it may change its vote while the proposal is open. The vote that suffices enacts at once, if that can be done now.
    function vote(uint32 proposal, bool approve) external;

    function withdraw(uint32 proposal) external;

    /// Any member enacts what has passed, or what passes now because the members or the policy changed.
    function enact(uint32 proposal) external;

    /// A member that is no validator shows that it follows the chain. Enacts its promotion if that has passed.
    function declareReady(uint48 height, bytes32 blockHash) external;

    // Changes of a member's own keys, by its own account, without a vote. A used key is never used again.

    function rotateVoteKey(bytes calldata key) external;

    function rotateTransportKey(bytes calldata key) external;

    /// The account that calls loses its registration; the new one is free or registered by this member.
    function rotateAccount(address account) external;

    /// Anybody records that a validator signed two contradicting votes. A statement is what is signed: RLP [tag, genesisHash, epoch, view, ...].
    function reportDoubleVote(
        bytes calldata statementA,
        bytes calldata signatureA,
        bytes calldata statementB,
        bytes calldata signatureB,
        uint32 signer
    ) external;

    /// The height of the block that closed the epoch before; 0 for epoch 0.
    function epochStart(uint64 epochNumber) external view returns (uint48);

    function proposalCount() external view returns (uint32);

    /// Proposals are numbered from 1.
    function getProposal(uint32 proposal) external view returns (Proposal memory);

    /// 0 none, 1 approved, 2 rejected.
    function voteOf(uint32 proposal, uint32 member) external view returns (uint8);

    function policyOf(uint8 action) external view returns (Policy memory);

    /// Seconds for which a proposal stands.
    function votingPeriod() external view returns (uint32);

    /// Ascending by height. What is not named is in version 1.
    function scheduledRules() external view returns (Rule[] memory);

    /// The height for which a member last declared itself ready, and the second from which on that stands no more; 0, 0 if it never did.
    function readyOf(uint32 member) external view returns (uint48 height, uint48 until);

    function evidenceCount() external view returns (uint256);

    /// Evidence is numbered from 0.
    function getEvidence(uint256 index) external view returns (Evidence memory);
}
