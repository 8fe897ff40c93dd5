// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { createArbiter, createBids, createEscrow, createVault } from "../Build.sol";
import { Arbiter } from "../../src/Arbiter.sol";
import { CollateralVault } from "../../src/CollateralVault.sol";
import { RentalBids } from "../../src/RentalBids.sol";
import { RentalEscrow } from "../../src/RentalEscrow.sol";
import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { Rao } from "../../src/types/Units.sol";
import { Base } from "../Base.t.sol";

contract LedgerConstructorTest is Base {
    uint256 private constant CONTRACTS = 4;

    /// @dev 0: the vault, 1: the escrow, 2: the arbiter, 3: the bids, with siblings that would be accepted.
    function _make(uint256 which, uint256 valueWei) private {
        (uint16[] memory classes, Rao[] memory bonds) = _classBonds();
        if (which == 0) {
            createVault(valueWei, OWNER, _vaultConfig(address(escrow), address(arbiter)));
        } else if (which == 1) {
            createEscrow(valueWei, OWNER, _escrowConfig(address(vault), address(arbiter)), classes, bonds);
        } else if (which == 2) {
            createArbiter(valueWei, _arbiterConfig(address(vault), address(escrow)));
        } else {
            createBids(valueWei, address(escrow));
        }
    }

    function _expectWrongSeed(uint256 valueWei) private {
        vm.expectRevert(abi.encodeWithSelector(IRaoLedger.RaoLedger_WrongSeed.selector, valueWei, SEED_WEI));
    }

    function test_RevertWhen_TheSeedIsNotExact() external {
        uint256[5] memory values = [0, 1, SEED_WEI - 1, SEED_WEI + 1, 1 ether];
        for (uint256 which = 0; which < CONTRACTS; ++which) {
            for (uint256 i = 0; i < values.length; ++i) {
                _expectWrongSeed(values[i]);
                _make(which, values[i]);
            }
        }
    }

    /// @dev Without code at 0x800, a payout would succeed and the money be lost (D15).
    function test_RevertGiven_TheChainIsNotSubtensor() external {
        vm.etch(address(0x800), "");
        for (uint256 which = 0; which < CONTRACTS; ++which) {
            vm.expectRevert(abi.encodeWithSelector(IRaoLedger.RaoLedger_NotSubtensor.selector, address(0x800)));
            _make(which, SEED_WEI);
        }
    }

    function test_WhenTheSeedIsExact() external view {
        IRaoLedger[CONTRACTS] memory ledgers = [IRaoLedger(vault), escrow, arbiter, bids];
        for (uint256 i = 0; i < CONTRACTS; ++i) {
            assertEq(address(ledgers[i]).balance, SEED_WEI);
            assertEq(_rao(ledgers[i].liabilities()), 0);
            assertEq(_rao(ledgers[i].toBurn()), 0);
        }
    }

    function testFuzz_TakesExactlyTheSeed(uint256 which, uint96 valueWei) external {
        vm.assume(valueWei != SEED_WEI);
        vm.deal(address(this), valueWei);
        _expectWrongSeed(valueWei);
        _make(which % CONTRACTS, valueWei);
    }
}
