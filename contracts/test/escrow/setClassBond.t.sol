// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao } from "../../src/types/Units.sol";
import { EscrowBase } from "./EscrowBase.t.sol";

contract SetClassBondTest is EscrowBase {
    uint64 private constant MAX = 100e9;

    function test_WhenTheOwnerSetsIt() external {
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.ClassBondSet(H100, Rao.wrap(5));
        vm.prank(OWNER);
        escrow.setClassBond(H100, Rao.wrap(5));
        assertEq(_rao(escrow.classBond(H100)), 5);
        assertEq(_rao(escrow.classBond(H100 + 1)), 0, "no other class");
    }

    function test_GivenARentalRuns() external {
        uint64 rental = _rented();
        vm.prank(OWNER);
        escrow.setClassBond(H100, Rao.wrap(MAX));
        assertEq(_reserved(rental), H100_BOND);
        skip(DAY + LAG);
        escrow.close(rental);
        assertEq(_reserved(rental), 0);
    }

    function test_WhenSetToZero() external {
        uint64 rental = _rented();
        vm.prank(OWNER);
        escrow.setClassBond(H100, Rao.wrap(0));
        vm.expectRevert(abi.encodeWithSelector(IRentalEscrow.RentalEscrow_UnknownClass.selector, H100));
        escrow.quote(MACHINE, DAY);
        skip(2 hours);
        escrow.claim(rental);
        _end(rental);
        skip(LAG);
        escrow.close(rental);
        _assertConserved(rental);
        assertEq(_creditOf(MINER), _cost(2 hours));
        assertEq(_creditOf(RENTER), _cost(DAY - 2 hours));
    }

    function test_RevertWhen_TheCallerIsNotTheOwner() external {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, STRANGER));
        vm.prank(STRANGER);
        escrow.setClassBond(H100, Rao.wrap(1));
    }

    function test_RevertWhen_ItIsOverTheHardBound() external {
        bytes4 selector = IRentalEscrow.RentalEscrow_BadClassBond.selector;
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(selector, H100, MAX + 1, MAX));
        escrow.setClassBond(H100, Rao.wrap(MAX + 1));
    }

    function testFuzz_OnlyTheOwnerAndOnlyUpToTheBound(uint8 who, uint16 gpuClass, uint64 bond) external {
        address caller = who % 4 == 0 ? STRANGER : OWNER;
        bond = bond % 2 == 0 ? bond : MAX - 100 + bond % 200;
        bytes memory expected;
        if (caller != OWNER) {
            expected = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, caller);
        } else if (bond > MAX) {
            expected = abi.encodeWithSelector(IRentalEscrow.RentalEscrow_BadClassBond.selector, gpuClass, bond, MAX);
        }
        uint64 was = _rao(escrow.classBond(gpuClass));
        vm.prank(caller);
        bool success = _expect(expected);
        escrow.setClassBond(gpuClass, Rao.wrap(bond));
        assertEq(_rao(escrow.classBond(gpuClass)), success ? bond : was);
    }
}
