// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { RaoLedger } from "../../src/base/RaoLedger.sol";
import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { IRentalBids } from "../../src/interfaces/IRentalBids.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { RaoPerSecond, Timestamp } from "../../src/types/Units.sol";
import { Checks } from "./Checks.sol";
import { BidModel } from "./model/BidModel.sol";
import { BondModel } from "./model/BondModel.sol";
import { StreamOracle } from "./model/StreamOracle.sol";

/// @dev Any order of anybody's calls leaves these true (numbers: SPEC.md section 10). After each run everybody leaves
/// (invariants 7 and 8) and the contracts are as empty as on the first day. Invariant 9 is about calls, and tested
/// where those are recorded (test/peers, hole 11); 10 holds because nothing here reads a log.
/// One campaign checks all of them: with one each, the same calls would be made a dozen times over.
contract Invariants is Checks {
    function invariant_AllOfThem() external {
        _1_BalanceCoversLiabilitiesAndSeed();
        _2_EverySecondPaidForIsAccountedFor();
        _3_BondPartsAddUp();
        _4_AReserveStaysUntilTheRentalIsClosed();
        _5_CasesNeverOverlap();
        _6_11_EverybodyHasExactlyWhatIsTheirs();
        _12_CasesAndAppealsEndOnce();
        _13_EveryBidIsOpenFilledOrReturned();
        _14_NobodyUnknownHasCredit();
        _15_BehindARentalIsWhatTheRuleAskedFor();
    }

    /// @dev And its exact form: the rest is what came unasked and was not swept.
    function _1_BalanceCoversLiabilitiesAndSeed() private view {
        for (uint256 i = 0; i < ledgers.length; ++i) {
            RaoLedger ledger = ledgers[i];
            uint256 owed = _rao(ledger.liabilities()) * WEI + SEED_WEI;
            _true(owed <= address(ledger).balance, "1: a contract owes more than it has");
            _same(address(ledger).balance - owed, store.strayWei(address(ledger)), "1: a surplus nobody brought");
        }
    }

    /// @dev In seconds and in rao, for each rental and in total, against the oracle.
    function _2_EverySecondPaidForIsAccountedFor() private view {
        uint256 owed = _creditSum(escrow) + _rao(escrow.toBurn());
        _same(escrow.rentalCount(), store.rentals(), "2: rentals");
        for (uint64 id = 1; id <= store.rentals(); ++id) {
            IRentalEscrow.Rental memory r = _rentalAt(id);
            StreamOracle.Sum memory s = store.sumOf(id);
            _checkStream(id, r, s);
            uint256 unclaimed = uint256(s.end) - Timestamp.unwrap(r.start) - s.claimed - s.faulted;
            uint256 refunded = r.boughtSecs - (Timestamp.unwrap(r.end) - Timestamp.unwrap(r.start));
            uint256 all = refunded + r.claimedSecs + s.decided + s.returned + r.openSecs + unclaimed;
            _same(all, s.bought, "2: refunded, claimed, decided, withheld and unclaimed are not what was bought");
            owed += (unclaimed + r.openSecs) * RaoPerSecond.unwrap(r.price);
            if (r.closed) _same(unclaimed, 0, "2: closed before all was paid");
        }
        _same(owed, _rao(escrow.liabilities()), "2: parts and liabilities");
    }

    /// @dev Against a model that is told of every call.
    function _3_BondPartsAddUp() private view {
        uint256 owed = _creditSum(vault) + _rao(vault.toBurn());
        _same(vault.registrationCount(), store.registrations(), "3: registrations");
        for (uint32 id = 1; id <= store.registrations(); ++id) {
            BondModel.Bond memory b = store.bondOf(id);
            uint256 bonded = _checkBond(id, b);
            owed += bonded;
            _same(bonded, b.paidIn - b.takenOut - b.burned, "3: paid in, less taken out and burned");
            _same(_heldFor(id), b.held, "3: held, case by case");
        }
        _same(owed, _rao(vault.liabilities()), "3: parts and liabilities");
        _same(_rao(vault.owedToMiners()), store.owedToMiners(), "3: owed to miners");
    }

    /// @dev Nothing leaves it but for a case and by the miner's own abandon.
    function _4_AReserveStaysUntilTheRentalIsClosed() private view {
        for (uint64 id = 1; id <= store.rentals(); ++id) {
            BondModel.Backing memory b = store.backingOf(id);
            bool closed = _rentalAt(id).closed;
            _true(b.released == closed, "4: released and closed are one");
            _same(_reserved(id), closed ? 0 : b.put - b.aside - b.burned, "4: something left a reserve");
            _true(b.aside + b.burned <= b.put, "4: more taken than was put there");
        }
    }

    function _5_CasesNeverOverlap() private view {
        _same(arbiter.caseCount(), store.cases(), "5: cases");
        uint256[] memory withheld = new uint256[](store.rentals() + 1);
        uint256[] memory penalties = new uint256[](store.rentals() + 1);
        for (uint64 id = 1; id <= store.cases(); ++id) {
            BondModel.CaseModel memory m = store.caseOf(id);
            _checkCase(id, m);
            if (_isWithheld(m)) withheld[m.rental] += m.secs;
            if (m.kind != IArbiter.Kind.Spoofed) penalties[m.rental] += m.penalty;
        }
        for (uint64 id = 1; id <= store.rentals(); ++id) {
            IRentalEscrow.Rental memory r = _rentalAt(id);
            _same(r.openSecs, withheld[id], "5: withheld by open cases");
            _true(penalties[id] <= store.backingOf(id).put, "5: penalties beyond the reserve");
            _checkFaults(id, r);
        }
    }

    /// @dev Everybody has exactly what the models say in each of the ledgers, be it paid out to where they wanted it;
    /// and what is burned is exactly what was forfeited, lost in an appeal, or swept.
    function _6_11_EverybodyHasExactlyWhatIsTheirs() private view {
        address[] memory accounts = _people();
        uint256 out;
        for (uint256 i = 0; i < ledgers.length; ++i) {
            RaoLedger ledger = ledgers[i];
            uint256[] memory due = _dues(i, accounts);
            for (uint256 j = 0; j < accounts.length; ++j) {
                uint256 had = store.paidTo(address(ledger), accounts[j]);
                uint256 credit = _rao(ledger.creditOf(accounts[j]));
                _same(credit + had, due[j], "6: somebody has more or less than is theirs");
            }
            uint256 burned = store.burnedOut(address(ledger));
            _same(burned + _rao(ledger.toBurn()), _burnsDue(i), "6: burned");
            out += burned;
        }
        _same(TRANSFERS.balanceOf(BURN), out, "6: what arrived at the burn account");
        for (uint256 i = 0; i < store.accountIdCount(); ++i) {
            bytes32 accountId = store.accountIds(i);
            _same(TRANSFERS.balanceOf(accountId), store.received(accountId), "6: what arrived at an account");
            out += store.received(accountId);
        }
        _same(out * WEI, address(TRANSFERS).balance, "6: somebody unknown was paid");
    }

    function _12_CasesAndAppealsEndOnce() private view {
        uint256 waiting;
        for (uint64 id = 1; id <= store.cases(); ++id) {
            BondModel.CaseModel memory m = store.caseOf(id);
            _same(m.decisions, _isDecided(m) ? 1 : 0, "12: decided more than once");
            _same(_rao(arbiter.appealOf(id).bond), m.appealBond, "12: appeal bond");
            bool ended = m.bondReturned != m.bondBurned;
            _true(!(m.bondReturned && m.bondBurned), "12: a bond returned and burned");
            _true(ended == (m.appealBond != 0 && _isDecided(m)), "12: a bond that ended without its case");
            if (!ended) waiting += m.appealBond;
        }
        uint256 owed = waiting + _creditSum(arbiter) + _rao(arbiter.toBurn());
        _same(_rao(arbiter.liabilities()), owed, "12: bonds, credit and burns are all the arbiter owes");
    }

    function _13_EveryBidIsOpenFilledOrReturned() private view {
        _same(bids.bidCount(), store.bids(), "13: bids");
        uint256[3] memory sums; // posted, open, what filled ones cost
        uint256 given; // change and what was returned
        for (uint64 id = 1; id <= store.bids(); ++id) {
            BidModel.BidModelled memory m = store.bidOf(id);
            IRentalBids.Bid memory b = bids.bidAt(id);
            _true(b.status == m.status && b.rental == m.rental && b.renter == m.renter, "13: a bid changed");
            sums[0] += m.paid;
            if (b.status == IRentalBids.Status.Open) sums[1] += m.paid;
            else given += m.paid - m.cost;
            if (b.status == IRentalBids.Status.Filled) sums[2] += _costOfBid(b);
        }
        _same(sums[2] + given + sums[1], sums[0], "13: posted is not filled, returned and open");
        uint256 owed = sums[1] + _creditSum(bids) + _rao(bids.toBurn());
        _same(_rao(bids.liabilities()), owed, "13: parts and liabilities");
    }

    /// @dev Of the rental it became, extended or not.
    function _costOfBid(IRentalBids.Bid memory b) private view returns (uint256) {
        return uint256(store.tenancyOf(b.rental).price) * b.durationSecs;
    }

    /// @dev Whoever was ever written into a ledger is one of the people here, and their credit, what is bound and what
    /// is to be burned are the liabilities to the last rao (2, 3, 12 and 13 say what is bound).
    function _14_NobodyUnknownHasCredit() private {
        for (uint256 i = 0; i < ledgers.length; ++i) {
            _same(_creditOfEverybody(ledgers[i]), _creditSum(ledgers[i]), "14: credit of everybody, of those known");
        }
    }

    /// @dev In TAO or covered by what keepers stated; what a case or the miner's own abandon took counts as there. And
    /// two rentals that are open never have the same alpha.
    function _15_BehindARentalIsWhatTheRuleAskedFor() private view {
        _checkStatements();
        for (uint64 id = 1; id <= store.rentals(); ++id) {
            uint64 value = _checkCover(id);
            uint256 behind = uint256(store.backingOf(id).put) + value;
            _true(store.coveredOf(id).required <= behind, "15: less behind a rental than the rule asked for");
        }
        for (uint32 id = 1; id <= store.registrations(); ++id) {
            _checkShared(store.openRentalsOf(id));
        }
    }

    function _heldFor(uint32 registration) private view returns (uint256 held) {
        for (uint64 id = 1; id <= store.cases(); ++id) {
            BondModel.CaseModel memory m = store.caseOf(id);
            if (m.registration == registration && !_isDecided(m)) held += m.penalty;
        }
    }
}
