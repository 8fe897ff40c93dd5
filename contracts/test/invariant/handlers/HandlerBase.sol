// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { AppointedKeepers } from "../../../src/AppointedKeepers.sol";
import { Arbiter } from "../../../src/Arbiter.sol";
import { CollateralVault } from "../../../src/CollateralVault.sol";
import { RentalBids } from "../../../src/RentalBids.sol";
import { RentalEscrow } from "../../../src/RentalEscrow.sol";
import { RaoLedger } from "../../../src/base/RaoLedger.sol";
import { IArbiter } from "../../../src/interfaces/IArbiter.sol";
import { ICollateralVault } from "../../../src/interfaces/ICollateralVault.sol";
import { IGate } from "../../../src/interfaces/IGate.sol";
import { IRentalEscrow } from "../../../src/interfaces/IRentalEscrow.sol";
import { IStatedBonds } from "../../../src/interfaces/IStatedBonds.sol";
import { Base } from "../../Base.t.sol";
import { BondModel } from "../model/BondModel.sol";
import { StatedModel } from "../model/StatedModel.sol";
import { Store } from "../model/Store.sol";
import { StreamOracle } from "../model/StreamOracle.sol";

/// @dev What every handler works on.
struct System {
    AppointedKeepers keepers;
    CollateralVault vault;
    RentalEscrow escrow;
    Arbiter arbiter;
    RentalBids bids;
    Store store;
}

