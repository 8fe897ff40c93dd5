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

    function test_BecomesFreeBond() external {
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

    function test_WorksWithoutTheAssociation() external {
        _bonded();
        METAGRAPH.remove(NETUID, 0);
        STORAGE.setValue(_associationKey(), "");
        _deposit(MACHINE, 5);
        _assertBond(0, 0, 0, BOND + 5);
    }

    function test_LeavesTheOtherPartsAlone() external {
        _bonded();
        _requestExit(300);
        _reserve(RENTAL, 200);
        _setAside(RENTAL, 50);
        _deposit(MACHINE, 7);
        _assertBond(150, 50, 300, BOND - 500 + 7);
    }

    function test_RevertWhen_TheMachineIsUnknown() external {
        _expectNotRegistered(MACHINE);
        vm.prank(MINER);
        vault.deposit{ value: WEI }(MACHINE);
    }

    function test_AStrangerCannotLeaveDust() external {
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
            vm.prank(MINER);
            vault.deposit{ value: values[i] }(MACHINE);
        }
        _assertBond(0, 0, 0, BOND);
    }

    function test_RevertWhen_MoreComesThanThereCanBe() external {
        _bonded();
        uint256 rao = uint256(type(uint64).max) + 1;
        vm.deal(MINER, rao * WEI);
        _expectOverflow(rao);
        vm.prank(MINER);
        vault.deposit{ value: rao * WEI }(MACHINE);
    }

    function testFuzz_BecomesFreeBondOrSaysWhyNot(bool registered, bool own, uint96 valueWei, bool whole) external {
        uint256 value = whole ? valueWei - valueWei % WEI : valueWei;
        if (registered) _register(MACHINE);
        address caller = own ? MINER : STRANGER;
        vm.deal(caller, value);
        bool taken;
        if (!registered) _expectNotRegistered(MACHINE);
        else if (!own) _expectOnlyMiner(STRANGER);
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
