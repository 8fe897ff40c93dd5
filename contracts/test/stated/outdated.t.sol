// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { IStatedBonds } from "../../src/interfaces/IStatedBonds.sol";
import { Timestamp } from "../../src/types/Units.sol";
import { OrdersBase } from "./OrdersBase.t.sol";

/// @dev What takes of a stated bond, or of the reason for stating it, without ending a rental.
contract OutdatedTest is OrdersBase {
    /// @dev The rental is over and not closed, so its alpha answers for the `Spoofed`; what was stated before says that
    /// all of it is there.
    function test_ASpoofAfterTheLastRentalOutdatesWhatWasStatedBeforeIt() external {
        _statedReady(0);
        uint64 rental = _rent(MACHINE, 1 hours);
        _endIt(rental);
        IStatedBonds.SignedStatement memory word = _word();
        (word.alpha, word.value) = (vault.coverOf(rental).alpha, vault.coverOf(rental).value);
        _state(_claim(rental, true), word);
        skip(10 minutes);
        _spoof(8);
        skip(LAG);
        escrow.close(rental);
        _offerAgain();
        _expectRentRefused();
    }

    function test_ASpoofBeforeTheFirstRentalOutdatesWhatWasStatedBeforeIt() external {
        _statedReady(0);
        _spoof(8);
        skip(1);
        _offerAgain();
        _expectRentRefused();
    }

    /// @dev Signed before and recorded after is no newer.
    function test_AStatementFromBeforeASpoofIsNotRecordedAfterIt() external {
        _register(MACHINE);
        IStatedBonds.SignedStatement[] memory all = _said(_claim(0, true), _word(), 3);
        skip(1);
        _spoof(8);
        uint256 at = _now();
        skip(1);
        vm.expectRevert(abi.encodeWithSelector(IStatedBonds.StatedBonds_Stale.selector, at - 1, at));
        vault.state(_claim(0, true), all);
        skip(1);
        _state(_claim(0, true), _word());
    }

    /// @dev Keepers state a bond for a node whose hotkey is its owner's; this node has another hotkey now.
    function test_ARebindToAnotherHotkeyOutdatesWhatWasStatedBeforeIt() external {
        _statedReady(0);
        METAGRAPH.setHotkey(NETUID, 0, keccak256("somebody else's hotkey"));
        vm.prank(MINER);
        vault.rebind(MACHINE, 0, UID_HASH);
        skip(1);
        _expectRentRefused();
    }

    function test_ViewsSayWhenWhatWasStatedWasOutdated() external {
        _statedReady(0);
        assertEq(Timestamp.unwrap(vault.nodeAt(1).outdatedAt), 0);
        _spoof(8);
        assertEq(Timestamp.unwrap(vault.nodeAt(1).outdatedAt), _now());
    }

    function _expectRentRefused() private {
        (, bytes32 hash,) = escrow.offerOf(MACHINE);
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(MACHINE, 3);
        vm.expectRevert();
        vm.prank(RENTER);
        escrow.rent{ value: uint256(PRICE) * 1 hours * WEI }(MACHINE, 1 hours, RENTER_KEY, hash, certificates);
    }
}
