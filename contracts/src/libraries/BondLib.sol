// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../interfaces/ICollateralVault.sol";
import { Rao, Timestamp, ZERO_RAO, minRao, plusSecs, timeNow } from "../types/Units.sol";

/// @title A node's bond, and every move it can make
/// @dev The four parts only ever change against each other; `deposit`, `takeExit` and `forfeit` are the ways in and
/// out. Callers check who may; this library checks how much.
library BondLib {
    using BondLib for BondLib.Node;

    /// @dev Four slots. All money of a node is in one of them: a rental turns free into reserved bond and back without
    /// ever writing a slot that was empty.
    struct Node {
        // slot 0: who
        address miner;
        uint16 uid;
        uint16 openRentals;
        Timestamp exitReadyAt;
        // slot 1: money
        Rao free;
        Rao reserved;
        Rao held;
        Rao exiting;
        // slot 2, 3: which
        bytes32 hotkey;
        bytes32 machine;
    }

    /* FREE AND EXITING */

    function bonded(Node storage node) internal view returns (Rao) {
        return node.free + node.reserved + node.held + node.exiting;
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

    /// @dev Raises reserved + held + forfeited of the rental to `total`. Reverts (underflow) without enough free
    /// bond; callers check first to explain.
    function reserve(Node storage node, ICollateralVault.Reserve storage r, Rao total) internal returns (Rao added) {
        Rao have = r.reserved + r.held + r.forfeited;
        if (total <= have) return ZERO_RAO;
        added = total - have;
        node.free = node.free - added;
        node.reserved = node.reserved + added;
        r.reserved = r.reserved + added;
    }

    function release(Node storage node, ICollateralVault.Reserve storage r) internal returns (Rao amount) {
        amount = r.reserved;
        r.reserved = ZERO_RAO;
        r.released = true;
        node.reserved = node.reserved - amount;
        node.free = node.free + amount;
    }

    /* IN A CASE */

    /// @dev Clamped: whoever moved first, what is there is set aside.
    function asideReserved(Node storage node, ICollateralVault.Reserve storage r, Rao amount)
        internal
        returns (Rao taken)
    {
        taken = minRao(amount, r.reserved);
        r.reserved = r.reserved - taken;
        r.held = r.held + taken;
        node.reserved = node.reserved - taken;
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

    /// @dev Out of the node; the caller burns it. What came out of a rental's reserve is on record as forfeited.
    function forfeit(Node storage node, ICollateralVault.Reserve storage r, Rao amount) internal {
        node.held = node.held - amount;
        Rao fromReserve = minRao(amount, r.held);
        r.held = r.held - fromReserve;
        r.forfeited = r.forfeited + fromReserve;
    }

    /// @dev The part that came out of a rental's reserve goes back behind it while it is open; the rest is free.
    function giveBack(Node storage node, ICollateralVault.Reserve storage r, Rao amount) internal {
        node.held = node.held - amount;
        Rao toReserve = minRao(amount, r.held);
        r.held = r.held - toReserve;
        if (r.released) toReserve = ZERO_RAO;
        r.reserved = r.reserved + toReserve;
        node.reserved = node.reserved + toReserve;
        node.free = node.free + (amount - toReserve);
    }
}
