// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { VaultBase } from "./VaultBase.t.sol";

contract ReservedForTest is VaultBase {
    function _reservedFor(uint32 registration, uint64 rental) private view returns (uint64) {
        return _rao(vault.reservedFor(registration, rental));
    }

    function test_GivenTheNodeOrTheRentalIsUnknown() external {
        assertEq(_reservedFor(0, 0), 0);
        assertEq(_reservedFor(1, RENTAL), 0);
        _bonded();
        assertEq(_reservedFor(1, 0), 0);
        assertEq(_reservedFor(1, type(uint64).max), 0);
    }

    function test_GivenAnOpenRental() external {
        _bonded();
        _reserve(RENTAL, 600);
        assertEq(_reservedFor(1, RENTAL), 600);
        _reserve(RENTAL, BOND);
        assertEq(_reservedFor(1, RENTAL), BOND);
    }

    function test_GivenTwoOpenRentals() external {
        _bonded();
        _reserve(RENTAL, 600);
        _reserve(SECOND, 50);
        assertEq(_reservedFor(1, RENTAL), 600);
        assertEq(_reservedFor(1, SECOND), 50);
        assertEq(_reservedFor(1, THIRD), 0);
    }

    function test_GivenACaseTookPartOfIt() external {
        _bonded();
        _reserve(RENTAL, 600);
        _setAside(RENTAL, 100);
        assertEq(_reservedFor(1, RENTAL), 500);
        _giveBack(100);
        assertEq(_reservedFor(1, RENTAL), 500, "given back is free, not behind the rental");
    }

    function test_GivenPartOfItWasBurned() external {
        _bonded();
        _reserve(RENTAL, 600);
        _forfeitReserved(RENTAL, 1);
        assertEq(_reservedFor(1, RENTAL), 599);
    }

    function test_GivenTheRentalIsReleased() external {
        _bonded();
        _reserve(RENTAL, 600);
        _release(RENTAL);
        assertEq(_reservedFor(1, RENTAL), 0);
    }

    function test_GivenAnotherNode() external {
        _bonded();
        _register(keccak256("second"));
        _reserve(RENTAL, 600);
        assertEq(_reservedFor(2, RENTAL), 0);
    }

    function testFuzz_IsZeroForEveryOtherPair(uint32 registration, uint64 rental, uint64 reserved) external {
        reserved = uint64(bound(reserved, 1, BOND));
        _bonded();
        _reserve(RENTAL, reserved);
        assertEq(_reservedFor(registration, rental), registration == 1 && rental == RENTAL ? reserved : 0);
        assertEq(_reservedFor(1, RENTAL), reserved);
    }
}
