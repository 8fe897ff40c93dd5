// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IKeeperSet } from "../../src/interfaces/IKeeperSet.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Eip712 } from "../../src/libraries/Eip712.sol";
import { EscrowBase } from "./EscrowBase.t.sol";

/// @dev No machine is rented that a stake-weighted majority has not measured, since it was last let.
contract RentCertificatesTest is EscrowBase {
    function setUp() public override {
        super.setUp();
        _ready(MACHINE, 10e9);
    }

    function _noQuorum(uint256 signers) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NoQuorum.selector, signers);
    }

    function _notAscending(address previous, address next) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IKeeperSet.KeeperSet_SignersNotAscending.selector, previous, next);
    }

    function _measured(uint32 time) private view returns (IRentalEscrow.SignedCertificate[] memory c) {
        c = new IRentalEscrow.SignedCertificate[](3);
        for (uint256 i = 0; i < 3; ++i) {
            c[i] = _certificate(keeperKeys[i], MACHINE, 1, H100, 1, time);
        }
    }

    /// @dev Certificate `index` is replaced by one with the same signer and other contents.
    function _with(uint256 index, bytes32 machine, uint32 registration, uint16 gpuClass, uint16 gpuCount)
        private
        view
        returns (RentCall memory c)
    {
        c = _goodRent(MACHINE);
        c.certificates[index] = _certificate(keeperKeys[index], machine, registration, gpuClass, gpuCount, _now());
    }

    /* QUORUM */

    function test_WhenTwoThirdsOfTheWeightSign() external {
        RentCall memory c = _goodRent(MACHINE);
        c.certificates = _certify(MACHINE, 2); // weights 40 + 35 of 100
        assertEq(_send(c), 1);
    }

    function test_RevertWhen_FewerThanTwoSign() external {
        RentCall memory c = _goodRent(MACHINE);
        c.certificates = _certify(MACHINE, 0);
        _refuse(c, _noQuorum(0));
        c.certificates = _certify(MACHINE, 1);
        _refuse(c, _noQuorum(1));
    }

    function test_RevertWhen_TheSignersAreTooLight() external {
        RentCall memory c = _goodRent(MACHINE);
        IRentalEscrow.SignedCertificate[] memory two = new IRentalEscrow.SignedCertificate[](2);
        (two[0], two[1]) = (c.certificates[1], c.certificates[2]); // weights 35 + 25 of 100
        c.certificates = two;
        _refuse(c, _noQuorum(2));
    }

    function test_RevertWhen_OneIsForged() external {
        for (uint256 i = 0; i < 3; ++i) {
            RentCall memory c = _goodRent(MACHINE);
            uint256 key = _keyBetween(i);
            c.certificates[i] = _certificate(key, MACHINE, 1, H100, 1, _now());
            _refuse(c, _noQuorum(3));
        }
    }

    /// @dev A stranger's key whose account sorts where keeper `index` stood, so that only its standing is at issue.
    function _keyBetween(uint256 index) private view returns (uint256 key) {
        address low = index == 0 ? address(0) : keeperAccounts[index - 1];
        address high = index == 2 ? address(type(uint160).max) : keeperAccounts[index + 1];
        for (key = 1; vm.addr(key) <= low || vm.addr(key) >= high; ++key) { }
    }

    function test_RevertWhen_OneSignerAppearsTwice() external {
        RentCall memory c = _goodRent(MACHINE);
        c.certificates[1] = c.certificates[0];
        _refuse(c, _notAscending(keeperAccounts[0], keeperAccounts[0]));
    }

    function test_RevertWhen_SignersAreNotSorted() external {
        RentCall memory c = _goodRent(MACHINE);
        (c.certificates[1], c.certificates[2]) = (c.certificates[2], c.certificates[1]);
        _refuse(c, _notAscending(keeperAccounts[2], keeperAccounts[1]));
    }

    function test_RevertGiven_ASignerWasDismissed() external {
        vm.prank(OWNER);
        keepers.dismiss(keeperAccounts[1]);
        _refuse(_goodRent(MACHINE), _noQuorum(3));
    }

    /* SIGNATURES */

    function test_RevertWhen_ASignatureIsMalleable() external {
        RentCall memory c = _goodRent(MACHINE);
        c.certificates[1].vs = bytes32(type(uint256).max); // s over half the order, v = 28
        bytes32 digest = _digest(address(escrow), _certificateHash(MACHINE, 1, c.certificates[1]));
        _refuse(c, abi.encodeWithSelector(Eip712.Eip712_BadSignature.selector, digest));
    }

    function test_RevertWhen_ASignatureIsOfNobody() external {
        RentCall memory c = _goodRent(MACHINE);
        c.certificates[0].r = 0;
        bytes32 digest = _digest(address(escrow), _certificateHash(MACHINE, 1, c.certificates[0]));
        _refuse(c, abi.encodeWithSelector(Eip712.Eip712_BadSignature.selector, digest));
    }

    function test_RevertWhen_SignedForAnotherContract() external {
        RentCall memory c = _goodRent(MACHINE);
        bytes32 hash = _certificateHash(MACHINE, 1, c.certificates[0]);
        (c.certificates[0].r, c.certificates[0].vs) = _sign(keeperKeys[0], address(arbiter), hash);
        _refuse(c, _noQuorum(3));
    }

    function test_RevertWhen_SignedForAnotherChain() external {
        RentCall memory c = _goodRent(MACHINE);
        uint64 chainId = uint64(block.chainid);
        vm.chainId(chainId + 1);
        vm.expectPartialRevert(IRentalEscrow.RentalEscrow_NoQuorum.selector);
        IRentalEscrow.SignedCertificate[] memory one = new IRentalEscrow.SignedCertificate[](1);
        one[0] = c.certificates[0];
        c.certificates = one;
        _send(c);
    }

    function test_RevertWhen_TheEvidenceIsNotTheOneSignedFor() external {
        RentCall memory c = _goodRent(MACHINE);
        c.certificates[0].evidence = keccak256("other evidence");
        _refuse(c, _noQuorum(3));
    }

    /* WHAT WAS MEASURED */

    function test_RevertWhen_AnotherMachineWasMeasured() external {
        _refuse(_with(0, OTHER_MACHINE, 1, H100, 1), _noQuorum(3));
    }

    function test_RevertWhen_AnotherRegistrationWasMeasured() external {
        _refuse(_with(0, MACHINE, 2, H100, 1), _noQuorum(3));
    }

    function test_RevertWhen_AnotherClassWasMeasured() external {
        bytes4 selector = IRentalEscrow.RentalEscrow_CertificateTooSmall.selector;
        _refuse(_with(2, MACHINE, 1, H100 + 1, 1), abi.encodeWithSelector(selector, 2, H100 + 1, 1));
    }

    function test_RevertWhen_TooFewGpusWereMeasured() external {
        bytes4 selector = IRentalEscrow.RentalEscrow_CertificateTooSmall.selector;
        _refuse(_with(1, MACHINE, 1, H100, 0), abi.encodeWithSelector(selector, 1, H100, 0));
    }

    function test_WhenSeveralGpusAreOffered() external {
        IRentalEscrow.Offer memory terms = _terms();
        terms.gpuCount = 4;
        vm.prank(MINER);
        escrow.offer(MACHINE, terms);
        RentCall memory c = _with(1, MACHINE, 1, H100, 3);
        c.certificates[0] = _certificate(keeperKeys[0], MACHINE, 1, H100, 4, _now());
        c.certificates[2] = _certificate(keeperKeys[2], MACHINE, 1, H100, 8, _now());
        bytes4 selector = IRentalEscrow.RentalEscrow_CertificateTooSmall.selector;
        _refuse(c, abi.encodeWithSelector(selector, 1, H100, 3));
        c.certificates[1] = _certificate(keeperKeys[1], MACHINE, 1, H100, 4, _now());
        uint64 rental = _send(c);
        assertEq(_reserved(rental), 4 * H100_BOND);
        assertEq(_rentalAt(rental).gpuCount, 4);
    }

    function test_WhenMoreGpusWereMeasuredThanAreOffered() external {
        assertEq(_send(_with(1, MACHINE, 1, H100, 8)), 1);
    }

    function test_RevertWhen_TheCertificateClaimsMoreThanWasSigned() external {
        RentCall memory c = _with(0, MACHINE, 1, H100, 0);
        c.certificates[0].gpuCount = 1;
        _refuse(c, _noQuorum(3));
    }

    /* WHEN */

    function test_GivenCertificatesAreADayOld() external {
        RentCall memory c = _goodRent(MACHINE);
        uint32 measuredAt = _now();
        skip(24 hours + 1);
        bytes4 selector = IRentalEscrow.RentalEscrow_CertificateStale.selector;
        _refuse(c, abi.encodeWithSelector(selector, 0, measuredAt, measuredAt + 1));
        rewind(1);
        assertEq(_send(c), 1);
    }

    function test_RevertGiven_OneOfSeveralIsStale() external {
        skip(2 days);
        RentCall memory c = _goodRent(MACHINE);
        uint32 old = _now() - 24 hours - 1;
        c.certificates[2] = _measured(old)[2];
        bytes4 selector = IRentalEscrow.RentalEscrow_CertificateStale.selector;
        _refuse(c, abi.encodeWithSelector(selector, 2, old, old + 1));
    }

    function test_RevertWhen_MeasuredInTheFuture() external {
        RentCall memory c = _goodRent(MACHINE);
        c.certificates = _measured(_now() + 1);
        bytes4 selector = IRentalEscrow.RentalEscrow_CertificateOfTheFuture.selector;
        _refuse(c, abi.encodeWithSelector(selector, 0, _now() + 1));
    }

    function test_RevertGiven_MeasuredBeforeThePreviousTenantLeft() external {
        RentCall memory before = _goodRent(MACHINE);
        uint32 measuredAt = _now();
        uint64 rental = _rent(MACHINE, DAY);
        skip(2 hours);
        _end(rental);
        uint32 vacatedAt = _now();
        skip(60);
        bytes4 selector = IRentalEscrow.RentalEscrow_CertificateStale.selector;
        _refuse(before, abi.encodeWithSelector(selector, 0, measuredAt, vacatedAt));
        before.certificates = _measured(vacatedAt - 1);
        _refuse(before, abi.encodeWithSelector(selector, 0, vacatedAt - 1, vacatedAt));
        before.certificates = _measured(vacatedAt); // [start, end): that second is nobody's any more
        assertEq(_send(before), 2);
    }
}
