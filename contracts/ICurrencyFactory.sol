// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// The list of the alliance's currencies. A native module at 0x48616e7365000000000000000000000000000002.
interface ICurrencyFactory {
    event CurrencyCreated(
        address indexed currency, uint32 indexed authority, string symbol, string name, uint8 decimals
    );

    error NotAuthority(address caller);
    error SymbolTaken(string symbol, address currency);
    /// 1 to 11 capitals or digits that begin with a capital.
    error InvalidSymbol(string symbol);
    /// 1 to 64 bytes.
    error InvalidName(string name);
    /// At most 18.
    error InvalidDecimals(uint8 decimals);
    error UnknownCurrency(uint256 index);

    /// A member with the role of an authority creates a currency, and is its authority.
    function createCurrency(string calldata symbol, string calldata name, uint8 decimals)
        external
        returns (address currency);

    function currencyCount() external view returns (uint256);

    /// In the order of creation, from 0.
    function currencyAt(uint256 index) external view returns (address);

    /// The zero address if there is none.
    function currencyBySymbol(string calldata symbol) external view returns (address);
}
