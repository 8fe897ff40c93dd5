// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IRentalBids } from "../../src/interfaces/IRentalBids.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, RaoPerSecond, Timestamp } from "../../src/types/Units.sol";
import { BidsBase } from "./BidsBase.t.sol";

/// @dev `fill` as a total function: whatever is wrong, the first rule broken is the one that speaks.
contract FillFuzzTest is BidsBase {
    struct Wrongs {
        uint8 gate;
        uint8 status;
        uint8 offered;
        uint8 class;
        uint8 count;
        uint8 signers;
        uint8 hotkey;
        uint32 later;
        uint32 secs;
        uint40 price;
        uint64 bond;
    }

    uint64 private bid;
    uint64 private free;
    bytes private shut;
    IRentalEscrow.Offer private live;

    function testFuzz_EveryFillIsTakenOrRefusedByTheFirstRuleItBreaks(Wrongs memory w) external {
        IRentalBids.Bid memory b = _arrange(w);
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(MACHINE, w.signers % 8 == 0 ? 1 : 3);
        for (uint256 i = 0; i < certificates.length; ++i) {
            certificates[i] = _certificate(keeperKeys[i], MACHINE, 1, H100, 9, _now());
        }
        bytes memory expected = _prediction(w, b, certificates.length);
        uint64 posted = _rao(bids.liabilities());
        uint64 had = _bidCredit(RENTER);
        bool success = _expect(expected);
        uint64 rental = _fillWith(bid, MACHINE, certificates);
        if (!success) {
            assertEq(_rao(bids.liabilities()), posted);
            assertEq(escrow.rentalCount(), w.status % 8 == 0 ? 1 : 0);
            return;
        }
        uint64 cost = RaoPerSecond.unwrap(live.price) * uint64(b.durationSecs);
        assertEq(_rao(escrow.liabilities()), cost);
        assertEq(_bidCredit(RENTER) - had, _costOf(b) - cost, "posted == cost + change");
        assertEq(_rentalAt(rental).renter, RENTER);
        assertEq(_rentalAt(rental).boughtSecs, b.durationSecs);
        assertEq(bids.bidAt(bid).rental, rental);
        _assertBooks(0);
    }

    function _arrange(Wrongs memory w) private returns (IRentalBids.Bid memory b) {
        _register(MACHINE);
        _register(OTHER_MACHINE);
        b = _wish();
        b.durationSecs = w.secs % 4 == 0 ? 1 hours - 2 + w.secs % 5 : 1 hours + w.secs % 40 days;
        b.gpuCount = 1 + w.count % 4;
        vm.deal(RENTER, _costOf(b) * WEI);
        bid = _post(b, _costOf(b) * WEI);
        if (w.status % 8 == 0) _fillElsewhere(b);
        if (w.status % 8 == 1) _giveUp(RENTER, bid);
        skip(w.later % 4 == 0 ? w.later % 8 days : w.later % 6 days);
        _offerSomething(w);
        free = w.bond % 4 == 0 ? H100_BOND * (1 + w.offered % 8) - 1 + w.bond % 3 : 1e11;
        vm.deal(MINER, 1e12 * WEI);
        _deposit(MACHINE, free);
        if (w.hotkey % 16 == 0) METAGRAPH.remove(NETUID, 0);
        shut = _drawGate(w.gate);
    }

    /// @dev The same wish, filled by another machine.
    function _fillElsewhere(IRentalBids.Bid memory b) private {
        IRentalEscrow.Offer memory terms = _terms();
        (terms.gpuCount, terms.minDurationSecs, terms.maxDurationSecs) = (4, 1, 366 days);
        vm.deal(MINER, 1e12 * WEI);
        _deposit(OTHER_MACHINE, 1e11);
        vm.prank(MINER);
        escrow.offer(OTHER_MACHINE, terms);
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(OTHER_MACHINE, 3);
        for (uint256 i = 0; i < 3; ++i) {
            certificates[i] = _certificate(keeperKeys[i], OTHER_MACHINE, 2, H100, 4, _now());
        }
        assertEq(_fillWith(bid, OTHER_MACHINE, certificates), 1);
        assertEq(_rentalAt(1).boughtSecs, b.durationSecs);
    }

    function _offerSomething(Wrongs memory w) private {
        IRentalEscrow.Offer memory terms = _terms();
        terms.gpuCount = 1 + w.offered % 8;
        terms.gpuClass = w.class % 8 == 0 ? H100 + 1 : H100;
        terms.price = RaoPerSecond.wrap(1 + w.price % (MAX_PRICE + 100));
        vm.prank(OWNER);
        escrow.setClassBond(H100 + 1, Rao.wrap(1));
        if (w.offered % 16 == 0) return; // none at all
        vm.prank(MINER);
        escrow.offer(MACHINE, terms);
        live = terms;
    }

    function _prediction(Wrongs memory w, IRentalBids.Bid memory b, uint256 signers)
        private
        view
        returns (bytes memory)
    {
        if (w.status % 8 == 0) return _notOpen(bid, IRentalBids.Status.Filled);
        if (w.status % 8 == 1) return _notOpen(bid, IRentalBids.Status.Returned);
        if (_now() >= Timestamp.unwrap(b.expiresAt)) return _expired(bid, Timestamp.unwrap(b.expiresAt));
        uint40 price = RaoPerSecond.unwrap(live.price);
        if (live.gpuClass != H100 || live.gpuCount < b.gpuCount || price > MAX_PRICE) {
            return _doesNotFit(bid, live.gpuClass, live.gpuCount, price);
        }
        if (b.durationSecs < 1 hours || b.durationSecs > 30 days) {
            bytes4 selector = IRentalEscrow.RentalEscrow_BadDuration.selector;
            return abi.encodeWithSelector(selector, b.durationSecs, 1 hours, 30 days);
        }
        if (signers < 2) return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NoQuorum.selector, signers);
        return _predictBond(w, uint64(price) * b.durationSecs);
    }

    function _predictBond(Wrongs memory w, uint64 cost) private view returns (bytes memory) {
        if (shut.length != 0) return shut;
        if (w.hotkey % 16 == 0) {
            bytes4 selector = ICollateralVault.CollateralVault_HotkeyNotAtUid.selector;
            return abi.encodeWithSelector(selector, 0, bytes32(0), HOTKEY);
        }
        uint64 bond = H100_BOND * live.gpuCount;
        if ((cost + 4) / 5 > bond) bond = (cost + 4) / 5;
        if (free < bond) {
            bytes4 selector = ICollateralVault.CollateralVault_NotEnoughFree.selector;
            return abi.encodeWithSelector(selector, MACHINE, free, bond);
        }
        return "";
    }
}
