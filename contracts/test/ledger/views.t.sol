// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { LedgerBase } from "./LedgerBase.t.sol";

/// @dev Of every ledger: see VaultLedger, EscrowLedger, ArbiterLedger, BidsLedger.
abstract contract LedgerViewsTest is LedgerBase {
    function test_CreditOf_GivenAnAccountNobodyOwesAnything() external view {
        assertEq(_creditOf(MINER), 0);
        assertEq(_creditOf(address(0)), 0);
    }

    function test_CreditOf_GivenCreditThatCameInParts() external {
        _credit(MINER, 7);
        _credit(MINER, 8);
        assertEq(_creditOf(MINER), 15);
    }

    function test_Liabilities_GivenANewLedger() external view {
        assertEq(_owed(), 0);
        assertEq(_held(), SEED_WEI);
    }

    function test_Liabilities_GivenCreditAndBurns() external {
        uint64 before = _owed();
        _burnable(700);
        assertEq(_owed(), before + 700);
        _ledger().flushBurn();
        assertEq(_owed(), before);
        _credit(MINER, AMOUNT);
        uint64 with = _owed();
        assertGe(with, AMOUNT);
        _ledger().withdrawCredit(MINER);
        assertEq(_owed(), with - AMOUNT);
    }

    function test_ToBurn_GivenBurns() external {
        assertEq(_rao(_ledger().toBurn()), 0);
        _burnable(700);
        assertEq(_rao(_ledger().toBurn()), 700);
    }

    function test_PayoutAccountOf_GivenAnAccountThatChoseNone() external view {
        assertEq(_ledger().payoutAccountOf(MINER), 0);
    }

    function test_PayoutAccountOf_GivenAnAccountThatChoseOne() external {
        _choose(MINER, COLDKEY);
        assertEq(_ledger().payoutAccountOf(MINER), COLDKEY);
        assertEq(_ledger().payoutAccountOf(RENTER), 0);
    }

    function test_Receive_WhenValueComesOtherThanThroughAPayableFunction() external {
        vm.startPrank(STRANGER);
        bytes[6] memory calls = [
            bytes(""),
            hex"12345678",
            abi.encodeCall(IRaoLedger.withdrawCredit, (MINER)),
            abi.encodeCall(IRaoLedger.flushBurn, ()),
            abi.encodeCall(IRaoLedger.sweep, ()),
            abi.encodeCall(IRaoLedger.setPayoutAccount, (COLDKEY))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool ok, bytes memory out) = address(_ledger()).call{ value: WEI }(calls[i]);
            assertFalse(ok);
            assertEq(out.length, 0, "refused before anything was looked at");
        }
    }
}
