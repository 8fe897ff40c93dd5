// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ICollateralVault } from "../../src/interfaces/ICollateralVault.sol";
import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Rao, Timestamp } from "../../src/types/Units.sol";
import { EscrowBase } from "./EscrowBase.t.sol";

/// @dev `rent` and `rentFor` as one total function: whatever is wrong, the first rule broken is the one that speaks.
contract RentFuzzTest is EscrowBase {
    /// @dev Where a field is `% 16 == 0` the rule named after it is broken.
    struct Wrongs {
        uint8 hash;
        uint8 key;
        uint8 paid;
        uint8 subRao;
        uint8 class;
        uint8 hotkey;
        uint8 bond;
        uint8 signers;
        uint8 gpus;
        uint8 gate;
        uint8 sponsor;
        uint32 secs;
        uint32 idle;
        uint32 measuredAt;
    }

    uint32 private vacatedAt;
    uint32 private measuredAt;
    uint64 private freeRao;
    bytes private shut;

    function testFuzz_EveryRentIsTakenOrRefusedByTheFirstRuleItBreaks(Wrongs memory w) external {
        _afterATenant(w);
        shut = _drawGate(w.gate);
        RentCall memory c = _call(w);
        if (w.sponsor % 32 == 0) c.renter = address(0);
        uint64 owed = _rao(escrow.liabilities());
        bool success = _expect(c.renter == address(0) ? _noRenter() : _prediction(w, c));
        uint64 rental = w.sponsor % 2 == 0 ? _sponsor(STRANGER, c) : _send(c);
        if (!success) {
            assertEq(escrow.rentalCount(), 1, "no rental");
            assertEq(_rao(escrow.liabilities()), owed, "no money");
            return;
        }
        IRentalEscrow.Rental memory r = _rentalAt(rental);
        assertEq(rental, 2);
        assertEq(r.renter, RENTER);
        assertEq(r.boughtSecs, c.secs);
        assertEq(Timestamp.unwrap(r.end), _now() + c.secs);
        assertEq(_rao(escrow.liabilities()), owed + c.valueWei / WEI);
        assertEq(_reserved(rental), _bond(c.secs));
        (,,,, Rao free) = vault.bondOf(MACHINE);
        assertEq(_rao(free), freeRao - _bond(c.secs));
    }

    function _noRenter() private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NoRenter.selector);
    }

    /// @dev A first rental is over and closed, the machine idle since `vacatedAt`.
    function _afterATenant(Wrongs memory w) private {
        bool poor = w.bond % 16 == 0;
        freeRao = poor ? H100_BOND + w.bond % 2 - 1 : H100_BOND + w.bond;
        _ready(MACHINE, H100_BOND);
        uint64 first = _rent(MACHINE, 1 hours);
        skip(1 hours);
        vacatedAt = _now();
        skip(LAG);
        escrow.close(first);
        if (freeRao > H100_BOND) _deposit(MACHINE, freeRao - H100_BOND);
        if (freeRao < H100_BOND) {
            vm.prank(MINER);
            vault.requestExit(MACHINE, Rao.wrap(H100_BOND - freeRao));
        }
        vm.warp(vacatedAt + (w.idle % 4 == 0 ? w.idle % 100 : w.idle % 2 days));
        if (w.class % 16 == 0) {
            vm.prank(OWNER);
            escrow.setClassBond(H100, Rao.wrap(0));
        }
        if (w.hotkey % 16 == 0) METAGRAPH.remove(NETUID, 0);
    }

    function _call(Wrongs memory w) private returns (RentCall memory c) {
        c = _goodRent(MACHINE);
        c.secs = w.secs % 8 == 0 ? w.secs : w.secs % 8 < 3 ? w.secs % 30 days : 1 hours - 2 + w.secs % 8;
        c.valueWei = uint256(_cost(c.secs)) * WEI;
        vm.deal(RENTER, c.valueWei + 1 ether);
        vm.deal(STRANGER, c.valueWei + 1 ether);
        if (w.hash % 16 == 0) c.offerHash = keccak256(abi.encode(w.hash));
        if (w.key % 16 == 0) c.renterKey = 0;
        if (w.paid % 16 == 0) c.valueWei += WEI;
        if (w.subRao % 16 == 0) c.valueWei += 1 + w.subRao;
        uint32 idle = _now() - vacatedAt;
        measuredAt = vacatedAt + w.measuredAt % (idle + 2);
        if (w.measuredAt % 8 == 0) measuredAt = vacatedAt - 1;
        c.certificates = new IRentalEscrow.SignedCertificate[](_signers(w));
        for (uint256 i = 0; i < c.certificates.length; ++i) {
            (uint16 gpuClass, uint16 gpuCount) = _measured(w, i);
            c.certificates[i] = _certificate(keeperKeys[i], MACHINE, 1, gpuClass, gpuCount, measuredAt);
        }
    }

    function _signers(Wrongs memory w) private pure returns (uint256) {
        return w.signers % 8 == 0 ? w.signers / 8 % 2 : 2 + w.signers % 2;
    }

    /// @dev The second certificate may be of another class or of no GPU.
    function _measured(Wrongs memory w, uint256 i) private pure returns (uint16 gpuClass, uint16 gpuCount) {
        gpuClass = i == 1 && w.gpus % 16 == 0 ? H100 - 1 : H100;
        gpuCount = i == 1 && w.gpus % 16 == 1 ? 0 : 1 + w.gpus % 3;
    }

    function _prediction(Wrongs memory w, RentCall memory c) private view returns (bytes memory) {
        (, bytes32 live,) = escrow.offerOf(MACHINE);
        if (c.offerHash != live) {
            return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_OfferChanged.selector, live, c.offerHash);
        }
        if (c.secs < 1 hours || c.secs > 30 days) {
            return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_BadDuration.selector, c.secs, 1 hours, 30 days);
        }
        if (c.renterKey == 0) return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NoRenterKey.selector);
        if (c.valueWei % WEI != 0) {
            return abi.encodeWithSelector(IRaoLedger.RaoLedger_NotWholeRao.selector, c.valueWei);
        }
        if (c.valueWei / WEI != _cost(c.secs)) {
            return
                abi.encodeWithSelector(
                    IRentalEscrow.RentalEscrow_WrongPayment.selector, c.valueWei / WEI, _cost(c.secs)
                );
        }
        if (_now() < vacatedAt + 60) {
            return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NotReady.selector, MACHINE, vacatedAt + 60);
        }
        return _predictCertificates(w, _bond(c.secs));
    }

    function _predictCertificates(Wrongs memory w, uint64 bond) private view returns (bytes memory) {
        uint32 notBefore = _max(vacatedAt, _now() - 24 hours);
        uint256 signers = _signers(w);
        for (uint256 i = 0; i < signers; ++i) {
            if (measuredAt > _now()) {
                bytes4 ahead = IRentalEscrow.RentalEscrow_CertificateOfTheFuture.selector;
                return abi.encodeWithSelector(ahead, i, measuredAt);
            }
            if (measuredAt < notBefore) {
                return abi.encodeWithSelector(
                    IRentalEscrow.RentalEscrow_CertificateStale.selector, i, measuredAt, notBefore
                );
            }
            (uint16 gpuClass, uint16 gpuCount) = _measured(w, i);
            if (gpuClass != H100 || gpuCount < 1) {
                return abi.encodeWithSelector(
                    IRentalEscrow.RentalEscrow_CertificateTooSmall.selector, i, gpuClass, gpuCount
                );
            }
        }
        if (signers < 2) return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_NoQuorum.selector, signers);
        return _predictBond(w, bond);
    }

    /// @dev The class bond, or a fifth of the cost, rounded up, where that is more.
    function _bond(uint32 secs) private pure returns (uint64) {
        uint64 share = (_cost(secs) + 4) / 5;
        return share > H100_BOND ? share : H100_BOND;
    }

    function _predictBond(Wrongs memory w, uint64 bond) private view returns (bytes memory) {
        if (w.class % 16 == 0) return abi.encodeWithSelector(IRentalEscrow.RentalEscrow_UnknownClass.selector, H100);
        if (shut.length != 0) return shut;
        if (w.hotkey % 16 == 0) {
            return
                abi.encodeWithSelector(ICollateralVault.CollateralVault_HotkeyNotAtUid.selector, 0, bytes32(0), HOTKEY);
        }
        if (freeRao < bond) {
            bytes4 selector = ICollateralVault.CollateralVault_NotEnoughFree.selector;
            return abi.encodeWithSelector(selector, MACHINE, freeRao, bond);
        }
        return "";
    }
}
