// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { VaultBase } from "./VaultBase.t.sol";

contract ViewsTest is VaultBase {
    /* REGISTRATION COUNT */

    function test_RegistrationCount_WhenMachinesAreRegisteredAndRetired() external {
        assertEq(vault.registrationCount(), 0);
        _retired();
        _register(MACHINE);
        _register(keccak256("second"));
        assertEq(vault.registrationCount(), 3);
    }

    /* NODE AT */

    function test_NodeAt_GivenTheNumberIsNotInUse() external {
        bytes32 nothing = keccak256(new bytes(16 * 32));
        assertEq(keccak256(abi.encode(vault.nodeAt(0))), nothing);
        _register(MACHINE);
        assertEq(keccak256(abi.encode(vault.nodeAt(0))), nothing);
        ICollateralVault.NodeView memory node = vault.nodeAt(2);
        assertEq(node.registration, 2, "the number asked for, and nothing else");
        node.registration = 0;
        assertEq(keccak256(abi.encode(node)), nothing);
    }

    function test_NodeAt_GivenSeveralNodes() external {
        for (uint64 i = 0; i < 5; ++i) {
            bytes32 machine = keccak256(abi.encode("machine", i));
            _register(machine);
            _deposit(machine, 100 + i);
        }
        uint64 sum;
        for (uint32 n = 1; n <= vault.registrationCount(); ++n) {
            ICollateralVault.NodeView memory node = vault.nodeAt(n);
            assertEq(node.machine, keccak256(abi.encode("machine", uint256(n - 1))));
            assertEq(node.registration, n);
            assertEq(vault.minerOf(n), node.miner);
            assertEq(vault.machineOf(n), node.machine);
            sum += _rao(node.free);
        }
        assertEq(_rao(vault.liabilities()), sum);
    }

    function test_NodeAt_GivenAnExit() external {
        _bonded();
        _requestExit(400);
        uint32 readyAt = _now() + EXIT_DELAY;
        vm.warp(readyAt + EXIT_WINDOW);
        _assertBond(0, 0, 400, BOND - 400);
        assertEq(Timestamp.unwrap(vault.nodeAt(1).exitReadyAt), readyAt);
        skip(1);
        _assertBond(0, 0, 0, BOND);
        assertEq(Timestamp.unwrap(vault.nodeAt(1).exitReadyAt), 0);
    }

    function test_NodeAt_GivenAnExitThatACaseTookWhole() external {
        _bonded();
        _requestExit(400);
        _setAsideAny(400);
        assertEq(Timestamp.unwrap(vault.nodeAt(1).exitReadyAt), 0);
        assertEq(_rao(vault.nodeAt(1).exiting), 0);
    }

    function test_NodeAt_GivenOpenRentals() external {
        _bonded();
        _reserve(RENTAL, 1);
        _assertBacking(RENTAL, 1, RENTAL, 0);
        _reserve(SECOND, 2);
        _assertBacking(SECOND, 2, RENTAL, SECOND);
        _release(RENTAL);
        _assertBacking(SECOND, 2, 0, SECOND);
        _release(SECOND);
        _assertBacking(SECOND, 0, 0, 0);
    }

    function test_NodeAt_GivenARetiredNode() external {
        _retired();
        assertTrue(vault.nodeAt(1).retired);
        assertEq(vault.nodeAt(1).endpoint.port, 22, "where it was last, until somebody else has it");
        _registerBy(STRANGER);
        assertEq(vault.nodeAt(1).endpoint.port, 0);
        assertEq(vault.nodeAt(1).endpoint.ip, 0);
        assertEq(vault.nodeAt(1).miner, MINER);
        assertEq(vault.nodeAt(2).endpoint.port, 22);
    }

    /* OWNER OF */

    function test_OwnerOf_GivenTheMachineIsUnknownOrItsNodeRetired() external {
        (uint32 registration, address miner) = vault.ownerOf(MACHINE);
        assertEq(registration, 0);
        assertEq(miner, address(0));
        _retired();
        (registration, miner) = vault.ownerOf(MACHINE);
        assertEq(registration, 0);
        assertEq(miner, address(0));
    }

    function test_OwnerOf_GivenANode() external {
        _retired();
        _registerBy(STRANGER);
        (uint32 registration, address miner) = vault.ownerOf(MACHINE);
        assertEq(registration, 2);
        assertEq(miner, STRANGER);
    }

    /* MINER OF, MACHINE OF */

    function test_MinerOf_GivenKnownAndUnknownNumbers() external {
        _retired();
        assertEq(vault.minerOf(0), address(0));
        assertEq(vault.minerOf(1), MINER);
        assertEq(vault.minerOf(2), address(0));
    }

    function test_MachineOf_GivenKnownAndUnknownNumbers() external {
        _retired();
        assertEq(vault.machineOf(0), 0);
        assertEq(vault.machineOf(1), MACHINE);
        assertEq(vault.machineOf(2), 0);
    }

    /* BOND OF */

    function test_BondOf_GivenBondInEveryPart() external {
        _bonded();
        _reserve(RENTAL, 400);
        _reserve(SECOND, 100);
        _setAside(RENTAL, 150);
        _requestExit(300);
        _assertBond(350, 150, 300, BOND - 800);
    }

    function test_BondOf_GivenALapsedExitNobodyWroteDown() external {
        _bonded();
        _requestExit(400);
        skip(EXIT_DELAY + EXIT_WINDOW + 1);
        _assertBond(0, 0, 0, BOND);
    }

    function test_BondOf_GivenTheMachineHasANewerNode() external {
        _retired();
        _registerBy(STRANGER);
        vm.prank(STRANGER);
        vault.deposit{ value: 7 * WEI }(MACHINE);
        (Rao bonded,,,, Rao free) = vault.bondOf(MACHINE);
        assertEq(_rao(bonded), 7);
        assertEq(_rao(free), 7);
        assertEq(_rao(vault.nodeAt(1).free), 0);
    }

    /* RECEIVE */

    function test_Receive_WhenPlainValueIsSent() external {
        vm.startPrank(STRANGER);
        (bool ok,) = address(vault).call{ value: WEI }("");
        assertFalse(ok, "no receive()");
        (ok,) = address(vault).call{ value: WEI }(hex"12345678");
        assertFalse(ok, "no fallback()");
    }
}
