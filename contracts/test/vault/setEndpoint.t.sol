// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { VaultBase } from "./VaultBase.t.sol";

contract SetEndpointTest is VaultBase {
    bytes16 private constant IP = 0x20010db8000000000000000000000001;

    function _set(address caller, bytes16 ip, uint16 port) private {
        vm.prank(caller);
        vault.setEndpoint(MACHINE, ICollateralVault.Endpoint(ip, port));
    }

    function test_RevertGiven_TheMachineIsUnknown() external {
        _expectNotRegistered(MACHINE);
        _set(MINER, IP, 1);
    }

    function test_RevertGiven_TheNodeIsRetired() external {
        _retired();
        _expectNotRegistered(MACHINE);
        _set(MINER, IP, 1);
    }

    function test_RevertWhen_TheCallerIsNotTheMiner() external {
        _bonded();
        _expectOnlyMiner(STRANGER);
        _set(STRANGER, IP, 1);
    }

    function test_RevertWhen_AddressOrPortIsMissing() external {
        _bonded();
        _expectBadEndpoint(0, 22);
        _set(MINER, 0, 22);
        _expectBadEndpoint(IP, 0);
        _set(MINER, IP, 0);
        assertEq(vault.nodeAt(1).endpoint.ip, _endpoint().ip);
    }

    function test_WhenBothAreGiven() external {
        _bonded();
        vm.expectEmit(address(vault));
        emit ICollateralVault.EndpointSet(MACHINE, IP, 2222);
        _set(MINER, IP, 2222);
        assertEq(vault.nodeAt(1).endpoint.ip, IP);
        assertEq(vault.nodeAt(1).endpoint.port, 2222);
        (uint32 registration,) = vault.ownerOf(MACHINE);
        assertEq(registration, 1);
        _assertBond(0, 0, 0, BOND);
    }

    function test_GivenARentalAndNoPlaceOnTheSubnet() external {
        _bonded();
        _reserve(RENTAL, 10);
        _leaveSubnet();
        _set(MINER, IP, 1);
        assertEq(vault.nodeAt(1).endpoint.port, 1);
    }

    function testFuzz_MovesOrSaysWhyNot(uint8 state, bool own, bytes16 ip, uint16 port) external {
        state %= 8; // 0 unknown, 1 retired
        if (state == 1) _retired();
        else if (state != 0) _bonded();
        address caller = own ? MINER : STRANGER;
        bool moves;
        if (state < 2) _expectNotRegistered(MACHINE);
        else if (!own) _expectOnlyMiner(STRANGER);
        else if (ip == 0 || port == 0) _expectBadEndpoint(ip, port);
        else moves = true;
        _set(caller, ip, port);
        if (moves) {
            assertEq(vault.nodeAt(1).endpoint.ip, ip);
            assertEq(vault.nodeAt(1).endpoint.port, port);
        }
    }
}
