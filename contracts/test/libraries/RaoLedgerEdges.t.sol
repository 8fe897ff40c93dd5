// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Test } from "forge-std/Test.sol";
import { RaoLedger } from "../../src/base/RaoLedger.sol";
import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { Rao } from "../../src/types/Units.sol";
import { BalanceTransferStandIn } from "../standins/BalanceTransferStandIn.sol";

/// @dev The books alone, with a way in.
contract BareLedger is RaoLedger {
    constructor() payable { }

    function payIntoTheFire() external payable {
        _burn(_takeIn());
    }

    function owe(address account, Rao amount) external {
        _owe(account, amount);
    }
}

/// @dev Amounts at the very edge of what the chain still pays.
contract RaoLedgerEdgesTest is Test {
    uint256 private constant WEI = 1e9;
    uint256 private constant SMALLEST = 500;
    address private constant TRANSFERS = address(0x800);

    BareLedger private _ledger;

    function setUp() external {
        vm.etch(TRANSFERS, type(BalanceTransferStandIn).runtimeCode);
        vm.deal(address(this), 1 ether);
        _ledger = new BareLedger{ value: SMALLEST * WEI }();
    }

    function test_flushBurn_BurnsTheSmallestPayoutExactly() external {
        _ledger.payIntoTheFire{ value: SMALLEST * WEI }();
        _ledger.flushBurn();
        assertEq(Rao.unwrap(_ledger.toBurn()), 0);
        assertEq(Rao.unwrap(_ledger.liabilities()), 0);
        assertEq(address(_ledger).balance, SMALLEST * WEI, "the seed is left");
    }

    function test_flushBurn_RevertWhen_ARaoIsMissing() external {
        _ledger.payIntoTheFire{ value: (SMALLEST - 1) * WEI }();
        vm.expectRevert(abi.encodeWithSelector(IRaoLedger.RaoLedger_NothingToBurn.selector, SMALLEST - 1, SMALLEST));
        _ledger.flushBurn();
    }

    function test_sweep_FindsTheSmallestPayoutExactly() external {
        vm.deal(address(_ledger), 2 * SMALLEST * WEI);
        _ledger.sweep();
        assertEq(Rao.unwrap(_ledger.toBurn()), SMALLEST);
    }

    function test_sweep_RevertWhen_AWeiIsMissing() external {
        vm.deal(address(_ledger), 2 * SMALLEST * WEI - 1);
        vm.expectRevert(abi.encodeWithSelector(IRaoLedger.RaoLedger_NothingToBurn.selector, SMALLEST - 1, SMALLEST));
        _ledger.sweep();
    }

    /// @dev Logs tell of money only: nothing owed is nothing said.
    function test_owe_NothingLeavesNoTrace() external {
        vm.recordLogs();
        _ledger.owe(address(1), Rao.wrap(0));
        assertEq(vm.getRecordedLogs().length, 0);
        _ledger.owe(address(1), Rao.wrap(1));
        assertEq(vm.getRecordedLogs().length, 1);
        assertEq(Rao.unwrap(_ledger.creditOf(address(1))), 1);
    }

    /// @dev How much code the chain puts at a precompile is its own business; that there is some is not.
    function test_constructor_OneByteOfCodeIsASubtensor() external {
        vm.etch(TRANSFERS, hex"00");
        assertEq(address(new BareLedger{ value: SMALLEST * WEI }()).balance, SMALLEST * WEI);
    }
}
