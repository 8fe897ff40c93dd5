// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { RaoPerSecond } from "../../src/types/Units.sol";
import { EscrowBase } from "./EscrowBase.t.sol";

contract WithdrawOfferTest is EscrowBase {
    function _noOffer() private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NoOffer.selector, MACHINE);
    }

    function _withdraw(address caller) private {
        vm.prank(caller);
        escrow.withdrawOffer(MACHINE);
    }

    function test_WhenItsMinerTakesItBack() external {
        _ready(MACHINE, 1e9);
        RentCall memory agreed = _goodRent(MACHINE);
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.OfferWithdrawn(1);
        _withdraw(MINER);
        (IRentalEscrow.Offer memory live, bytes32 liveHash,) = escrow.offerOf(MACHINE);
        assertEq(RaoPerSecond.unwrap(live.price), 0);
        assertEq(liveHash, 0);
        _refuse(agreed, _noOffer());
    }

    function test_GivenItWasRented() external {
        uint64 rental = _rented();
        _withdraw(MINER);
        assertEq(escrow.lastRentalOf(1), rental);
    }

    function test_RevertWhen_TheCallerIsNotItsMiner() external {
        _ready(MACHINE, 1e9);
        bytes4 selector = IRentalEscrow.RentalEscrow_OnlyMiner.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, MACHINE, MINER, STRANGER));
        _withdraw(STRANGER);
    }

    function test_RevertGiven_ThereIsNone() external {
        _register(MACHINE);
        vm.expectRevert(_noOffer());
        _withdraw(MINER);
    }

    function test_RevertGiven_ItExpired() external {
        _ready(MACHINE, 1e9);
        skip(30 days - 1);
        (, bytes32 liveHash,) = escrow.offerOf(MACHINE);
        assertTrue(liveHash != 0, "live to the last second");
        skip(1);
        vm.expectRevert(_noOffer());
        _withdraw(MINER);
    }

    function testFuzz_OnlyTheMinerAndOnlyALiveOffer(uint8 who, bool offered, uint32 later) external {
        _register(MACHINE);
        if (offered) _offer(MACHINE);
        skip(later % 60 days);
        address caller = who % 4 == 0 ? STRANGER : MINER;
        bytes memory expected;
        if (caller != MINER) {
            expected = abi.encodeWithSelector(IRentalEscrow.RentalEscrow_OnlyMiner.selector, MACHINE, MINER, caller);
        } else if (!offered || later % 60 days >= 30 days) {
            expected = _noOffer();
        }
        (, bytes32 was,) = escrow.offerOf(MACHINE);
        vm.prank(caller);
        bool success = _expect(expected);
        escrow.withdrawOffer(MACHINE);
        (, bytes32 liveHash,) = escrow.offerOf(MACHINE);
        assertEq(liveHash, success ? bytes32(0) : was);
    }
}
