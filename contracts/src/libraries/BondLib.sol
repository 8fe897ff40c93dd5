// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Backing, openBacking } from "../types/Backing.sol";
import { Rao, Timestamp, ZERO_RAO, minRao, plusSecs, timeNow } from "../types/Units.sol";

/// @title A node's bond, and every move it can make
/// @dev The four parts only ever change against each other; `deposit`, `takeExit`, `forfeit` and `forfeitReserved` are
/// the ways in and out. Callers check who may; this library checks how much.
library BondLib {
    using BondLib for BondLib.Node;

    /// @dev Five slots. What is reserved is the sum of the two backings.
    struct Node {
        // slot 0: who
        address miner;
        uint16 uid;
        Timestamp exitReadyAt;
        bool retired;
        Timestamp outdatedAt; // statements of bonds elsewhere from before say nothing any more
        // slot 1: money
        Rao free;
        Rao held;
        Rao exiting;
        // slot 2: money behind rentals that are not closed, at most two of them
        Backing first;
        Backing second;
        // slot 3, 4: which
        bytes32 hotkey;
        bytes32 machine;
    }

    /* READING */

    function reserved(Node storage node) internal view returns (Rao) {
        return node.first.reservedOf() + node.second.reservedOf();
    }

    function bonded(Node storage node) internal view returns (Rao) {
        return node.free + node.held + node.exiting + node.reserved();
    }

    function hasOpenRental(Node storage node) internal view returns (bool) {
        return node.first.isOpen() || node.second.isOpen();
    }

    /// @dev What backs `rental`; a closed backing of nothing when the rental is not open here.
    function backingOf(Node storage node, uint64 rental) internal view returns (Backing b) {
        if (node.first.isBehind(rental)) return node.first;
        if (node.second.isBehind(rental)) return node.second;
    }

    /// @dev The newest rental the node ever backed, 0 before the first: a closed backing keeps its number until another
    /// rental takes its place, and numbers ascend.
    function newestRental(Node storage node) internal view returns (uint64) {
        (uint64 a, uint64 b) = (node.first.rentalOf(), node.second.rentalOf());
        return a < b ? b : a;
    }

    /// @dev The rental that is open beside `rental`; 0: none.
    function otherOpen(Node storage node, uint64 rental) internal view returns (uint64) {
        if (node.first.isOpen() && !node.first.isBehind(rental)) return node.first.rentalOf();
        if (node.second.isOpen() && !node.second.isBehind(rental)) return node.second.rentalOf();
        return 0;
    }

    /* FREE AND EXITING */

    function deposit(Node storage node, Rao amount) internal returns (Rao free) {
        free = node.free + amount;
        node.free = free;
    }

    /// @dev An exit not withdrawn inside its window lapses by itself; whoever touches the node next writes it down.
    function lapsed(Node storage node, uint32 exitWindowSecs) internal view returns (bool) {
        return ZERO_RAO < node.exiting && plusSecs(node.exitReadyAt, exitWindowSecs) < timeNow();
    }

    function settleExit(Node storage node, uint32 exitWindowSecs) internal {
        // slither-disable-next-line unused-return how much is free again is in the node
        if (node.lapsed(exitWindowSecs)) node.cancelExit();
    }

    function startExit(Node storage node, Rao amount, Timestamp readyAt) internal {
        node.free = node.free + node.exiting - amount;
        node.exiting = amount;
        node.exitReadyAt = readyAt;
    }

    function cancelExit(Node storage node) internal returns (Rao amount) {
        amount = node.exiting;
        node.free = node.free + amount;
        node.exiting = ZERO_RAO;
    }

    /// @dev Out of the node; the caller owes it to the miner.
    function takeExit(Node storage node) internal returns (Rao amount) {
        amount = node.exiting;
        node.exiting = ZERO_RAO;
    }

    /* BEHIND A RENTAL */

    /// @dev Opens a backing for a rental that has none. False when two rentals are open already.
    function open(Node storage node, uint64 rental) internal returns (bool) {
        if (!node.first.isOpen()) node.first = openBacking(rental);
        else if (!node.second.isOpen()) node.second = openBacking(rental);
        else return false;
        return true;
    }

    /// @dev Raises what is reserved for an open rental to `total`, out of free bond. Reverts (underflow) without
    /// enough of it; callers check first to explain.
    function reserve(Node storage node, uint64 rental, Rao total) internal returns (Rao added) {
        Rao have = node.backingOf(rental).reservedOf();
        if (total <= have) return ZERO_RAO;
        added = total - have;
        node.free = node.free - added;
        node.setReserved(rental, total);
    }

    /// @dev The rental is closed: what is still reserved for it is free.
    function release(Node storage node, uint64 rental) internal returns (Rao amount) {
        Backing b = node.backingOf(rental);
        amount = b.reservedOf();
        node.free = node.free + amount;
        if (node.first.isBehind(rental)) node.first = b.released();
        else node.second = b.released();
    }

    function setReserved(Node storage node, uint64 rental, Rao amount) internal {
        if (node.first.isBehind(rental)) node.first = node.first.withReserved(amount);
        else node.second = node.second.withReserved(amount);
    }

    /* IN A CASE */

    /// @dev Clamped: whoever moved first, what is there is set aside.
    function asideReserved(Node storage node, uint64 rental, Rao amount) internal returns (Rao taken) {
        Rao have = node.backingOf(rental).reservedOf();
        taken = minRao(amount, have);
        if (taken == ZERO_RAO) return taken;
        node.setReserved(rental, have - taken);
        node.held = node.held + taken;
    }

    function asideExiting(Node storage node, Rao amount) internal returns (Rao taken) {
        taken = minRao(amount, node.exiting);
        node.exiting = node.exiting - taken;
        node.held = node.held + taken;
    }

    function asideFree(Node storage node, Rao amount) internal returns (Rao taken) {
        taken = minRao(amount, node.free);
        node.free = node.free - taken;
        node.held = node.held + taken;
    }

    /// @dev Exiting bond first (a lapsed exit too: which part of the unbound bond pays does not matter to anybody),
    /// then free, then what is behind rentals.
    function asideAny(Node storage node, Rao amount) internal returns (Rao taken) {
        taken = node.asideExiting(amount);
        taken = taken + node.asideFree(amount - taken);
        taken = taken + node.asideReserved(node.first.rentalOf(), amount - taken);
        taken = taken + node.asideReserved(node.second.rentalOf(), amount - taken);
    }

    /// @dev Out of the node; the caller burns it.
    function forfeit(Node storage node, Rao amount) internal {
        node.held = node.held - amount;
    }

    /// @dev Out of the node without a case (the miner gave the rental up), clamped; the caller burns it.
    function forfeitReserved(Node storage node, uint64 rental, Rao amount) internal returns (Rao taken) {
        Rao have = node.backingOf(rental).reservedOf();
        taken = minRao(amount, have);
        if (ZERO_RAO < taken) node.setReserved(rental, have - taken);
    }

    /// @dev Free, not behind the rental again: every case that sets bond aside has ended its rental, and nothing can
    /// be taken from the reserve of a rental that is over.
    function giveBack(Node storage node, Rao amount) internal {
        node.held = node.held - amount;
        node.free = node.free + amount;
    }
}
