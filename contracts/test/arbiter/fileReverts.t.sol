// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { IKeeperSet } from "../../src/interfaces/IKeeperSet.sol";
import { Eip712 } from "../../src/libraries/Eip712.sol";
import { ArbiterBase } from "./ArbiterBase.t.sol";

/// @dev Who says so, what they said, and of when: everything that is refused before any second is looked at.
contract FileRevertsTest is ArbiterBase {
    function setUp() public override {
        super.setUp();
        skip(30 minutes);
    }

    function _good() private view returns (IArbiter.SignedAttestation[] memory) {
        return _attest(OFFLINE, rental, start, _now(), 3);
    }

    function _refuseOffline(IArbiter.SignedAttestation[] memory seen, bytes memory expected) private {
        _refuseFile(OFFLINE, 0, seen, expected);
    }

    function _notAscending(address previous, address next) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IKeeperSet.KeeperSet_SignersNotAscending.selector, previous, next);
    }

    /* WHO */

    function test_RevertWhen_TooFewSigned() external {
        _refuseOffline(_attest(OFFLINE, rental, start, _now(), 0), _noQuorum(0));
        _refuseOffline(_attest(OFFLINE, rental, start, _now(), 1), _noQuorum(1));
    }

    function test_RevertWhen_TheSignersAreTooLight() external {
        IArbiter.SignedAttestation[] memory seen = _good();
        (seen[0], seen[1]) = (seen[1], seen[2]);
        assembly ("memory-safe") {
            mstore(seen, 2)
        }
        _refuseOffline(seen, _noQuorum(2));
    }

    function test_RevertWhen_OneIsForged() external {
        IArbiter.SignedAttestation[] memory seen = _good();
        seen[0] = _attestation(uint256(keccak256("forger")), OFFLINE, rental, start, _now());
        _refuseOffline(seen, _noQuorum(3));
    }

    function test_RevertWhen_OneSignerAppearsTwice() external {
        IArbiter.SignedAttestation[] memory seen = _good();
        seen[1] = _attestation(keeperKeys[0], OFFLINE, rental, start, _now() - 1);
        _refuseOffline(seen, _notAscending(keeperAccounts[0], keeperAccounts[0]));
    }

    function test_RevertWhen_SignersAreNotSorted() external {
        IArbiter.SignedAttestation[] memory seen = _good();
        (seen[0], seen[1]) = (seen[1], seen[0]);
        _refuseOffline(seen, _notAscending(keeperAccounts[1], keeperAccounts[0]));
    }

    function test_RevertWhen_ASignerWasDismissed() external {
        vm.prank(OWNER);
        keepers.dismiss(keeperAccounts[2]);
        _refuseOffline(_good(), _noQuorum(3));
    }

    function test_RevertWhen_ASignatureIsMalleableOrOfNobody() external {
        IArbiter.SignedAttestation[] memory seen = _good();
        bytes32 digest = _digest(address(arbiter), _attestationHash(rental, seen[2]));
        bytes memory bad = abi.encodeWithSelector(Eip712.Eip712_BadSignature.selector, digest);
        seen[2].vs = bytes32(type(uint256).max);
        _refuseOffline(seen, bad);
        seen = _good();
        seen[2].r = 0;
        _refuseOffline(seen, bad);
    }

    function test_RevertWhen_SignedForTheEscrow() external {
        IArbiter.SignedAttestation[] memory seen = _good();
        (seen[0].r, seen[0].vs) = _sign(keeperKeys[0], address(escrow), _attestationHash(rental, seen[0]));
        _refuseOffline(seen, _noQuorum(3));
    }

    function test_RevertWhen_SignedForAnotherRental() external {
        IArbiter.SignedAttestation[] memory seen = _good();
        seen[0] = _attestation(keeperKeys[0], OFFLINE, rental + 1, start, _now());
        _refuseOffline(seen, _noQuorum(3));
    }

    /// @dev One signature, one statement: no field can be changed under it.
    function test_RevertWhen_AnyFieldIsNotTheOneSigned() external {
        for (uint256 i = 0; i < 5; ++i) {
            IArbiter.SignedAttestation[] memory seen = _good();
            if (i == 0) seen[0].cause = IArbiter.Cause.GpusMissing;
            if (i == 1) seen[0].from = _at(start + 1);
            if (i == 2) seen[0].until = _at(_now() - 1);
            if (i == 3) seen[0].evidence = keccak256("other evidence");
            if (i == 4) seen[0] = _attestation(keeperKeys[0], INTERRUPTED, rental, start, _now());
            if (i == 4) seen[0].kind = OFFLINE;
            _refuseOffline(seen, _noQuorum(3));
        }
    }

    function test_RevertWhen_TheChainIdChanged() external {
        IArbiter.SignedAttestation[] memory seen = new IArbiter.SignedAttestation[](1);
        seen[0] = _good()[0];
        vm.chainId(block.chainid + 1);
        _refuseOffline(seen, _noQuorum(1));
        seen = _good(); // signed for the new id
        _file(OFFLINE, 0, seen);
    }

    /* WHAT */

    function test_RevertWhen_TheKindIsAnother() external {
        bytes4 selector = IArbiter.Arbiter_WrongKind.selector;
        IArbiter.SignedAttestation[] memory seen = _good();
        seen[1] = _attestation(keeperKeys[1], INTERRUPTED, rental, start, _now());
        _refuseFile(OFFLINE, 0, seen, abi.encodeWithSelector(selector, 1, INTERRUPTED, OFFLINE));
        _refuseFile(NOT_DELIVERED, 0, seen, abi.encodeWithSelector(selector, 0, OFFLINE, NOT_DELIVERED));
        seen = _attest(NOT_DELIVERED, rental, start, _now(), 3);
        _refuseFile(INTERRUPTED, 0, seen, abi.encodeWithSelector(selector, 0, NOT_DELIVERED, INTERRUPTED));
        _refuseFile(OFFLINE, 0, seen, abi.encodeWithSelector(selector, 0, NOT_DELIVERED, OFFLINE));
    }

    function test_RevertWhen_TheKindIsNotForThisCall() external {
        bytes4 selector = IArbiter.Arbiter_BadKind.selector;
        IArbiter.Kind[2] memory kinds = [IArbiter.Kind.None, IArbiter.Kind.Spoofed];
        for (uint256 i = 0; i < 2; ++i) {
            _refuseSeen(kinds[i], 0, start, _now(), abi.encodeWithSelector(selector, kinds[i]));
        }
    }

    function test_RevertWhen_ThereIsNoSuchRental() external {
        IArbiter.SignedAttestation[] memory seen = _attest(OFFLINE, 2, start, _now(), 3);
        vm.expectRevert(abi.encodeWithSelector(IArbiter.Arbiter_NoRental.selector, 2));
        arbiter.file(OFFLINE, 2, 0, seen);
    }

    /* OF WHEN */

    function test_RevertWhen_AnIntervalIsEmptyOrTurnedRound() external {
        bytes4 selector = IArbiter.Arbiter_BadInterval.selector;
        _refuseSeen(OFFLINE, 0, _now(), _now(), abi.encodeWithSelector(selector, 0, _now(), _now()));
        _refuseSeen(INTERRUPTED, 0, start + 9, start, abi.encodeWithSelector(selector, 0, start + 9, start));
    }

    function test_RevertWhen_ItReachesIntoTheFuture() external {
        bytes memory bad = abi.encodeWithSelector(IArbiter.Arbiter_BadInterval.selector, 0, start, _now() + 1);
        _refuseSeen(OFFLINE, 0, start, _now() + 1, bad);
        _refuseSeen(INTERRUPTED, 0, start, _now() + 1, bad);
        _refuseSeen(NOT_DELIVERED, 0, start, _now() + 1, bad);
    }

    function test_RevertWhen_TheLastFailingLookIsStale() external {
        uint32 notBefore = _now() - FRESHNESS;
        bytes4 selector = IArbiter.Arbiter_Stale.selector;
        bytes memory stale = abi.encodeWithSelector(selector, 0, notBefore - 1, notBefore);
        _refuseSeen(OFFLINE, 0, start, notBefore - 1, stale);
        _refuseSeen(NOT_DELIVERED, 0, start, notBefore - 1, stale);
        IArbiter.SignedAttestation[] memory seen = _good();
        seen[2] = _attestation(keeperKeys[2], OFFLINE, rental, start, notBefore - 1);
        _refuseOffline(seen, abi.encodeWithSelector(selector, 2, notBefore - 1, notBefore));
        seen[2] = _attestation(keeperKeys[2], OFFLINE, rental, start, notBefore);
        _file(OFFLINE, 0, seen);
    }

    function test_AnOldInterruptionIsNotStale() external {
        _fileSeen(INTERRUPTED, 0, start, start + MIN_INTERRUPTED);
        _assertFault(0, start, start + MIN_INTERRUPTED);
    }

    function test_RevertWhen_NotDeliveredIsNotFromTheStart() external {
        bytes4 selector = IArbiter.Arbiter_NotFromStart.selector;
        _refuseSeen(NOT_DELIVERED, 0, start + 1, _now(), abi.encodeWithSelector(selector, 0, start + 1, start));
        _refuseSeen(NOT_DELIVERED, 0, start - 1, _now(), abi.encodeWithSelector(selector, 0, start - 1, start));
    }
}
