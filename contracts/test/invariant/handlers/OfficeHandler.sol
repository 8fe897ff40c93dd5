// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IAppointedKeepers } from "../../../src/interfaces/IAppointedKeepers.sol";
import { IArbiter } from "../../../src/interfaces/IArbiter.sol";
import { IGate } from "../../../src/interfaces/IGate.sol";
import { Rao } from "../../../src/types/Units.sol";
import { BondModel } from "../model/BondModel.sol";
import { StreamOracle } from "../model/StreamOracle.sol";
import { HandlerBase, System } from "./HandlerBase.sol";

/// @dev Who holds an office: the judge, the guardian, the owner.
contract OfficeHandler is HandlerBase {
    bytes32 private constant UPHELD = "rule, upheld";
    bytes32 private constant OVERTURNED = "rule, overturned";

    constructor(System memory s) HandlerBase(s) { }

    /* JUDGE */

    /// @dev Mostly the oldest case that was appealed.
    function rule(uint256 caseSeed, uint256 upholdSeed) external acts {
        uint64 count = STORE.cases();
        if (count == 0) return;
        uint64 caseId = _to64((caseSeed >> 3) % count) + 1;
        for (uint64 id = 1; id <= count && caseSeed % 8 != 0; ++id) {
            if (!_isAppealed(STORE.caseOf(id))) continue;
            caseId = id;
            break;
        }
        BondModel.CaseModel memory c = STORE.caseOf(caseId);
        bool uphold = upholdSeed % 2 == 0;
        bytes memory expected;
        if (!_isAppealed(c) || c.ruleBy < _now()) {
            expected = _error(IArbiter.Arbiter_NotRulable.selector, caseId, uint256(uint8(c.status)), c.ruleBy);
        }
        bool ok = _succeeds(uphold ? UPHELD : OVERTURNED, expected);
        vm.prank(JUDGE);
        arbiter.rule(caseId, uphold);
        if (!ok) return;
        if (c.secs != 0 && c.status == IArbiter.Status.Appealed) {
            StreamOracle.Did did = uphold ? StreamOracle.Did.Decided : StreamOracle.Did.Returned;
            STORE.add(c.rental, did, c.secs, 0);
        }
        STORE.decide(caseId, uphold, uphold ? _burnOf(c) : 0, uphold);
    }

    /* GUARDIAN */

    function pause(uint256 secsSeed) external acts {
        uint32 secs = uint32(bound(secsSeed, 0, 8 days));
        uint32 last = STORE.pausedUntil();
        bytes memory expected;
        if (secs == 0 || secs > 7 days) {
            expected = _error(IGate.Gate_BadPause.selector, secs, 7 days);
        } else if (last != 0 && _now() < last + 30 days) {
            expected = _error(IGate.Gate_TooSoon.selector, last + 30 days);
        }
        bool ok = _succeeds("pause", expected);
        vm.prank(GUARDIAN);
        vault.pause(secs);
        if (ok) STORE.pause(_now() + secs);
    }

    function unpause() external acts {
        bytes memory expected;
        if (STORE.pausedUntil() <= _now()) expected = abi.encodeWithSelector(IGate.Gate_NotPaused.selector);
        bool ok = _succeeds("unpause", expected);
        vm.prank(GUARDIAN);
        vault.unpause();
        if (ok) STORE.pause(_now());
    }

    /* OWNER */

    /// @dev Rarely: nothing new happens afterwards.
    function sunset(uint256 seed) external acts {
        if (seed % 16 != 0) return;
        bytes memory expected;
        if (STORE.sunset()) expected = abi.encodeWithSelector(IGate.Gate_Sunset.selector);
        bool ok = _succeeds("sunset", expected);
        vm.prank(OWNER);
        vault.sunset();
        if (ok) STORE.endForGood();
    }

    /// @dev One time of sixteen a class goes off the market.
    function setClassBond(uint256 classSeed, uint256 bond) external acts {
        uint16 gpuClass = H100 + _to16(classSeed % 2);
        uint64 rao = bond % 16 == 0 ? 0 : uint64(bound(bond, 1, 1e9));
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
}
