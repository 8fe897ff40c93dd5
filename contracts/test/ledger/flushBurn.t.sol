// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { Rao } from "../../src/types/Units.sol";
import { LedgerBase } from "./LedgerBase.t.sol";

/// @dev Of every ledger: see VaultLedger, EscrowLedger, ArbiterLedger, BidsLedger.
abstract contract FlushBurnTest is LedgerBase {
    function _waiting() private view returns (uint64) {
        return _rao(_ledger().toBurn());
    }

    function test_RevertGiven_NothingWaits() external {
        _expectNothingToBurn(0);
        _ledger().flushBurn();
    }

    function test_RevertGiven_LessThanTheSmallestPayoutWaits() external {
        bool reachable = _leastBurnable() < SMALLEST;
        if (reachable) _burnable(SMALLEST - 1);
        _expectNothingToBurn(reachable ? SMALLEST - 1 : 0);
        _ledger().flushBurn();
        _burnable(_leastBurnable()); // in the vault: one more rao
        _ledger().flushBurn();
        assertEq(TRANSFERS.balanceOf(BURN), SMALLEST);
    }

    function test_GivenSomethingWaits() external {
        _credit(MINER, AMOUNT);
        _burnable(700);
        uint64 owed = _owed();
        vm.expectEmit(address(_ledger()));
        emit IRaoLedger.Burned(Rao.wrap(700));
        vm.prank(STRANGER);
        _ledger().flushBurn();
        assertEq(TRANSFERS.balanceOf(BURN), 700);
        assertEq(_waiting(), 0);
        assertEq(_owed(), owed - 700);
        assertEq(_creditOf(MINER), AMOUNT);
        _assertSolvent();
        _expectNothingToBurn(0);
        _ledger().flushBurn();
    }

    function test_RevertGiven_TheChainRefusesPayments() external {
        _burnable(AMOUNT);
        TRANSFERS.setFailing(true);
        _expectPaymentFailed(BURN, AMOUNT);
        _ledger().flushBurn{ gas: 1_000_000 }();
        assertEq(_waiting(), AMOUNT);
        _assertSolvent();
        TRANSFERS.setFailing(false);
        _ledger().flushBurn();
        assertEq(TRANSFERS.balanceOf(BURN), AMOUNT);
    }

    function test_GivenTheAddressMappingFails() external {
        _burnable(AMOUNT);
        vm.etch(address(0x80c), hex"fe");
        _ledger().flushBurn();
        assertEq(TRANSFERS.balanceOf(BURN), AMOUNT);
    }

    function testFuzz_BurnsOrSaysWhyNot(uint64 rao, bool nothing, bool failing) external {
        rao = nothing ? 0 : uint64(bound(rao, _leastBurnable(), 2_000));
        if (rao != 0) _burnable(rao);
        uint64 owed = _owed();
        TRANSFERS.setFailing(failing);
        bool burns;
        if (rao < SMALLEST) _expectNothingToBurn(rao);
        else if (failing) _expectPaymentFailed(BURN, rao);
        else burns = true;
        _ledger().flushBurn{ gas: 1_000_000 }();
        assertEq(_waiting(), burns ? 0 : rao);
        assertEq(_owed(), burns ? owed - rao : owed);
        assertEq(TRANSFERS.balanceOf(BURN), burns ? rao : 0);
    }
}
