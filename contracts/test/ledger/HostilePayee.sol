// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";

/// @dev What would drain a contract that pays by calling: it comes back for more, and refuses what is left.
contract HostilePayee {
    IRaoLedger private immutable LEDGER;
    bool public ran;

    constructor(IRaoLedger ledger) {
        LEDGER = ledger;
    }

    receive() external payable {
        ran = true;
        LEDGER.withdrawCredit(address(this));
    }

    fallback() external payable {
        ran = true;
    }
}
