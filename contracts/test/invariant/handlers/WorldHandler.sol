// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IAppointedKeepers } from "../../../src/interfaces/IAppointedKeepers.sol";
import { Rao } from "../../../src/types/Units.sol";
import { SilentTransfer } from "../../standins/BalanceTransferStandIn.sol";
import { HandlerBase, System } from "./HandlerBase.sol";

/// @dev The owner, time, the chain, and whoever forces value on a contract.
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

    /* OWNER */

    /// @dev One time of eight a class goes off the market.
    function setClassBond(uint256 classSeed, uint256 bond) external acts {
        uint16 gpuClass = H100 + _to16(classSeed % 2);
        uint64 rao = bond % 8 == 0 ? 0 : uint64(bound(bond, 1, 2e9));
        vm.prank(OWNER);
        escrow.setClassBond(gpuClass, Rao.wrap(rao));
        STORE.setClassBond(gpuClass, rao);
        STORE.count("setClassBond");
    }

    function appoint(uint256 candidateSeed, uint256 weightSeed) external acts {
        address account = STORE.candidates(candidateSeed % STORE.candidateCount());
        uint64 weight = uint64(bound(weightSeed, 1, 100));
        vm.prank(OWNER);
        keepers.appoint(account, weight, keccak256("key"), "");
        STORE.setWeight(account, weight);
        STORE.count("appoint");
    }

    function dismiss(uint256 candidateSeed) external acts {
        address account = STORE.candidates(candidateSeed % STORE.candidateCount());
        bytes memory expected;
        if (STORE.weightOf(account) == 0) {
            expected = _error(IAppointedKeepers.AppointedKeepers_NotAKeeper.selector, uint256(uint160(account)));
        }
        bool ok = _succeeds("dismiss", expected);
        vm.prank(OWNER);
        keepers.dismiss(account);
        if (ok) STORE.setWeight(account, 0);
    }

    /* CHAIN */

    /// @dev A hotkey loses its uid one time of four, and comes back the other times.
    function moveHotkey(uint256 uidSeed, uint256 seed) external acts {
        uint16 uid = _to16(uidSeed % 2);
        METAGRAPH.setHotkey(NETUID, uid, seed % 4 == 0 ? keccak256("somebody else") : _hotkey(uid));
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
        address payable ledger = payable([address(vault), address(escrow), address(arbiter)][ledgerSeed % 3]);
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
