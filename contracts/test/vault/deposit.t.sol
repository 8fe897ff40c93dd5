// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { Rao, Units_Overflow } from "../../src/types/Units.sol";
import { VaultBase } from "./VaultBase.t.sol";

contract DepositTest is VaultBase {
    function _expectNotWholeRao(uint256 valueWei) private {
        vm.expectRevert(abi.encodeWithSelector(IRaoLedger.RaoLedger_NotWholeRao.selector, valueWei));
    }

    function _expectOverflow(uint256 rao) private {
        vm.expectRevert(abi.encodeWithSelector(Units_Overflow.selector, rao, type(uint64).max));
    }

    function _send(uint256 valueWei) private {
        vm.prank(MINER);
        vault.deposit{ value: valueWei }(MACHINE);
    }

    function test_RevertGiven_NewBusinessIsPaused() external {
        _bonded();
        uint32 until = _pause();
        vm.warp(until - 1);
        _expectPaused(until);
        _send(WEI);
        vm.warp(until);
        _send(WEI);
        _assertBond(0, 0, 0, BOND + 1);
    }

    function test_RevertGiven_TheDeploymentIsClosedForGood() external {
        _bonded();
        _sunset();
        _expectSunset();
        _send(WEI);
    }

    function test_RevertGiven_TheMachineIsUnknown() external {
        _expectNotRegistered(MACHINE);
        _send(WEI);
    }

    function test_RevertGiven_TheNodeIsRetired() external {
        _retired();
        _expectNotRegistered(MACHINE);
        _send(WEI);
    }

    function test_RevertWhen_TheCallerIsNotTheMiner() external {
        _bonded();
        _expectOnlyMiner(STRANGER);
        vm.prank(STRANGER);
        vault.deposit{ value: WEI }(MACHINE);
    }

    function test_RevertWhen_NothingOrPartOfARaoComes() external {
        _bonded();
        uint256[4] memory values = [0, 1, WEI - 1, 3 * WEI + 1];
        for (uint256 i = 0; i < values.length; ++i) {
            _expectNotWholeRao(values[i]);
            _send(values[i]);
        }
        _assertBond(0, 0, 0, BOND);
    }

    function test_RevertWhen_MoreComesThanThereCanBe() external {
        _bonded();
        uint256 rao = uint256(type(uint64).max) + 1;
        vm.deal(MINER, rao * WEI);
        _expectOverflow(rao);
        _send(rao * WEI);
    }

    function test_WhenWholeRaoCome() external {
        _register(MACHINE);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Deposited(MACHINE, Rao.wrap(600), Rao.wrap(600));
        _deposit(MACHINE, 600);
        _assertBond(0, 0, 0, 600);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Deposited(MACHINE, Rao.wrap(1), Rao.wrap(601));
        _deposit(MACHINE, 1);
        _assertBond(0, 0, 0, 601);
    }

    function test_GivenBondInEveryPart() external {
        _bonded();
        _requestExit(300);
        _reserve(RENTAL, 200);
        _setAside(RENTAL, 50);
        _deposit(MACHINE, 7);
        _assertBond(150, 50, 300, BOND - 500 + 7);
    }

    function test_GivenNoPlaceOnTheSubnet() external {
        _bonded();
        _leaveSubnet();
        _deposit(MACHINE, 5);
        _assertBond(0, 0, 0, BOND + 5);
    }

    struct Try {
        uint8 gate; // 0 paused, 1 closed, else open
        bool registered;
        bool own;
        uint96 valueWei;
        bool whole;
    }

    function testFuzz_BecomesFreeBondOrSaysWhyNot(Try memory t) external {
        uint256 value = t.whole ? t.valueWei - t.valueWei % WEI : t.valueWei;
        t.gate %= 16;
        if (t.registered) _register(MACHINE);
        uint32 until = t.gate == 0 ? _pause() : 0;
        if (t.gate == 1) _sunset();
        address caller = t.own ? MINER : STRANGER;
        vm.deal(caller, value);
        bool taken;
        if (t.gate == 0) _expectPaused(until);
        else if (t.gate == 1) _expectSunset();
        else if (!t.registered) _expectNotRegistered(MACHINE);
        else if (!t.own) _expectOnlyMiner(STRANGER);
        else if (value == 0 || value % WEI != 0) _expectNotWholeRao(value);
        else if (value / WEI > type(uint64).max) _expectOverflow(value / WEI);
        else taken = true;
        vm.prank(caller);
        vault.deposit{ value: value }(MACHINE);
        // forge-lint: disable-next-line(unsafe-typecast) taken only when it fits
        if (taken) _assertBond(0, 0, 0, uint64(value / WEI));
        else assertEq(caller.balance, value, "refused money stays where it was");
    }
}
