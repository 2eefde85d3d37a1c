// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// Points that a bank's developer gives to customers: an ordinary OpenZeppelin token, to show that ordinary contracts run.
contract HarvestPoints is ERC20 {
    constructor(uint256 supply) ERC20("Harvest Points", "HVST") {
        _mint(msg.sender, supply);
    }
}
