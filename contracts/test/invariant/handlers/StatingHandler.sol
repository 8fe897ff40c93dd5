// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRentalEscrow } from "../../../src/interfaces/IRentalEscrow.sol";
import { IStatedBonds } from "../../../src/interfaces/IStatedBonds.sol";
import { Rao, RaoPerSecond, Timestamp } from "../../../src/types/Units.sol";
import { BondModel } from "../model/BondModel.sol";
import { StatedModel } from "../model/StatedModel.sol";
import { StreamOracle } from "../model/StreamOracle.sol";
import { System } from "./HandlerBase.sol";
import { RenterHandler } from "./RenterHandler.sol";

/// @dev Keepers who say what bonds are elsewhere: mostly what is so, now and then too late, too early or of another
/// rental. Of two vaults and two coldkeys, so that a rental and the one before it have the same bond, or another.
contract StatingHandler is RenterHandler {
    bytes32 private constant TYPEHASH = keccak256(
        "BondStatement(bytes32 vault,bytes32 owner,bytes32 machine,uint32 registration,uint64 rental,bool over,uint64 alpha,uint64 value,uint32 statedAt,uint32 until)"
    );

    uint256 private constant NOW_FOR_A_FORTNIGHT = type(uint256).max;

    constructor(System memory s) RenterHandler(s) { }

    function state(uint256 machineSeed, uint256 whatSeed, uint256 amountSeed, uint256 timeSeed, uint256 signerSeed)
        external
        acts
    {
        _state(_anyMachine(machineSeed), whatSeed, amountSeed, timeSeed, signerSeed);
    }

    /// @dev A machine that is on offer and empty, and has not enough TAO: keepers state what is elsewhere, and it is
    /// rented.
    function stateAndRent(uint256 machineSeed, uint256 amountSeed, uint256 secsSeed, uint256 signerSeed) external acts {
        for (uint256 i = 0; i < STORE.machineCount(); ++i) {
            bytes32 machine = _machine(machineSeed % 4 + i);
            (IRentalEscrow.Offer memory terms,) = _termsOf(machine);
            if (RaoPerSecond.unwrap(terms.price) == 0 || _readyAt(machine, terms) > _now()) continue;
            if (_isBackable(machine, terms)) continue;
            _state(machine, type(uint256).max, amountSeed, NOW_FOR_A_FORTNIGHT, signerSeed);
            return _rent(amountSeed, machine, secsSeed, signerSeed);
        }
    }

    /// @dev A covered rental ends, and its machine is rented again before it is closed: both want of the same bond.
    function rentAgain(uint256 rentalSeed, uint256 amountSeed, uint256 secsSeed, uint256 signerSeed) external acts {
        uint64 rental = _perhapsCovered(rentalSeed & ~uint256(1), Wanted.Running);
        if (rental == 0 || STORE.coveredOf(rental).word == 0 || STORE.sumOf(rental).end <= _now()) return;
        StreamOracle.Tenancy memory t = STORE.tenancyOf(rental);
        vm.prank(t.renter);
        escrow.end(rental);
        uint32 earliest = t.start + t.minSecs;
        STORE.add(rental, StreamOracle.Did.Shortened, earliest < _now() ? _now() : earliest, 0);
        STORE.pass(STORE.sumOf(rental).end - _now() + 30 minutes);
        vm.warp(STORE.clock());
        bytes32 machine = STORE.bondOf(t.registration).machine;
        _state(machine, type(uint256).max, amountSeed, NOW_FOR_A_FORTNIGHT, signerSeed);
        _rent(amountSeed, machine, secsSeed, signerSeed);
    }

    /// @dev The miner agrees to a longer rental, for which what covers it now does not last; and bonds TAO for it, or
    /// keepers state anew what is there, or neither.
    function extendBeyondItsCover(
        uint256 rentalSeed,
        uint256 secsSeed,
        uint256 how,
        uint256 wordSeed,
        uint256 amountSeed
    ) external acts {
        uint64 rental = _perhapsCovered(rentalSeed & ~uint256(1), Wanted.Running);
        uint64 word = rental == 0 ? 0 : STORE.coveredOf(rental).word;
        StreamOracle.Tenancy memory t = STORE.tenancyOf(rental);
        if (word == 0 || _gateError().length != 0 || STORE.classBond(t.gpuClass) == 0) return;
        uint32 endsAt = STORE.sumOf(rental).end;
        uint32 until = STORE.wordAt(word).until;
        if (endsAt <= _now() || until < endsAt + LAG + 3 days) return;
        _agree(t, how % 4 == 0 ? 10e9 : 0);
        if (how % 4 != 1) {
            _state(STORE.bondOf(t.registration).machine, wordSeed, amountSeed, NOW_FOR_A_FORTNIGHT, how >> 2);
        }
        uint32 secs = until - 3 days - LAG - endsAt + uint32(bound(secsSeed, 0, 7));
        if (secs != 0) _extendBy(secsSeed, rental, t, endsAt, secs);
    }

    function _agree(StreamOracle.Tenancy memory t, uint64 amount) private {
        bytes32 machine = STORE.bondOf(t.registration).machine;
        if (amount != 0) {
            hoax(t.miner, amount * WEI);
            vault.deposit{ value: amount * WEI }(machine);
            STORE.deposit(t.registration, amount);
        }
        IRentalEscrow.Offer memory terms;
        terms.price = RaoPerSecond.wrap(t.price);
        (terms.minDurationSecs, terms.maxDurationSecs) = (1, 60 days);
        (terms.gpuClass, terms.gpuCount) = (t.gpuClass, t.gpuCount);
        terms.expiresAt = Timestamp.wrap(_now() + 30 days);
        vm.prank(t.miner);
        escrow.offer(machine, terms);
    }

    /* INTERNALS */

    function _state(bytes32 machine, uint256 whatSeed, uint256 amountSeed, uint256 timeSeed, uint256 signerSeed)
        private
    {
        StatedModel.Word memory w = _claim(machine, whatSeed);
        _amounts(w, amountSeed);
        _times(w, timeSeed);
        (uint256[] memory keys, bool quorum) = STORE.signers(_signerMask(signerSeed));
        IStatedBonds.BondClaim memory claim =
            IStatedBonds.BondClaim(w.vault, w.owner, machine, w.registration, w.rental, w.over);
        IStatedBonds.SignedStatement[] memory all = _said(claim, w, keys, signerSeed);
        bytes memory expected = _expect(machine, w, quorum, all);
        bool ok = _succeeds("state", expected);
        vm.prank(STRANGER);
        uint64 number = vault.state(claim, all);
        if (ok) assertEq(STORE.say(w), number, "statements are numbered without gaps");
    }

    /// @dev One time of eight any at all; else one that is registered, and every other time one with a covered rental.
    function _anyMachine(uint256 seed) private view returns (bytes32 machine) {
        if (seed % 8 == 0) return _machine(seed >> 3);
        machine = _registered(seed >> 3);
        uint64 rental = _perhapsCovered(seed >> 3, Wanted.Open);
        if (rental == 0 || STORE.coveredOf(rental).word == 0) return machine;
        bytes32 covered = STORE.bondOf(STORE.tenancyOf(rental).registration).machine;
        if (STORE.minerOf(covered) != address(0)) machine = covered;
    }

    /// @dev What is so of the machine's newest rental, seven times of eight.
    function _claim(bytes32 machine, uint256 seed) private view returns (StatedModel.Word memory w) {
        w.vault = keccak256(abi.encode("vault", seed % 4 == 0));
        w.owner = keccak256(abi.encode("coldkey", seed >> 8 & 7 == 0));
        w.registration = STORE.registrationOf(machine);
        w.rental = STORE.bondOf(w.registration).lastRental;
        w.over = w.rental == 0 || STORE.sumOf(w.rental).end <= _now();
        if (seed >> 16 & 7 != 0) return w;
        if (seed >> 24 & 1 == 0) w.over = !w.over;
        else ++w.rental;
    }

    /// @dev Enough for a rental, or for many, or for none; at any rate.
    function _amounts(StatedModel.Word memory w, uint256 seed) private pure {
        w.value = uint64(bound(seed, seed % 16 == 0 ? 0 : 5e8, seed % 2 == 0 ? 3e9 : 12e9));
        uint256 alpha = bound(seed >> 64, 1, 1e6);
        alpha = seed >> 192 & 1 == 0 ? alpha : alpha * w.value;
        w.alpha = seed >> 200 & 31 == 0 ? 0 : _to64(alpha);
    }

    function _times(StatedModel.Word memory w, uint256 seed) private view {
        uint32 ago = seed % 4 == 0 ? uint32(bound(seed >> 8, 0, 1 days + 1 hours)) : 0;
        w.statedAt = _now() - ago;
        w.until = w.statedAt + (seed >> 64 & 1 == 0 ? uint32(bound(seed >> 72, 3 days, 10 days)) : 14 days);
    }

    /// @dev Every signer says a little more than what counts, but one for each of the numbers. One time of thirty-two
    /// the first is dated ahead.
    function _said(IStatedBonds.BondClaim memory claim, StatedModel.Word memory w, uint256[] memory keys, uint256 seed)
        private
        view
        returns (IStatedBonds.SignedStatement[] memory all)
    {
        all = new IStatedBonds.SignedStatement[](keys.length);
        for (uint256 i = 0; i < keys.length; ++i) {
            bytes32 dice = keccak256(abi.encode(seed, i));
            IStatedBonds.SignedStatement memory s = all[i];
            s.alpha = w.alpha + _more(dice, i, seed, keys.length);
            s.value = Rao.wrap(w.value + _more(dice, i, seed >> 8, keys.length));
            s.until = Timestamp.wrap(w.until + _more(dice, i, seed >> 16, keys.length));
            uint32 later = w.statedAt + _more(dice, i, seed >> 24, keys.length);
            s.statedAt = Timestamp.wrap(later < _now() ? later : _now());
            if (i == 0 && seed >> 40 & 31 == 0) s.statedAt = Timestamp.wrap(_now() + 1);
            bytes32 hash = keccak256(abi.encode(TYPEHASH, claim, s.alpha, s.value, s.statedAt, s.until));
            (s.r, s.vs) = _sign(keys[i], address(vault), hash);
        }
    }

    function _more(bytes32 dice, uint256 i, uint256 seed, uint256 signers) private pure returns (uint32) {
        return i == (seed & 255) % signers ? 0 : uint8(dice[seed % 32]);
    }

    function _expect(bytes32 machine, StatedModel.Word memory w, bool quorum, IStatedBonds.SignedStatement[] memory all)
        private
        view
        returns (bytes memory)
    {
        BondModel.Bond memory b = STORE.bondOf(w.registration);
        if (w.registration == 0 || b.retired) {
            bytes4 selector = IStatedBonds.StatedBonds_NotCurrent.selector;
            return abi.encodeWithSelector(selector, machine, w.registration, 0);
        }
        if (all.length != 0 && _now() < Timestamp.unwrap(all[0].statedAt)) {
            return _error(IStatedBonds.StatedBonds_OfTheFuture.selector, 0, _now() + 1);
        }
        if (!quorum) return _error(IStatedBonds.StatedBonds_NoQuorum.selector, all.length);
        if (w.alpha == 0 || w.value == 0) return abi.encodeWithSelector(IStatedBonds.StatedBonds_Nothing.selector);
        if (w.statedAt + 1 days < _now() || w.statedAt <= b.outdatedAt) {
            uint32 notBefore = _now() - 1 days < b.outdatedAt ? b.outdatedAt : _now() - 1 days;
            return _error(IStatedBonds.StatedBonds_Stale.selector, w.statedAt, notBefore);
        }
        uint32 newest = STORE.wordAt(STORE.newestWordOf(w.registration)).statedAt;
        if (w.statedAt <= newest) return _error(IStatedBonds.StatedBonds_NotNewer.selector, w.statedAt, newest);
        return "";
    }
}
