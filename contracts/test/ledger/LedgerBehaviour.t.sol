// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { VmSafe } from "forge-std/Vm.sol";
import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { Rao } from "../../src/types/Units.sol";
import { Base } from "../Base.t.sol";
import { HostilePayee } from "./HostilePayee.sol";
import { PickyTransfers } from "./PickyTransfers.sol";

/// @dev What holds for the books of every custody contract. A suite for one contract says how money gets into it.
abstract contract LedgerBehaviour is Base {
    uint64 internal constant SMALLEST = 500;
    uint64 internal constant AMOUNT = 123_456;

    IRaoLedger internal ledger;

    /// @dev Makes the ledger owe `rao` to `account` as credit.
    function _credit(address account, uint64 rao) internal virtual;

    /// @dev Makes the ledger hold `rao` that is to be burned.
    function _burnable(uint64 rao) internal virtual;

    /* EXPECTING */

    function _expectTooSmall(address account, uint64 credit) private {
        bytes4 selector = IRaoLedger.RaoLedger_CreditTooSmall.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, account, credit, SMALLEST));
    }

    function _expectNothingToBurn(uint64 waiting) private {
        vm.expectRevert(abi.encodeWithSelector(IRaoLedger.RaoLedger_NothingToBurn.selector, waiting, SMALLEST));
    }

    function _expectPaymentFailed(bytes32 accountId, uint64 rao) private {
        vm.expectRevert(abi.encodeWithSelector(IRaoLedger.RaoLedger_PaymentFailed.selector, accountId, rao));
    }

    function _held() private view returns (uint256) {
        return address(ledger).balance;
    }

    /* WITHDRAW CREDIT */

    function test_withdrawCredit_PaysTheAccountsOwnAccountId() external {
        _credit(MINER, AMOUNT);
        uint64 owed = _rao(ledger.liabilities());
        uint256 held = _held();
        bytes32 accountId = MAPPING.addressMapping(MINER);
        bytes memory transfer = abi.encodeWithSignature("transfer(bytes32)", accountId);
        vm.expectCall(address(0x800), uint256(AMOUNT) * WEI, transfer, 1);
        vm.expectEmit(address(ledger));
        emit IRaoLedger.CreditWithdrawn(MINER, accountId, Rao.wrap(AMOUNT));
        vm.prank(STRANGER); // anybody may call, the money can go nowhere else
        ledger.withdrawCredit(MINER);
        assertEq(TRANSFERS.balanceOf(accountId), AMOUNT);
        assertEq(_rao(ledger.creditOf(MINER)), 0);
        assertEq(_rao(ledger.liabilities()), owed - AMOUNT);
        assertEq(_held(), held - uint256(AMOUNT) * WEI);
    }

    function test_withdrawCredit_PaysOnce() external {
        _credit(MINER, AMOUNT);
        ledger.withdrawCredit(MINER);
        _expectTooSmall(MINER, 0);
        ledger.withdrawCredit(MINER);
    }

    function test_withdrawCredit_TheLastOneOutLeavesTheSeed() external {
        _credit(MINER, AMOUNT);
        ledger.withdrawCredit(MINER);
        assertEq(_held(), uint256(_rao(ledger.liabilities())) * WEI + SEED_WEI);
    }

    function test_withdrawCredit_WaitsBelowTheSmallestPayoutAndThenIsPaidWhole() external {
        _credit(MINER, SMALLEST - 1);
        _expectTooSmall(MINER, SMALLEST - 1);
        ledger.withdrawCredit(MINER);
        assertEq(_rao(ledger.creditOf(MINER)), SMALLEST - 1, "it waits");
        _credit(MINER, 1);
        ledger.withdrawCredit(MINER);
        assertEq(TRANSFERS.balanceOf(MAPPING.addressMapping(MINER)), SMALLEST);
    }

    /// @dev D5: a failing precompile keeps all gas it was given. The call fails, and nothing else does.
    function test_withdrawCredit_RevertWhen_TheChainRefuses_AndTheCreditStays() external {
        _credit(MINER, AMOUNT);
        uint64 owed = _rao(ledger.liabilities());
        uint256 held = _held();
        TRANSFERS.setFailing(true);
        bytes32 accountId = MAPPING.addressMapping(MINER);
        uint256 before = gasleft();
        _expectPaymentFailed(accountId, AMOUNT);
        ledger.withdrawCredit{ gas: 2_000_000 }(MINER);
        assertGt(before - gasleft(), 1_900_000, "the stand-in burns what it is given, as the chain does");
        assertEq(_rao(ledger.creditOf(MINER)), AMOUNT);
        assertEq(_rao(ledger.liabilities()), owed);
        assertEq(_held(), held);
        TRANSFERS.setFailing(false);
        ledger.withdrawCredit(MINER);
        assertEq(TRANSFERS.balanceOf(accountId), AMOUNT);
    }

    function test_withdrawCredit_OneAccountTheChainRefusesBlocksNobodyElse() external {
        _credit(MINER, AMOUNT);
        _credit(RENTER, 700);
        _burnable(800);
        PickyTransfers picky = _etchPicky();
        bytes32 refused = MAPPING.addressMapping(MINER);
        picky.refuse(refused);
        _expectPaymentFailed(refused, AMOUNT);
        ledger.withdrawCredit{ gas: 2_000_000 }(MINER);
        ledger.withdrawCredit(RENTER);
        ledger.flushBurn();
        assertEq(picky.paid(MAPPING.addressMapping(RENTER)), 700);
        assertEq(picky.paid(BURN), 800);
        assertEq(_rao(ledger.creditOf(MINER)), AMOUNT, "it waits for better times");
    }

    function test_withdrawCredit_RevertWhen_TheMappingFails_AndTheCreditStays() external {
        _credit(MINER, AMOUNT);
        vm.etch(address(0x80c), hex"fe"); // INVALID: burns what it is given
        uint256 before = gasleft();
        _expectPaymentFailed(0, AMOUNT);
        ledger.withdrawCredit(MINER);
        assertLt(before - gasleft(), 60_000, "0x80c keeps the 10,000 it was given and no more");
        assertEq(_rao(ledger.creditOf(MINER)), AMOUNT);
        vm.etch(address(0x80c), "");
        _expectPaymentFailed(0, AMOUNT);
        ledger.withdrawCredit(MINER);
    }

    /// @dev Invariant 9, D1: whatever code the payee has, it is never called.
    function test_withdrawCredit_AHostilePayeesCodeNeverRuns() external {
        HostilePayee payee = new HostilePayee(ledger);
        bytes32 accountId = MAPPING.addressMapping(address(payee));
        TRANSFERS.introduce(accountId, address(payee)); // on the chain they are one account
        _credit(address(payee), AMOUNT);
        vm.startStateDiffRecording();
        ledger.withdrawCredit(address(payee));
        _assertOnlyPrecompilesCalled(vm.stopAndReturnStateDiff());
        assertEq(address(payee).balance, uint256(AMOUNT) * WEI, "and yet it is paid");
        assertFalse(payee.ran());
    }

    function _assertOnlyPrecompilesCalled(VmSafe.AccountAccess[] memory accesses) private view {
        uint256 calls;
        for (uint256 i = 0; i < accesses.length; ++i) {
            VmSafe.AccountAccess memory a = accesses[i];
            if (a.accessor != address(ledger) || uint8(a.kind) > uint8(VmSafe.AccountAccessKind.Create)) continue;
            ++calls;
            bool constant_ = a.kind == VmSafe.AccountAccessKind.StaticCall
                ? a.account == address(0x80c)
                : a.account == address(0x800);
            assertTrue(constant_, "a call to something else");
            assertTrue(a.kind == VmSafe.AccountAccessKind.StaticCall || a.kind == VmSafe.AccountAccessKind.Call);
        }
        assertEq(calls, 2, "one to 0x80c, one to 0x800");
    }

    function testFuzz_withdrawCredit_PaysOrSaysWhyNot(address account, uint64 rao, bool failing) external {
        rao = uint64(bound(rao, 0, 2_000));
        uint64 before = _rao(ledger.liabilities());
        if (rao != 0) _credit(account, rao);
        uint64 owed = _rao(ledger.liabilities());
        bytes32 accountId = MAPPING.addressMapping(account);
        TRANSFERS.setFailing(failing);
        bool pays;
        if (rao < SMALLEST) _expectTooSmall(account, rao);
        else if (failing) _expectPaymentFailed(accountId, rao);
        else pays = true;
        ledger.withdrawCredit{ gas: 1_000_000 }(account);
        assertEq(_rao(ledger.creditOf(account)), pays ? 0 : rao);
        assertEq(_rao(ledger.liabilities()), pays ? owed - rao : owed);
        assertEq(TRANSFERS.balanceOf(accountId), pays ? rao : 0);
        assertGe(owed, before);
    }

    /* FLUSH BURN */

    function test_flushBurn_PaysTheBurnAccount() external {
        _burnable(AMOUNT);
        uint64 owed = _rao(ledger.liabilities());
        uint256 held = _held();
        vm.expectEmit(address(ledger));
        emit IRaoLedger.Burned(Rao.wrap(AMOUNT));
        vm.prank(STRANGER);
        ledger.flushBurn();
        assertEq(TRANSFERS.balanceOf(BURN), AMOUNT);
        assertEq(_rao(ledger.toBurn()), 0);
        assertEq(_rao(ledger.liabilities()), owed - AMOUNT);
        assertEq(_held(), held - uint256(AMOUNT) * WEI);
        _expectNothingToBurn(0);
        ledger.flushBurn();
    }

    function test_flushBurn_RevertWhen_TheChainRefuses_AndItStays() external {
        _burnable(AMOUNT);
        TRANSFERS.setFailing(true);
        _expectPaymentFailed(BURN, AMOUNT);
        ledger.flushBurn{ gas: 1_000_000 }();
        assertEq(_rao(ledger.toBurn()), AMOUNT);
        TRANSFERS.setFailing(false);
        ledger.flushBurn();
        assertEq(TRANSFERS.balanceOf(BURN), AMOUNT);
    }

    /* SWEEP */

    function test_sweep_WhatNobodyIsOwedIsBurned() external {
        _credit(MINER, AMOUNT);
        uint64 owed = _rao(ledger.liabilities());
        vm.deal(address(ledger), _held() + 700 * WEI);
        vm.expectEmit(address(ledger));
        emit IRaoLedger.Swept(Rao.wrap(700));
        vm.prank(STRANGER);
        ledger.sweep();
        assertEq(_rao(ledger.toBurn()), 700);
        assertEq(_rao(ledger.liabilities()), owed + 700);
        assertEq(_held(), uint256(owed + 700) * WEI + SEED_WEI);
        ledger.flushBurn();
        assertEq(TRANSFERS.balanceOf(BURN), 700);
        ledger.withdrawCredit(MINER);
        assertEq(_held(), uint256(_rao(ledger.liabilities())) * WEI + SEED_WEI, "the seed is left, and what is owed");
    }

    function test_sweep_NeverTouchesLiabilitiesOrSeed() external {
        _credit(MINER, AMOUNT);
        _burnable(900);
        _expectNothingToBurn(0);
        ledger.sweep();
        vm.deal(address(ledger), _held() - WEI); // less than owed: no underflow either
        _expectNothingToBurn(0);
        ledger.sweep();
    }

    function test_sweep_FindsTheSameMoneyOnce() external {
        vm.deal(address(ledger), _held() + 700 * WEI);
        ledger.sweep();
        _expectNothingToBurn(0);
        ledger.sweep();
    }

    function testFuzz_sweep_TakesWholeRaoOfTheSurplusOrSaysWhyNot(uint64 forcedWei, uint64 rao) external {
        uint256 forced = bound(forcedWei, 0, 1_500 * WEI);
        rao = uint64(bound(rao, 1, 1e12));
        _credit(MINER, rao);
        uint64 owed = _rao(ledger.liabilities());
        vm.deal(address(ledger), _held() + forced);
        // forge-lint: disable-next-line(unsafe-typecast) at most 1,500
        uint64 surplus = uint64(forced / WEI);
        bool sweeps = surplus >= SMALLEST;
        if (!sweeps) _expectNothingToBurn(surplus);
        ledger.sweep();
        assertEq(_rao(ledger.toBurn()), sweeps ? surplus : 0);
        assertEq(_rao(ledger.liabilities()), sweeps ? owed + surplus : owed);
        assertEq(_rao(ledger.creditOf(MINER)), rao);
    }

    /* VALUE */

    function test_ValueComesInOnlyThroughPayableFunctions() external {
        vm.startPrank(STRANGER);
        bytes[5] memory calls = [
            bytes(""),
            hex"12345678",
            abi.encodeCall(IRaoLedger.withdrawCredit, (MINER)),
            abi.encodeCall(IRaoLedger.flushBurn, ()),
            abi.encodeCall(IRaoLedger.sweep, ())
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool ok, bytes memory out) = address(ledger).call{ value: WEI }(calls[i]);
            assertFalse(ok);
            assertEq(out.length, 0, "refused before anything was looked at");
        }
    }

    function _etchPicky() private returns (PickyTransfers) {
        vm.etch(address(0x800), type(PickyTransfers).runtimeCode);
        return PickyTransfers(address(0x800));
    }
}
