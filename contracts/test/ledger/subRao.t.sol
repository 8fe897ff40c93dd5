// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../src/interfaces/IArbiter.sol";
import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { RaoPerSecond, Timestamp } from "../../src/types/Units.sol";
import { Base } from "../Base.t.sol";

/// @dev D3: the chain moves floor(value / 1e9) rao and keeps quiet about the rest. So every payable entry refuses a
/// value that is not whole rao, or books would owe what never came.
contract SubRaoTest is Base {
    bytes32 private constant OTHER = keccak256("second");

    uint64 private _running;
    bytes32 private _offerHash;

    /// @dev A running rental with an open case of it, and another machine on offer.
    function setUp() public override {
        super.setUp();
        _running = _rented();
        skip(1 hours);
        IArbiter.Kind kind = IArbiter.Kind.Interrupted;
        arbiter.file(kind, _running, 0, _attest(kind, _running, _now() - 10 minutes, _now(), 3));
        _offerHash = _ready(OTHER, 1e9);
    }

    function _expectNotWholeRao(uint256 valueWei) private {
        vm.expectRevert(abi.encodeWithSelector(IRaoLedger.RaoLedger_NotWholeRao.selector, valueWei));
    }

    function _values(uint256 exactWei) private pure returns (uint256[5] memory) {
        return [uint256(0), 1, WEI - 1, exactWei - 1, exactWei + 1];
    }

    /// @dev `send` is tried with nothing, with dust, and with a wei less and more than the exact sum.
    function _refuses(IRaoLedger ledger, uint256 exactWei, function(uint256) internal send) private {
        uint64 owed = _rao(ledger.liabilities());
        uint256[5] memory values = _values(exactWei);
        for (uint256 i = 0; i < values.length; ++i) {
            send(values[i]);
        }
        assertEq(_rao(ledger.liabilities()), owed);
    }

    /* EVERY PAYABLE ENTRY */

    function _sendDeposit(uint256 valueWei) private {
        _expectNotWholeRao(valueWei);
        vm.prank(MINER);
        vault.deposit{ value: valueWei }(MACHINE);
    }

    function _sendRent(uint256 valueWei) private {
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(OTHER, 3);
        _expectNotWholeRao(valueWei);
        vm.prank(RENTER);
        escrow.rent{ value: valueWei }(OTHER, DAY, RENTER_KEY, _offerHash, certificates);
    }

    function _sendRentFor(uint256 valueWei) private {
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(OTHER, 3);
        _expectNotWholeRao(valueWei);
        vm.prank(STRANGER);
        escrow.rentFor{ value: valueWei }(RENTER, OTHER, DAY, RENTER_KEY, _offerHash, certificates);
    }

    function _sendExtend(uint256 valueWei) private {
        _expectNotWholeRao(valueWei);
        vm.prank(RENTER);
        escrow.extend{ value: valueWei }(_running, 1 hours);
    }

    function _sendPost(uint256 valueWei) private {
        Timestamp expiresAt = Timestamp.wrap(_now() + 1);
        _expectNotWholeRao(valueWei);
        vm.prank(RENTER);
        bids.post{ value: valueWei }(H100, 1, 1 hours, RaoPerSecond.wrap(PRICE), RENTER_KEY, expiresAt);
    }

    function _sendAppeal(uint256 valueWei) private {
        _expectNotWholeRao(valueWei);
        vm.prank(MINER);
        arbiter.appeal{ value: valueWei }(1, keccak256("I was there"));
    }

    function test_RevertWhen_ADepositIsNotWholeRao() external {
        _refuses(vault, 700 * WEI, _sendDeposit);
    }

    function test_RevertWhen_RentIsNotWholeRao() external {
        _refuses(escrow, uint256(PRICE) * DAY * WEI, _sendRent);
    }

    function test_RevertWhen_RentForSomebodyElseIsNotWholeRao() external {
        _refuses(escrow, uint256(PRICE) * DAY * WEI, _sendRentFor);
    }

    function test_RevertWhen_AnExtensionIsNotWholeRao() external {
        _refuses(escrow, uint256(PRICE) * 1 hours * WEI, _sendExtend);
    }

    function test_RevertWhen_ABidIsNotWholeRao() external {
        _refuses(bids, uint256(PRICE) * 1 hours * WEI, _sendPost);
    }

    function test_RevertWhen_AnAppealBondIsNotWholeRao() external {
        _refuses(arbiter, 10_000_000 * WEI, _sendAppeal);
    }

    function testFuzz_NoPartOfARaoGetsInAnywhere(uint256 valueWei) external {
        valueWei = bound(valueWei, 1, 100 ether);
        vm.assume(valueWei % WEI != 0);
        _sendDeposit(valueWei);
        _sendRent(valueWei);
        _sendRentFor(valueWei);
        _sendExtend(valueWei);
        _sendPost(valueWei);
        _sendAppeal(valueWei);
    }
}
