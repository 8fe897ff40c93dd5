// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { SilentTransfer } from "../../standins/BalanceTransferStandIn.sol";
import { BondModel } from "../model/BondModel.sol";
import { HandlerBase, System } from "./HandlerBase.sol";

/// @dev Time, the chain, and whoever forces value on a contract.
contract WorldHandler is HandlerBase {
    constructor(System memory s) HandlerBase(s) { }

    /* TIME */

    function waitSome(uint256 secs) external {
        STORE.pass(uint32(bound(secs, 1, 1 hours)));
    }

    function waitHours(uint256 secs) external {
        STORE.pass(uint32(bound(secs, 1 hours, 12 hours)));
    }

    function waitDays(uint256 secs) external {
        STORE.pass(uint32(bound(secs, 12 hours, 3 days)));
    }

    /// @dev To the edge of some window, a second before it, or a second after: an exit's, a pause's, a rental's, a
    /// case's.
    function waitForEdge(uint256 what, uint256 seed, uint256 side) external {
        uint32 edge = _edge(what % 6, seed) + _to32(side % 3);
        if (edge <= STORE.clock() + 1) return;
        STORE.pass(edge - 1 - STORE.clock());
        STORE.count("wait for an edge");
    }

    function _edge(uint256 what, uint256 seed) private view returns (uint32) {
        if (what < 2) {
            uint32 readyAt = STORE.bondOf(_to32(seed % STORE.registrations()) + 1).exitReadyAt;
            return readyAt == 0 ? 0 : what == 0 ? readyAt : readyAt + 3 days;
        }
        if (what == 2) return STORE.pausedUntil();
        if (what < 5) {
            if (STORE.rentals() == 0) return 0;
            uint32 end = STORE.sumOf(STORE.rentals() - _to64(seed % STORE.rentals()) % 3).end;
            return what == 3 ? end : end + LAG;
        }
        if (STORE.cases() == 0) return 0;
        BondModel.CaseModel memory c = STORE.caseOf(STORE.cases() - _to64(seed % STORE.cases()) % 3);
        return _executableAt(c);
    }

    /* CHAIN */

    /// @dev A hotkey loses its uid one time of eight, and comes back the other times.
    function moveHotkey(uint256 uidSeed, uint256 seed) external acts {
        uint16 uid = _to16(uidSeed % 2);
        METAGRAPH.setHotkey(NETUID, uid, seed % 8 == 0 ? keccak256("somebody else") : _hotkey(uid));
        STORE.count("moveHotkey");
    }

    function refusePayouts(uint256 seed) external acts {
        bool refused = seed % 4 == 0;
        TRANSFERS.setFailing(refused);
        STORE.refusePayouts(refused);
        STORE.count("refusePayouts");
    }

    /// @dev Value nobody asked for: out of a contract that destroys itself, or as if it had been there.
    function force(uint256 ledgerSeed, uint256 amountSeed, uint256 how) external acts {
        address payable ledger = payable(address(_ledger(ledgerSeed)));
        uint256 amount = bound(amountSeed, 1, how % 8 == 0 ? 10 ether : 2_000 * WEI);
        if (how % 2 == 0) {
            vm.deal(address(this), amount);
            new SilentTransfer{ value: amount }(ledger);
        } else {
            vm.deal(ledger, ledger.balance + amount);
        }
        STORE.stray(ledger, amount);
        STORE.count("force value");
    }
}
