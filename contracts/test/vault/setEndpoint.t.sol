// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { VaultBase } from "./VaultBase.t.sol";

contract SetEndpointTest is VaultBase {
    bytes16 private constant IP = 0x20010db8000000000000000000000001;

    function test_TheMinerMovesTheMachine() external {
        _bonded();
        vm.expectEmit(address(vault));
        emit ICollateralVault.EndpointSet(MACHINE, IP, 2222);
        vm.prank(MINER);
        vault.setEndpoint(MACHINE, ICollateralVault.Endpoint(IP, 2222));
        assertEq(vault.nodeAt(1).endpoint.ip, IP);
        assertEq(vault.nodeAt(1).endpoint.port, 2222);
        (uint32 registration,) = vault.ownerOf(MACHINE);
        assertEq(registration, 1, "what shares its slot stays");
        _assertBond(0, 0, 0, BOND);
    }

    function test_WorksWithoutTheAssociationAndDuringARental() external {
        _bonded();
        _reserve(RENTAL, 10);
        METAGRAPH.remove(NETUID, 0);
        STORAGE.setValue(_associationKey(), "");
        vm.prank(MINER);
        vault.setEndpoint(MACHINE, ICollateralVault.Endpoint(IP, 1));
        assertEq(vault.nodeAt(1).endpoint.port, 1);
    }

    function test_RevertWhen_TheMachineIsUnknown() external {
        _expectNotRegistered(MACHINE);
        vm.prank(MINER);
        vault.setEndpoint(MACHINE, _endpoint());
    }

    function test_AStrangerCannotMoveIt() external {
        _bonded();
        _expectOnlyMiner(STRANGER);
        vm.prank(STRANGER);
        vault.setEndpoint(MACHINE, ICollateralVault.Endpoint(IP, 1));
    }

    function test_RevertWhen_ItIsHalf() external {
        _bonded();
        vm.startPrank(MINER);
        _expectBadEndpoint(0, 22);
        vault.setEndpoint(MACHINE, ICollateralVault.Endpoint(0, 22));
        _expectBadEndpoint(IP, 0);
        vault.setEndpoint(MACHINE, ICollateralVault.Endpoint(IP, 0));
        assertEq(vault.nodeAt(1).endpoint.ip, _endpoint().ip);
    }

    function testFuzz_MovesOrSaysWhyNot(bool registered, bool own, bytes16 ip, uint16 port) external {
        if (registered) _bonded();
        address caller = own ? MINER : STRANGER;
        bool moves;
        if (!registered) _expectNotRegistered(MACHINE);
        else if (!own) _expectOnlyMiner(STRANGER);
        else if (ip == 0 || port == 0) _expectBadEndpoint(ip, port);
        else moves = true;
        vm.prank(caller);
        vault.setEndpoint(MACHINE, ICollateralVault.Endpoint(ip, port));
        if (moves) {
            assertEq(vault.nodeAt(1).endpoint.ip, ip);
            assertEq(vault.nodeAt(1).endpoint.port, port);
        }
    }
}
