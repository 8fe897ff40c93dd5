// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { createAppointed, createArbiter, createEscrow, createVault } from "../Build.sol";
import { AppointedKeepers } from "../../src/AppointedKeepers.sol";
import { Arbiter } from "../../src/Arbiter.sol";
import { CollateralVault } from "../../src/CollateralVault.sol";
import { RentalEscrow } from "../../src/RentalEscrow.sol";
import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, RaoPerSecond, Timestamp } from "../../src/types/Units.sol";
import { EscrowBase } from "./EscrowBase.t.sol";
import { SecondsOracle } from "./SecondsOracle.sol";

/// @dev A short rental goes through arbitrary claims, faults, extensions, ends, abandonments, executions and closings,
/// and after each step every credit equals what a walk over its seconds says. Windows are small, so that a few hundred
/// seconds hold every overlap.
contract SecondsTest is EscrowBase {
    using SafeCast for uint256;
    using SecondsOracle for SecondsOracle.Sim;

    uint32 private constant SHORT_LAG = 120;
    uint32 private constant SHORT_GRACE = 40;
    uint32 private constant SHORT_INTERRUPTED = 5;
    uint32 private constant SHORT_OFFLINE = 30;
    uint32 private constant SHORT_FRESHNESS = 20;
    uint32 private constant SHORT_APPEAL = 200;
    uint16 private constant FEE_BPS = 333;
    uint256 private constant STEPS = 24;
    uint256 private constant MAX_SECS = 1_200;

    uint64 private rental;
    uint32 private start;
    uint256 private dice;

    function setUp() public override {
        vm.warp(1_800_000_000);
        _placeStandIns();
        _deployShort();
        _appointKeepers();
        vm.deal(MINER, 1_000 ether);
        vm.deal(RENTER, 1_000 ether);
        _register(MACHINE);
        _deposit(MACHINE, 100e9);
    }

    function _feeBps() internal pure override returns (uint16) {
        return FEE_BPS;
    }

    function _deployShort() private {
        keepers = createAppointed(OWNER);
        court = address(keepers);
        uint64 nonce = vm.getNonce(address(this));
        address vaultAt = vm.computeCreateAddress(address(this), nonce);
        address escrowAt = vm.computeCreateAddress(address(this), nonce + 1);
        address arbiterAt = vm.computeCreateAddress(address(this), nonce + 2);
        vault = createVault(SEED_WEI, OWNER, _vaultConfig(escrowAt, arbiterAt));
        (uint16[] memory classes, Rao[] memory bonds) = _classBonds();
        IRentalEscrow.Config memory e = _escrowConfig(vaultAt, arbiterAt);
        e.settleLagSecs = SHORT_LAG;
        escrow = createEscrow(SEED_WEI, OWNER, e, classes, bonds);
        IArbiter.Config memory a = _arbiterConfig(vaultAt, escrowAt);
        a.appealWindowSecs = SHORT_APPEAL;
        a.deliveryGraceSecs = SHORT_GRACE;
        a.minInterruptedSecs = SHORT_INTERRUPTED;
        a.minOfflineSecs = SHORT_OFFLINE;
        a.freshnessSecs = SHORT_FRESHNESS;
        arbiter = createArbiter(SEED_WEI, a);
    }

    /* THE TEST */

    function testFuzz_EveryCreditEqualsAWalkOverTheSeconds(uint256 seed, uint40 price, uint32 secs, uint16 least)
        external
    {
        dice = seed;
        price = 1 + price % 100_000;
        least = 1 + least % 200;
        secs = least + secs % 600;
        _begin(price, secs, least);
        SecondsOracle.Sim memory s = SecondsOracle.create(price, secs, least, MAX_SECS, STEPS);
        s.feeBps = FEE_BPS;
        s.lag = SHORT_LAG;
        for (uint256 i = 0; i < STEPS; ++i) {
            _pass(s, _roll(4) == 0 ? _roll(250) : _roll(40));
            _act(s);
            _assertSame(s);
        }
        _finish(s);
        _assertSame(s);
        assertEq(s.renterRao + s.minerRao + s.feeRao, s.bought * s.price, "in == out");
        assertEq(_rao(escrow.liabilities()), s.bought * s.price);
        assertEq((s.minerRao + s.feeRao) / s.price, s.served(s.end), "the miner has each second served, and no other");
    }

    function _begin(uint40 price, uint32 secs, uint16 least) private {
        IRentalEscrow.Offer memory terms = _terms();
        terms.price = RaoPerSecond.wrap(price);
        terms.minDurationSecs = least;
        terms.maxDurationSecs = 1 hours;
        vm.prank(MINER);
        escrow.offer(MACHINE, terms);
        RentCall memory c = _goodRent(MACHINE);
        c.secs = secs;
        c.valueWei = uint256(price) * secs * WEI;
        rental = _send(c);
        start = _now();
    }

    /// @dev Time runs out, everything is closed and executed.
    function _finish(SecondsOracle.Sim memory s) private {
        _pass(s, MAX_SECS + SHORT_APPEAL);
        if (!s.closed) _close(s);
        for (uint256 id = 1; id <= s.cases; ++id) {
            if (!s.executed[id]) _execute(s, id);
        }
    }

    /* STEPS */

    function _roll(uint256 sides) private returns (uint256) {
        dice = uint256(keccak256(abi.encode(dice)));
        return dice % sides;
    }

    function _pass(SecondsOracle.Sim memory s, uint256 secs) private {
        s.now_ += secs;
        skip(secs);
    }

    function _act(SecondsOracle.Sim memory s) private {
        uint256 what = _roll(18);
        if (what < 4) _claim(s);
        else if (what < 9) _interrupt(s);
        else if (what == 9) _endEarly(s);
        else if (what == 10) _buy(s);
        else if (what == 11) _endingCase(s, IArbiter.Kind.Offline);
        else if (what == 12) _endingCase(s, IArbiter.Kind.NotDelivered);
        else if (what == 13) _close(s);
        else if (what == 14) _giveUp(s);
        else if (what == 15) _closeAmongOthers(s);
        else _execute(s, 1 + _roll(s.cases + 1));
    }

    function _claim(SecondsOracle.Sim memory s) private {
        uint256 until = s.now_ > SHORT_LAG ? s.now_ - SHORT_LAG : 0;
        if (s.closed) vm.expectPartialRevert(IRentalEscrow.RentalEscrow_Closed.selector);
        else if (s.pay(until) == 0) vm.expectPartialRevert(IRentalEscrow.RentalEscrow_NothingToClaim.selector);
        escrow.claim(rental);
    }

    function _interrupt(SecondsOracle.Sim memory s) private {
        uint256 from = _roll(s.now_ + 1);
        uint256 until = from + 1 + _roll(60);
        if (until > s.now_) return;
        uint256 gap = _roll(4) == 0 ? _roll(4) : s.faultsBefore(from < s.end ? from : s.end);
        (uint256 secs, uint256 first) = s.takeable(from, until, gap);
        IArbiter.SignedAttestation[] memory seen =
            _attest(IArbiter.Kind.Interrupted, rental, start + from.toUint32(), start + until.toUint32(), 3);
        if (secs < SHORT_INTERRUPTED) vm.expectPartialRevert(IArbiter.Arbiter_TooShort.selector);
        else s.record(first, first + secs);
        arbiter.file(IArbiter.Kind.Interrupted, rental, gap.toUint8(), seen);
    }

    function _endingCase(SecondsOracle.Sim memory s, IArbiter.Kind kind) private {
        bool never = kind == IArbiter.Kind.NotDelivered;
        uint256 until = s.now_ - _roll((s.now_ < SHORT_FRESHNESS ? s.now_ : SHORT_FRESHNESS) + 1);
        uint256 from = never || until < 60 ? 0 : until - 10 - _roll(50);
        if (from >= until) return;
        uint256 gap = s.faultsBefore(s.end);
        (uint256 secs, uint256 first) = s.takeable(from, until, gap);
        IArbiter.SignedAttestation[] memory seen =
            _attest(kind, rental, start + from.toUint32(), start + until.toUint32(), 3);
        if (s.now_ >= s.end) {
            vm.expectPartialRevert(IArbiter.Arbiter_RentalOver.selector);
        } else if (never && (s.paid != 0 || s.cases != 0)) {
            vm.expectPartialRevert(IArbiter.Arbiter_AlreadyServed.selector);
        } else if (secs < (never ? SHORT_GRACE : SHORT_OFFLINE)) {
            vm.expectPartialRevert(IArbiter.Arbiter_TooShort.selector);
        } else {
            s.record(first, s.now_);
            s.shorten(s.now_);
        }
        arbiter.file(kind, rental, gap.toUint8(), seen);
    }

    function _endEarly(SecondsOracle.Sim memory s) private {
        if (s.now_ >= s.end) vm.expectPartialRevert(IRentalEscrow.RentalEscrow_Over.selector);
        else s.shorten(s.now_ < s.minDuration ? s.minDuration : s.now_);
        vm.prank(RENTER);
        escrow.end(rental);
    }

    function _buy(SecondsOracle.Sim memory s) private {
        uint256 secs = 1 + _roll(100);
        if (s.bought + secs > MAX_SECS) return;
        if (s.now_ >= s.end) vm.expectPartialRevert(IRentalEscrow.RentalEscrow_Over.selector);
        else s.buy(secs);
        vm.prank(RENTER);
        escrow.extend{ value: secs * s.price * WEI }(rental, secs.toUint32());
    }

    function _close(SecondsOracle.Sim memory s) private {
        if (s.closed) {
            vm.expectPartialRevert(IRentalEscrow.RentalEscrow_Closed.selector);
        } else if (s.now_ < s.end + SHORT_LAG) {
            vm.expectPartialRevert(IRentalEscrow.RentalEscrow_TooEarly.selector);
        } else {
            s.pay(s.end);
            s.closed = true;
        }
        escrow.close(rental);
    }

    /// @dev The same by closeMany, which skips instead of reverting.
    function _closeAmongOthers(SecondsOracle.Sim memory s) private {
        uint64[] memory ids = new uint64[](3);
        (ids[0], ids[1], ids[2]) = (rental + 1, rental, rental);
        bool due = !s.closed && s.now_ >= s.end + SHORT_LAG;
        if (due) s.pay(s.end);
        if (due) s.closed = true;
        assertEq(escrow.closeMany(ids), due ? 1 : 0);
    }

    /// @dev The miner gives up: at most a share of the reserve, and at most the price of each second served.
    function _giveUp(SecondsOracle.Sim memory s) private {
        uint256 burnedBefore = _rao(vault.toBurn());
        uint256 burned = s.served(s.now_) * s.price;
        uint256 share = uint256(_reserved(rental)) * 500 / 10_000;
        if (share < burned) burned = share;
        if (s.now_ >= s.end) {
            burned = 0;
            vm.expectPartialRevert(IRentalEscrow.RentalEscrow_Over.selector);
        } else {
            s.shorten(s.now_);
        }
        vm.prank(MINER);
        escrow.abandon(rental);
        assertEq(_rao(vault.toBurn()) - burnedBefore, burned, "burned");
    }

    function _execute(SecondsOracle.Sim memory s, uint256 id) private {
        if (id > s.cases) {
            vm.expectPartialRevert(IArbiter.Arbiter_NoCase.selector);
        } else if (s.executed[id] || s.now_ < s.filedAt[id] + SHORT_APPEAL) {
            vm.expectPartialRevert(IArbiter.Arbiter_NotExecutable.selector);
        } else {
            s.execute(id);
        }
        arbiter.execute(id.toUint64());
    }

    /* THE SAME */

    function _assertSame(SecondsOracle.Sim memory s) private view {
        IRentalEscrow.Rental memory r = _rentalAt(rental);
        assertEq(_creditOf(RENTER), s.renterRao, "renter");
        assertEq(_creditOf(MINER), s.minerRao, "miner");
        assertEq(_creditOf(TREASURY), s.feeRao, "treasury");
        assertEq(Timestamp.unwrap(r.end) - start, s.end, "end");
        assertEq(r.boughtSecs, s.bought, "bought");
        assertEq(r.claimedSecs, s.paid, "paid");
        assertEq(r.faultedSecs, s.faulted(), "faulted");
        assertLe(r.claimedSecs + r.faultedSecs, s.end, "no second twice");
        assertEq(r.openSecs, s.undecided(), "open");
        assertEq(r.closed, s.closed, "closed");
        _assertConserved(rental);
    }
}
