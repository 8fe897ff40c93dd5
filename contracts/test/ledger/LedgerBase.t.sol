// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { Base } from "../Base.t.sol";
import { PickyTransfers } from "./PickyTransfers.sol";

/// @dev What the suites of every ledger's functions share. A suite for one contract says how money gets into it.
abstract contract LedgerBase is Base {
    uint64 internal constant SMALLEST = 500;
    uint64 internal constant AMOUNT = 123_456;
    bytes32 internal constant COLDKEY = keccak256("coldkey");

    /// @dev The ledger under test.
    function _ledger() internal view virtual returns (IRaoLedger);

    /// @dev Makes the ledger owe `rao` to `account` as credit.
    function _credit(address account, uint64 rao) internal virtual;

    /// @dev Makes the ledger hold `rao` that is to be burned.
    function _burnable(uint64 rao) internal virtual;

    /// @dev The least that can wait to be burned here: but for the vault, all comes in parts that can be paid.
    function _leastBurnable() internal view returns (uint64) {
        return address(_ledger()) == address(vault) ? 1 : SMALLEST;
    }

    /* STEPS */

    function _choose(address account, bytes32 accountId) internal {
        vm.prank(account);
        _ledger().setPayoutAccount(accountId);
    }

    function _force(uint256 valueWei) internal {
        vm.deal(address(_ledger()), _held() + valueWei);
    }

    function _etchPicky() internal returns (PickyTransfers) {
        vm.etch(address(0x800), type(PickyTransfers).runtimeCode);
        return PickyTransfers(address(0x800));
    }

    /* READING */

    function _held() internal view returns (uint256) {
        return address(_ledger()).balance;
    }

    function _owed() internal view returns (uint64) {
        return _rao(_ledger().liabilities());
    }

    function _creditOf(address account) internal view returns (uint64) {
        return _rao(_ledger().creditOf(account));
    }

    /// @dev Invariant 1, while nothing was forced in.
    function _assertSolvent() internal view {
        assertEq(_held(), uint256(_owed()) * WEI + SEED_WEI, "what is owed, and the seed");
    }

    /* EXPECTING */

    function _expectTooSmall(address account, uint64 credit) internal {
        bytes4 selector = IRaoLedger.RaoLedger_CreditTooSmall.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, account, credit, SMALLEST));
    }

    function _expectNothingToBurn(uint64 waiting) internal {
        vm.expectRevert(abi.encodeWithSelector(IRaoLedger.RaoLedger_NothingToBurn.selector, waiting, SMALLEST));
    }

    function _expectPaymentFailed(bytes32 accountId, uint64 rao) internal {
        vm.expectRevert(abi.encodeWithSelector(IRaoLedger.RaoLedger_PaymentFailed.selector, accountId, rao));
    }
}
