// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, RaoPerSecond, Timestamp } from "../../src/types/Units.sol";
import { Base } from "../Base.t.sol";

/// @dev D5 and A8: root can disable a precompile, and one that fails keeps the gas it was given. Then money waits and
/// nobody else is blocked.
contract FailingPrecompilesTest is Base {
    bytes32 private constant OTHER = keccak256("second");
    bytes32 private constant NEW = keccak256("third");
    bytes32 private constant COLDKEY = keccak256("coldkey");
    uint256 private constant HOUR_WEI = uint256(PRICE) * 1 hours * WEI;

    uint64 private _running;
    bytes32 private _offerHash;
    bytes[3] private _codes;

    /// @dev A running rental, another machine on offer, a third ready to register, and a wish.
    function setUp() public override {
        super.setUp();
        // Burns all gas; answers nothing; refuses. Each is how a precompile has failed somewhere.
        _codes = [bytes(hex"fe"), hex"00", hex"60006000fd"];
        _running = _rented();
        skip(2 hours);
        _offerHash = _ready(OTHER, 1e9);
        _signRegistration(NEW, MINER);
        _post();
    }

    /// @dev `verb` under every way in which `precompile` can fail.
    function _broken(address precompile, function() internal verb) private {
        for (uint256 i = 0; i < _codes.length; ++i) {
            uint256 before = vm.snapshotState();
            vm.etch(precompile, _codes[i]);
            verb();
            vm.revertToState(before);
        }
    }

    /* NEW BUSINESS */

    function _post() private {
        vm.prank(RENTER);
        bids.post{ value: HOUR_WEI }(
            H100, 1, 1 hours, RaoPerSecond.wrap(PRICE), RENTER_KEY, Timestamp.wrap(_now() + 1 days)
        );
    }

    function _registerNew() private {
        vm.prank(MINER);
        vault.register(NEW, HOTKEY, 0, UID_HASH, _endpoint(), [SIG_R, SIG_S]);
    }

    function _rebind() private {
        vm.prank(MINER);
        vault.rebind(MACHINE, 0, UID_HASH);
    }

    function _extend() private {
        vm.prank(RENTER);
        escrow.extend{ value: HOUR_WEI }(_running, 1 hours);
    }

    function _rentOther() private {
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(OTHER, 3);
        vm.prank(RENTER);
        escrow.rent{ value: HOUR_WEI }(OTHER, 1 hours, RENTER_KEY, _offerHash, certificates);
    }

    function _fill() private {
        bids.fill(1, OTHER, _certify(OTHER, 3));
    }

    /// @dev All of it but registering and rebinding.
    function _business() private {
        _deposit(MACHINE, 5);
        _offer(OTHER);
        _extend();
        uint256 before = vm.snapshotState();
        _rentOther();
        vm.revertToState(before);
        _fill();
        _post();
    }

    /* OUT */

    /// @dev Everybody goes, as far as their credit.
    function _leave() private {
        escrow.claim(_running);
        IArbiter.Kind kind = IArbiter.Kind.Offline;
        arbiter.file(kind, _running, 0, _attest(kind, _running, _now() - 20 minutes, _now() - 60, 3));
        assertGt(_rao(escrow.creditOf(RENTER)), 0, "refunded at once");
        skip(1 hours);
        escrow.close(_running);
        skip(23 hours);
        arbiter.execute(1);
        (,,,, Rao free) = vault.bondOf(MACHINE);
        vm.prank(MINER);
        vault.requestExit(MACHINE, free);
        skip(2 days);
        vm.startPrank(MINER);
        vault.withdraw(MACHINE);
        vault.retire(MACHINE);
        vm.stopPrank();
        assertEq(_rao(vault.creditOf(MINER)), _rao(free));
        if (bids.bidAt(1).rental == 0) bids.giveUp(1);
    }

    function _pay() private {
        IRaoLedger[3] memory ledgers = [IRaoLedger(vault), escrow, bids];
        for (uint256 i = 0; i < ledgers.length; ++i) {
            if (_rao(ledgers[i].creditOf(MINER)) != 0) ledgers[i].withdrawCredit(MINER);
            if (_rao(ledgers[i].creditOf(RENTER)) != 0) ledgers[i].withdrawCredit(RENTER);
        }
        vault.flushBurn();
    }

    function _assertPaid() private view {
        assertEq(_rao(vault.creditOf(MINER)) + _rao(escrow.creditOf(MINER)), 0);
        assertEq(_rao(escrow.creditOf(RENTER)) + _rao(bids.creditOf(RENTER)), 0);
        assertGt(TRANSFERS.balanceOf(BURN), 0);
    }

    function _leaveAndPay() private {
        _leave();
        _pay();
        _assertPaid();
    }

    function _refusesPayments(bytes32 minersAccountId) private {
        uint64 owed = _rao(vault.creditOf(MINER));
        bytes4 selector = IRaoLedger.RaoLedger_PaymentFailed.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, minersAccountId, owed));
        vault.withdrawCredit{ gas: 1_000_000 }(MINER);
        assertEq(_rao(vault.creditOf(MINER)), owed);
    }

    /* PAYMENTS: 0x800, 0x80c */

    function test_GivenPaymentsFail() external {
        TRANSFERS.setFailing(true);
        _registerNew();
        _rebind();
        _business();
        _leave();
        _refusesPayments(MAPPING.addressMapping(MINER));
        TRANSFERS.setFailing(false);
        _pay();
        _assertPaid();
    }

    function _withoutMapping() private {
        _registerNew();
        _rebind();
        _business();
        _leave();
        _refusesPayments(0);
        vm.prank(RENTER);
        escrow.setPayoutAccount(COLDKEY);
        uint64 owed = _rao(escrow.creditOf(RENTER));
        escrow.withdrawCredit(RENTER);
        assertEq(TRANSFERS.balanceOf(COLDKEY), owed);
        vault.flushBurn();
    }

    function test_GivenTheAddressMappingFails() external {
        bytes memory code = address(0x80c).code;
        _broken(address(0x80c), _withoutMapping);
        vm.etch(address(0x80c), _codes[0]);
        _leave();
        _refusesPayments(0);
        vm.etch(address(0x80c), code);
        _pay();
        _assertPaid();
    }

    /* READS: 0x802, 0x807, 0x402 */

    function _withoutMetagraph() private {
        bytes memory nobody = abi.encodeWithSelector(ICollateralVault.CollateralVault_NoHotkey.selector, 0);
        vm.expectRevert(nobody);
        _registerNew();
        vm.expectRevert(nobody);
        _rebind();
        bytes memory gone =
            abi.encodeWithSelector(ICollateralVault.CollateralVault_HotkeyNotAtUid.selector, 0, bytes32(0), HOTKEY);
        vm.expectRevert(gone);
        _extend();
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(OTHER, 3);
        vm.expectRevert(gone);
        bids.fill(1, OTHER, certificates);
        vm.expectRevert(gone);
        vm.prank(RENTER);
        escrow.rent{ value: HOUR_WEI }(OTHER, 1 hours, RENTER_KEY, _offerHash, certificates);
        _deposit(MACHINE, 5);
        _offer(OTHER);
        _post();
        _leaveAndPay();
    }

    function test_GivenTheMetagraphFails() external {
        _broken(address(0x802), _withoutMetagraph);
    }

    function _withoutStorage() private {
        bytes memory nobody =
            abi.encodeWithSelector(ICollateralVault.CollateralVault_NotAssociated.selector, 0, address(0), MINER);
        vm.expectRevert(nobody);
        _registerNew();
        vm.expectRevert(nobody);
        _rebind();
        _business();
        _leaveAndPay();
    }

    function test_GivenRawStorageFails() external {
        _broken(address(0x807), _withoutStorage);
    }

    function _withoutEd25519() private {
        bytes32 digest = vault.registrationDigest(NEW, HOTKEY, MINER);
        vm.expectRevert(
            abi.encodeWithSelector(ICollateralVault.CollateralVault_BadMachineSignature.selector, NEW, digest)
        );
        _registerNew();
        _rebind();
        _business();
        _leaveAndPay();
    }

    function test_GivenSignaturesCannotBeChecked() external {
        _broken(address(0x402), _withoutEd25519);
    }

    /* EVERYTHING */

    function test_GivenEverythingFails() external {
        bytes memory mapping_ = address(0x80c).code;
        address[4] memory reads = [address(0x402), address(0x802), address(0x807), address(0x80c)];
        for (uint256 i = 0; i < reads.length; ++i) {
            vm.etch(reads[i], hex"fe");
        }
        TRANSFERS.setFailing(true);
        _leave();
        _refusesPayments(0);
        TRANSFERS.setFailing(false);
        vm.etch(address(0x80c), mapping_);
        _pay();
        _assertPaid();
    }
}
