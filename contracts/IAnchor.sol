// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// Commitments to data that stays with its owner. A commitment is H(salt . contentHash), both of 32 bytes, H the hash of
/// the network's suite: it reveals nothing, and destroying the salt erases what it stood for.
/// A native module at 0x48616e7365000000000000000000000000000003.
interface IAnchor {
    /// Who anchored and when. `member` answers for the account (0: nobody). `count` is 0 for a single commitment and
    /// the number of leaves for a Merkle root. `time` is in seconds since 1970.
    struct Record {
        address account;
        uint32 member;
        uint32 count;
        uint48 height;
        uint48 time;
    }

    event Anchored(bytes32 indexed commitment, address indexed account, uint32 indexed member);
    event BatchAnchored(bytes32 indexed root, address indexed account, uint32 indexed member, uint32 count);

    /// Zero is no commitment.
    error InvalidCommitment();
    /// A batch has at least one leaf.
    error InvalidCount();
    /// The account anchored this before, with another count.
    error AnchoredDifferently(bytes32 commitment, uint32 count);
    error TooMany(uint256 count, uint256 limit);

    /// Records a commitment. Again by the same account changes nothing, so a sender that lost its receipt just repeats;
    /// another account gets a record of its own, so nobody can take a commitment away by being faster.
    function anchor(bytes32 commitment) external;

    /// The same for up to 256 commitments.
    function anchorMany(bytes32[] calldata commitments) external;

    /// Records the Merkle root of `count` commitments.
    function anchorBatch(bytes32 root, uint32 count) external;

    /// The record of the first account that anchored it; all zero if nobody did.
    function getAnchor(bytes32 commitment) external view returns (Record memory);

    /// The record of this account; all zero if it did not anchor it.
    function getAnchorBy(bytes32 commitment, address account) external view returns (Record memory);

    /// Whether `leaf`, a commitment, is in the tree: leaves are H(0x00 . commitment), nodes H(0x01 . lower . higher), a node
    /// without a partner moves up. At most 32 steps.
    function verifyInBatch(bytes32 root, bytes32[] calldata proof, bytes32 leaf) external pure returns (bool);
}
