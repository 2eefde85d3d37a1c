// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// A currency of the alliance: an ERC-20 that its authority issues to member banks and redeems from them.
/// A native module with an address per currency, 0x48616e736500000000000002 and eight bytes of number.
interface ICurrency {
    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);
    event Issued(address indexed bank, uint256 amount);
    event Redeemed(address indexed bank, uint256 amount);

    // ERC-6093.
    error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed);
    error ERC20InvalidReceiver(address receiver);
    error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed);
    error ERC20InvalidSpender(address spender);

    /// The caller is not the authority of this currency.
    error NotAuthority(address caller);
    /// The account is not that of an active member bank.
    error NotBank(address account);
    /// The supply would pass 2^128 - 1.
    error SupplyExceeded(uint256 amount, uint256 available);
    error UnknownHolder(uint256 index);

    function name() external view returns (string memory);

    function symbol() external view returns (string memory);

    function decimals() external view returns (uint8);

    function totalSupply() external view returns (uint256);

    function balanceOf(address account) external view returns (uint256);

    function allowance(address owner, address spender) external view returns (uint256);

    function transfer(address to, uint256 value) external returns (bool);

    /// An allowance of 2^256 - 1 is without limit and does not shrink.
    function approve(address spender, uint256 value) external returns (bool);

    function transferFrom(address from, address to, uint256 value) external returns (bool);

    /// The authority makes money and gives it to a member bank, which distributes it.
    function issue(address bank, uint256 amount) external;

    /// The authority takes money back from a member bank and destroys it.
    function redeem(address bank, uint256 amount) external;

    /// All that was ever issued; issued less redeemed is the total supply, which is the sum of the balances.
    function issued() external view returns (uint256);

    function redeemed() external view returns (uint256);

    /// The account of the member that issues this currency.
    function authority() external view returns (address);

    /// How many accounts ever held some.
    function holderCount() external view returns (uint256);

    /// The accounts that ever held some, in the order in which they first did; from 0.
    function holderAt(uint256 index) external view returns (address);
}
