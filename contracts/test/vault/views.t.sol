// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { Timestamp } from "../../src/types/Units.sol";
import { VaultBase } from "./VaultBase.t.sol";

contract ViewsTest is VaultBase {
    function test_WhatWasNeverRegisteredReadsAsZero() external view {
        assertEq(vault.registrationCount(), 0);
        (uint32 registration, address miner) = vault.ownerOf(MACHINE);
        assertEq(registration, 0);
        assertEq(miner, address(0));
        assertEq(vault.minerOf(0), address(0));
        assertEq(vault.minerOf(1), address(0));
        assertEq(vault.machineOf(0), bytes32(0));
        _assertBond(0, 0, 0, 0);
        _assertReserve(RENTAL, 0, 0, 0, false);
    }

    /// @dev Invariant 10: who never saw a log can still read everything.
    function test_EveryNodeAndReserveCanBeEnumerated() external {
        for (uint64 i = 0; i < 5; ++i) {
            bytes32 machine = keccak256(abi.encode("machine", i));
            _register(machine);
            _deposit(machine, 100 + i);
        }
        assertEq(vault.registrationCount(), 5);
        uint64 sum;
        for (uint32 n = 1; n <= 5; ++n) {
            ICollateralVault.NodeView memory node = vault.nodeAt(n);
            assertEq(node.machine, keccak256(abi.encode("machine", uint256(n - 1))));
            assertEq(node.registration, n);
            assertEq(vault.minerOf(n), node.miner);
            assertEq(vault.machineOf(n), node.machine);
            sum += _rao(node.free);
        }
        assertEq(_rao(vault.liabilities()), sum);
    }

    function test_ALapsedExitReadsAsFreeBeforeAnybodyWroteItDown() external {
        _bonded();
        _requestExit(400);
        uint32 readyAt = _now() + EXIT_DELAY;
        vm.warp(readyAt + EXIT_WINDOW);
        _assertBond(0, 0, 400, BOND - 400);
        skip(1);
        _assertBond(0, 0, 0, BOND);
        assertEq(Timestamp.unwrap(vault.nodeAt(1).exitReadyAt), 0);
    }

    function test_TheBooksShowInOneReserveWhatBacksARental() external {
        _bonded();
        _reserve(RENTAL, 600);
        _setAside(RENTAL, 200);
        _forfeit(RENTAL, 50);
        _assertReserve(RENTAL, 400, 150, 50, false);
        assertEq(vault.reserveOf(RENTAL).registration, 1);
    }

    function test_PlainValueIsRefused() external {
        vm.startPrank(STRANGER);
        (bool ok,) = address(vault).call{ value: WEI }("");
        assertFalse(ok, "no receive()");
        (ok,) = address(vault).call{ value: WEI }(hex"12345678");
        assertFalse(ok, "no fallback()");
    }
}
