// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { VmSafe } from "forge-std/Vm.sol";
import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { Rao } from "../../src/types/Units.sol";
import { HostilePayee } from "./HostilePayee.sol";
import { LedgerBase } from "./LedgerBase.t.sol";
import { PickyTransfers } from "./PickyTransfers.sol";

/// @dev Of every ledger: see VaultLedger, EscrowLedger, ArbiterLedger, BidsLedger.
abstract contract WithdrawCreditTest is LedgerBase {
    function _withdraw(address account) private {
        _ledger().withdrawCredit(account);
    }

    function test_RevertGiven_NoCredit() external {
        _expectTooSmall(MINER, 0);
        _withdraw(MINER);
        _expectTooSmall(address(0), 0);
        _withdraw(address(0));
    }

    function test_RevertGiven_CreditARaoBelowTheSmallestPayout() external {
        _credit(MINER, SMALLEST - 1);
        _expectTooSmall(MINER, SMALLEST - 1);
        _withdraw(MINER);
        assertEq(_creditOf(MINER), SMALLEST - 1, "it waits");
        _credit(MINER, 1);
        _withdraw(MINER);
        assertEq(TRANSFERS.balanceOf(MAPPING.addressMapping(MINER)), SMALLEST);
    }

    function test_GivenCreditOfTheSmallestPayout() external {
        _credit(MINER, SMALLEST);
        _withdraw(MINER);
        assertEq(TRANSFERS.balanceOf(MAPPING.addressMapping(MINER)), SMALLEST);
    }

    function test_GivenCreditAndNoPayoutAccount() external {
        _credit(MINER, AMOUNT);
        uint64 owed = _owed();
        bytes32 accountId = MAPPING.addressMapping(MINER);
        bytes memory transfer = abi.encodeWithSignature("transfer(bytes32)", accountId);
        vm.expectCall(address(0x800), uint256(AMOUNT) * WEI, transfer, 1);
        vm.expectEmit(address(_ledger()));
        emit IRaoLedger.CreditWithdrawn(MINER, accountId, Rao.wrap(AMOUNT));
        vm.prank(STRANGER); // anybody may call, the money can go nowhere else
        _withdraw(MINER);
        assertEq(TRANSFERS.balanceOf(accountId), AMOUNT);
        assertEq(_creditOf(MINER), 0);
        assertEq(_owed(), owed - AMOUNT);
        _assertSolvent();
        _expectTooSmall(MINER, 0);
        _withdraw(MINER);
    }

    function test_GivenAPayoutAccount() external {
        _credit(MINER, AMOUNT);
        _credit(RENTER, 700);
        _choose(MINER, COLDKEY);
        vm.expectEmit(address(_ledger()));
        emit IRaoLedger.CreditWithdrawn(MINER, COLDKEY, Rao.wrap(AMOUNT));
        vm.expectCall(address(0x80c), abi.encodeWithSignature("addressMapping(address)", MINER), 0);
        vm.prank(STRANGER);
        _withdraw(MINER);
        assertEq(TRANSFERS.balanceOf(COLDKEY), AMOUNT);
        _withdraw(RENTER);
        assertEq(TRANSFERS.balanceOf(MAPPING.addressMapping(RENTER)), 700, "others are paid as ever");
        _assertSolvent();
    }

    function test_GivenAPayoutAccountThatWasTakenBack() external {
        _credit(MINER, AMOUNT);
        _choose(MINER, COLDKEY);
        _choose(MINER, 0);
        _withdraw(MINER);
        assertEq(TRANSFERS.balanceOf(COLDKEY), 0);
        assertEq(TRANSFERS.balanceOf(MAPPING.addressMapping(MINER)), AMOUNT);
    }

    function test_GivenItWasTheLastCreditor() external {
        _credit(MINER, AMOUNT);
        _withdraw(MINER);
        _assertSolvent();
        assertGe(_held(), SEED_WEI);
    }

    /// @dev D5: a failing precompile keeps all gas it was given. The call fails, and nothing else does.
    function test_RevertGiven_TheChainRefusesPayments() external {
        _credit(MINER, AMOUNT);
        uint64 owed = _owed();
        TRANSFERS.setFailing(true);
        bytes32 accountId = MAPPING.addressMapping(MINER);
        uint256 before = gasleft();
        _expectPaymentFailed(accountId, AMOUNT);
        _ledger().withdrawCredit{ gas: 2_000_000 }(MINER);
        assertGt(before - gasleft(), 1_900_000, "the stand-in burns what it is given, as the chain does");
        assertEq(_creditOf(MINER), AMOUNT);
        assertEq(_owed(), owed);
        _assertSolvent();
        TRANSFERS.setFailing(false);
        _withdraw(MINER);
        assertEq(TRANSFERS.balanceOf(accountId), AMOUNT);
    }

    function test_GivenTheChainRefusesOneAccount() external {
        _credit(MINER, AMOUNT);
        _credit(RENTER, 700);
        _burnable(800);
        PickyTransfers picky = _etchPicky();
        bytes32 refused = MAPPING.addressMapping(MINER);
        picky.refuse(refused);
        _expectPaymentFailed(refused, AMOUNT);
        _ledger().withdrawCredit{ gas: 2_000_000 }(MINER);
        _withdraw(RENTER);
        _ledger().flushBurn();
        assertEq(picky.paid(MAPPING.addressMapping(RENTER)), 700);
        assertEq(picky.paid(BURN), 800);
        assertEq(_creditOf(MINER), AMOUNT, "it waits for better times");
        _choose(MINER, COLDKEY);
        _withdraw(MINER);
        assertEq(picky.paid(COLDKEY), AMOUNT);
    }

    function test_RevertGiven_TheAddressMappingFails() external {
        _credit(MINER, AMOUNT);
        vm.etch(address(0x80c), hex"fe"); // INVALID: burns what it is given
        uint256 before = gasleft();
        _expectPaymentFailed(0, AMOUNT);
        _withdraw(MINER);
        assertLt(before - gasleft(), 60_000, "0x80c keeps the 10,000 it was given and no more");
        assertEq(_creditOf(MINER), AMOUNT);
        vm.etch(address(0x80c), "");
        _expectPaymentFailed(0, AMOUNT);
        _withdraw(MINER);
        assertEq(_creditOf(MINER), AMOUNT);
        _assertSolvent();
    }

    function test_GivenTheAddressMappingFailsAndAPayoutAccountIsChosen() external {
        _credit(MINER, AMOUNT);
        vm.etch(address(0x80c), hex"fe");
        _choose(MINER, COLDKEY);
        _withdraw(MINER);
        assertEq(TRANSFERS.balanceOf(COLDKEY), AMOUNT);
    }

    /// @dev Invariant 9, D1: whatever code the payee has, it is never called.
    function test_GivenAPayeeWithHostileCode() external {
        HostilePayee payee = new HostilePayee(_ledger());
        bytes32 accountId = MAPPING.addressMapping(address(payee));
        TRANSFERS.introduce(accountId, address(payee)); // on the chain they are one account
        _credit(address(payee), AMOUNT);
        uint256 before = address(payee).balance;
        vm.startStateDiffRecording();
        _withdraw(address(payee));
        _assertOnlyPrecompilesCalled(vm.stopAndReturnStateDiff());
        assertEq(address(payee).balance, before + uint256(AMOUNT) * WEI, "and yet it is paid");
        assertFalse(payee.ran());
    }

    function _assertOnlyPrecompilesCalled(VmSafe.AccountAccess[] memory accesses) private view {
        uint256 calls;
        for (uint256 i = 0; i < accesses.length; ++i) {
            VmSafe.AccountAccess memory a = accesses[i];
            bool isCall = uint8(a.kind) <= uint8(VmSafe.AccountAccessKind.Create);
            if (a.accessor != address(_ledger()) || !isCall) continue;
            ++calls;
            bool constant_ = a.kind == VmSafe.AccountAccessKind.StaticCall
                ? a.account == address(0x80c)
                : a.account == address(0x800);
            assertTrue(constant_, "a call to something else");
            assertTrue(a.kind == VmSafe.AccountAccessKind.StaticCall || a.kind == VmSafe.AccountAccessKind.Call);
        }
        assertEq(calls, 2, "one to 0x80c, one to 0x800");
    }

    function testFuzz_PaysOrSaysWhyNot(address account, uint64 rao, bool failing, bytes32 chosen) external {
        rao = uint64(bound(rao, 0, 2_000));
        if (uint256(chosen) % 2 == 0) chosen = 0;
        if (rao != 0) _credit(account, rao);
        _choose(account, chosen);
        uint64 owed = _owed();
        bytes32 accountId = chosen == 0 ? MAPPING.addressMapping(account) : chosen;
        TRANSFERS.setFailing(failing);
        bool pays;
        if (rao < SMALLEST) _expectTooSmall(account, rao);
        else if (failing) _expectPaymentFailed(accountId, rao);
        else pays = true;
        _ledger().withdrawCredit{ gas: 1_000_000 }(account);
        assertEq(_creditOf(account), pays ? 0 : rao);
        assertEq(_owed(), pays ? owed - rao : owed);
        assertEq(TRANSFERS.balanceOf(accountId), pays ? rao : 0);
        _assertSolvent();
    }
}
