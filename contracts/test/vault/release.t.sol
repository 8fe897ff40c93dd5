// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { Rao } from "../../src/types/Units.sol";
import { VaultBase } from "./VaultBase.t.sol";

contract ReleaseTest is VaultBase {
    function test_RevertWhen_TheCallerIsNotTheEscrow() external {
        _bonded();
        _reserve(RENTAL, 600);
        address[4] memory callers = [MINER, address(arbiter), OWNER, STRANGER];
        for (uint256 i = 0; i < callers.length; ++i) {
            _expectOnlyEscrow(callers[i]);
            vm.prank(callers[i]);
            vault.release(1, RENTAL);
        }
    }

    function test_RevertGiven_TheNodeDoesNotBackTheRental() external {
        _bonded();
        _expectNotOpen(1, RENTAL);
        _release(RENTAL);
        _expectNotOpen(1, 0);
        _release(0);
        _reserve(RENTAL, 600);
        _expectNotOpen(2, RENTAL);
        vm.prank(address(escrow));
        vault.release(2, RENTAL);
    }

    function test_RevertGiven_TheRentalIsReleasedAlready() external {
        _bonded();
        _reserve(RENTAL, 600);
        _release(RENTAL);
        _expectNotOpen(1, RENTAL);
        _release(RENTAL);
    }

    function test_GivenAReserve() external {
        _bonded();
        _reserve(RENTAL, 600);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Released(1, RENTAL, Rao.wrap(600));
        _release(RENTAL);
        _assertBond(0, 0, 0, BOND);
        _assertBacking(RENTAL, 0, 0, 0);
    }

    function test_GivenNothingIsReserved() external {
        _register(MACHINE);
        _reserve(RENTAL, 0);
        vm.expectEmit(address(vault));
        emit ICollateralVault.Released(1, RENTAL, Rao.wrap(0));
        _release(RENTAL);
        _assertBacking(RENTAL, 0, 0, 0);
    }

    function test_GivenPartOfTheReserveIsInACase() external {
        _bonded();
        _reserve(RENTAL, 600);
        _setAside(RENTAL, 100);
        _release(RENTAL);
        _assertBond(0, 100, 0, BOND - 100);
    }

    function test_GivenAnotherOpenRental() external {
        _bonded();
        _reserve(RENTAL, 600);
        _reserve(SECOND, 50);
        uint256 before = vm.snapshotState();
        _release(RENTAL);
        _assertBond(50, 0, 0, BOND - 50);
        _assertBacking(SECOND, 50, 0, SECOND);
        vm.revertToState(before);
        _release(SECOND);
        _assertBond(600, 0, 0, BOND - 600);
        _assertBacking(RENTAL, 600, RENTAL, 0);
    }

    function test_GivenNoPlaceOnTheSubnet() external {
        _bonded();
        _reserve(RENTAL, 600);
        _leaveSubnet();
        _release(RENTAL);
        _assertBond(0, 0, 0, BOND);
    }

    struct Try {
        bool asEscrow;
        uint32 registration;
        bool twice;
        bool second; // the rental is in the second place, behind another
        uint64 reserved;
        uint64 aside;
        uint64 burned;
    }

    function testFuzz_ReleasesOrSaysWhyNot(Try memory t) external {
        t.reserved = uint64(bound(t.reserved, 0, BOND));
        t.aside = uint64(bound(t.aside, 0, t.reserved));
        t.burned = uint64(bound(t.burned, 0, t.aside));
        t.registration = t.registration % 4 < 2 ? 2 * (t.registration % 4) : 1; // 0 and 2 are not the rental's
        _bonded();
        if (t.second) _reserve(SECOND, 0);
        _reserve(RENTAL, t.reserved);
        if (t.aside != 0) _setAside(RENTAL, t.aside);
        if (t.burned != 0) _forfeit(t.burned);
        if (t.twice) _release(RENTAL);
        bool releases;
        if (!t.asEscrow) _expectOnlyEscrow(STRANGER);
        else if (t.registration != 1 || t.twice) _expectNotOpen(t.registration, RENTAL);
        else releases = true;
        vm.prank(t.asEscrow ? address(escrow) : STRANGER);
        vault.release(t.registration, RENTAL);
        if (!releases) return;
        _assertBond(0, t.aside - t.burned, 0, BOND - t.aside);
        _assertBacking(RENTAL, 0, t.second ? SECOND : 0, 0);
    }
}