/// @dev A handler plays actors. Each of its functions either makes a call that must succeed and writes what that means
/// into the store, or makes one that must fail and says with which error. All parameters are plain words, so that one
/// loop can call any of them.
abstract contract HandlerBase is Base {
    Store internal immutable STORE;
    uint32 internal immutable LAG;

    address[2] internal MINERS = [makeAddr("miner"), makeAddr("second miner")];
    address[3] internal RENTERS = [makeAddr("renter"), makeAddr("second renter"), makeAddr("third renter")];

    constructor(System memory s) {
        (keepers, vault, escrow, arbiter, bids) = (s.keepers, s.vault, s.escrow, s.arbiter, s.bids);
        STORE = s.store;
        LAG = s.escrow.SETTLE_LAG_SECS();
    }

    /// @dev A handler deploys nothing.
    function setUp() public pure override { }

    modifier acts() {
        vm.warp(STORE.clock());
        _;
    }

    /* PICKING */

    function _machine(uint256 seed) internal view returns (bytes32) {
        return STORE.machines(seed % STORE.machineCount());
    }

    function _bond(bytes32 machine) internal view returns (BondModel.Bond memory) {
        return STORE.bondOf(STORE.registrationOf(machine));
    }

    /// @dev A machine that is registered and not retired; there is always one.
    function _registered(uint256 seed) internal view returns (bytes32 machine) {
        uint256 count = STORE.machineCount();
        for (uint256 i = 0; i < count; ++i) {
            machine = STORE.machines((seed % count + i) % count);
            if (STORE.minerOf(machine) != address(0)) return machine;
        }
    }

    enum Wanted {
        Running, // not over
        Over, // and can be closed
        Open // not closed
    }

    /// @dev Of the newest rentals of the wanted sort one, if there is any, else any rental; 0 when there never was one.
    function _rental(uint256 seed, Wanted wanted) internal view returns (uint64 rental) {
        uint64 count = STORE.rentals();
        uint64[4] memory found;
        uint256 many;
        for (uint64 id = count; id > 0 && id + 12 > count && many < 4; --id) {
            StreamOracle.Sum memory s = STORE.sumOf(id);
            if (_isWanted(s, wanted)) found[many++] = id;
        }
        if (seed % 16 != 0 && many != 0) return found[(seed >> 4) % many];
        return count == 0 ? 0 : _to64((seed >> 4) % count) + 1;
    }

    /// @dev Every other time a rental of the wanted sort that is covered by what was stated, if there is any.
    function _perhapsCovered(uint256 seed, Wanted wanted) internal view returns (uint64 rental) {
        uint64 count = STORE.rentals();
        for (uint64 id = count; seed & 1 == 0 && id > 0 && id + 12 > count; --id) {
            if (STORE.coveredOf(id).word != 0 && _isWanted(STORE.sumOf(id), wanted)) return id;
        }
        return _rental(seed >> 1, wanted);
    }

    function _isWanted(StreamOracle.Sum memory s, Wanted wanted) private view returns (bool) {
        if (wanted == Wanted.Running) return _now() < s.end;
        return !s.closed && (wanted == Wanted.Open || s.end + LAG <= _now());
    }

    function _ledger(uint256 seed) internal view returns (RaoLedger) {
        return [RaoLedger(vault), escrow, arbiter, bids][seed % 4];
    }

    /* RULES */

    /// @dev What new business is told while none is taken; empty: it is.
    function _gateError() internal view returns (bytes memory) {
        if (STORE.sunset()) return abi.encodeWithSelector(IGate.Gate_Sunset.selector);
        uint32 until = STORE.pausedUntil();
        if (_now() < until) return abi.encodeWithSelector(IGate.Gate_Paused.selector, until);
        return "";
    }

    /// @dev Seconds without a fault up to now, or the end, at the rental's price.
    function _earned(uint64 rental) internal view returns (uint64) {
        uint32 end = STORE.sumOf(rental).end;
        return uint64(STORE.tenancyOf(rental).price) * STORE.servedSecs(rental, _now() < end ? _now() : end);
    }

    function _isPending(BondModel.CaseModel memory c) internal pure returns (bool) {
        return c.status != IArbiter.Status.Executed && c.status != IArbiter.Status.Dismissed;
    }

    function _isAppealed(BondModel.CaseModel memory c) internal pure returns (bool) {
        return c.status == IArbiter.Status.Appealed || c.status == IArbiter.Status.RefundedAppealed;
    }

    /// @dev A day after filing; two days more for the penalty of a slow case; just after the judge's last second.
    function _executableAt(BondModel.CaseModel memory c) internal pure returns (uint32) {
        if (_isAppealed(c)) return c.ruleBy + 1;
        bool refunds = c.status == IArbiter.Status.Filed && c.secs != 0;
        return c.filedAt + (c.slow && !refunds ? 72 hours : 24 hours);
    }

    /// @dev An outage never costs more than the rental has earned by now.
    function _burnOf(BondModel.CaseModel memory c) internal view returns (uint64) {
        if (c.kind != IArbiter.Kind.Offline) return c.penalty;
        uint64 earned = _earned(c.rental);
        return c.penalty < earned ? c.penalty : earned;
    }

    /// @dev max(class bond of all GPUs, a fifth of the cost rounded up).
    function _required(uint16 gpuClass, uint256 gpuCount, uint256 cost) internal view returns (uint64) {
        uint256 byClass = STORE.classBond(gpuClass) * gpuCount;
        uint256 byCost = (cost * 2_000 + 9_999) / 10_000;
        return _to64(byClass < byCost ? byCost : byClass);
    }

    /// @dev What the vault says to `total` behind a rental (0: a new one) that ends at `end`; empty when it agrees.
    function _expectBacking(uint32 registration, uint64 rental, uint64 total, uint32 end)
        internal
        view
        returns (bytes memory)
    {
        bytes memory closed = _gateError();
        if (closed.length != 0) return closed;
        BondModel.Bond memory b = STORE.bondOf(registration);
        bytes32 there = METAGRAPH.getHotkey(NETUID, b.uid);
        if (there != b.hotkey) {
            bytes4 moved = ICollateralVault.CollateralVault_HotkeyNotAtUid.selector;
            return abi.encodeWithSelector(moved, b.uid, there, b.hotkey);
        }
        uint64[2] memory open = STORE.openRentalsOf(registration);
        if (rental == 0 && open[0] != 0 && open[1] != 0) {
            return _error(ICollateralVault.CollateralVault_TwoOpenRentals.selector, registration);
        }
        return _refused(b.machine, rental, STORE.ask(registration, rental, total, end + LAG, _now()));
    }

    function _refused(bytes32 machine, uint64 rental, StatedModel.Answer memory r) private view returns (bytes memory) {
        if (r.refusal == StatedModel.Refusal.NoBond) {
            return abi.encodeWithSelector(ICollateralVault.CollateralVault_NotEnoughFree.selector, machine, r.a, r.b);
        }
        if (r.refusal == StatedModel.Refusal.OtherRental) {
            StatedModel.Word memory w = STORE.wordAt(r.word);
            uint64 number = rental == 0 ? STORE.rentals() + 1 : rental;
            bytes4 selector = IStatedBonds.StatedBonds_OtherRental.selector;
            return abi.encodeWithSelector(selector, r.word, w.rental, w.over, number);
        }
        if (r.refusal == StatedModel.Refusal.Stale) {
            return _error(IStatedBonds.StatedBonds_Stale.selector, r.a, r.b);
        }
        if (r.refusal == StatedModel.Refusal.TooShort) {
            return _error(IStatedBonds.StatedBonds_TooShort.selector, r.word, r.a, r.b);
        }
        if (r.refusal == StatedModel.Refusal.NotEnough) {
            return _error(IStatedBonds.StatedBonds_NotEnough.selector, r.word, r.a, r.b);
        }
        return "";
    }

    function _hotkey(uint16 uid) internal pure returns (bytes32) {
        return uid == 0 ? HOTKEY : keccak256("second hotkey");
    }

    /* NARROWING */

    function _to8(uint256 value) internal pure returns (uint8) {
        require(value <= type(uint8).max, "too big for uint8");
        // forge-lint: disable-next-line(unsafe-typecast) checked above
        return uint8(value);
    }

    function _to16(uint256 value) internal pure returns (uint16) {
        require(value <= type(uint16).max, "too big for uint16");
        // forge-lint: disable-next-line(unsafe-typecast) checked above
        return uint16(value);
    }

    function _to32(uint256 value) internal pure returns (uint32) {
        require(value <= type(uint32).max, "too big for uint32");
        // forge-lint: disable-next-line(unsafe-typecast) checked above
        return uint32(value);
    }

    function _to64(uint256 value) internal pure returns (uint64) {
        require(value <= type(uint64).max, "too big for uint64");
        // forge-lint: disable-next-line(unsafe-typecast) checked above
        return uint64(value);
    }

    /* CALLING */

    /// @dev The next call fails with exactly `expected`, unless that is empty. True: it must succeed.
    function _succeeds(bytes32 action, bytes memory expected) internal returns (bool) {
        if (expected.length == 0) {
            STORE.count(action);
            return true;
        }
        STORE.countRefused(action);
        vm.expectRevert(expected);
        return false;
    }

    function _error(bytes4 selector, uint256 a) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, a);
    }

    function _error(bytes4 selector, uint256 a, uint256 b) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, a, b);
    }

    function _error(bytes4 selector, uint256 a, uint256 b, uint256 c) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, a, b, c);
    }

    /// @dev All active keepers seven times of eight, else any set of candidates.
    function _signerMask(uint256 seed) internal view returns (uint256) {
        return seed % 8 != 0 ? STORE.everyKeeper() : (seed >> 3) % 2 ** STORE.candidateCount();
    }

    function _termsOf(bytes32 machine) internal view returns (IRentalEscrow.Offer memory terms, bytes32 offerHash) {
        (terms, offerHash,) = escrow.offerOf(machine);
    }
}
