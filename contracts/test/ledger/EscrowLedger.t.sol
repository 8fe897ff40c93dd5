// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { RaoPerSecond } from "../../src/types/Units.sol";
import { LedgerBase } from "./LedgerBase.t.sol";
import { FlushBurnTest } from "./flushBurn.t.sol";
import { SetPayoutAccountTest } from "./setPayoutAccount.t.sol";
import { SweepTest } from "./sweep.t.sol";
import { LedgerViewsTest } from "./views.t.sol";
import { WithdrawCreditTest } from "./withdrawCredit.t.sol";

/// @dev In the escrow, credit comes from rentals that a case ends in the second they begin: all is refunded.
abstract contract EscrowMoney is LedgerBase {
    uint256 private _machines;

    function _ledger() internal view override returns (IRaoLedger) {
        return escrow;
    }

    function _credit(address account, uint64 rao) internal override {
        vm.assume(account != address(0)); // nobody rents as zero
        bytes32 machine = keccak256(abi.encode("ledger", _machines++));
        _register(machine);
        uint64 bond = H100_BOND + rao / 5;
        vm.deal(MINER, MINER.balance + uint256(bond) * WEI);
        _deposit(machine, bond);
        IRentalEscrow.Offer memory terms = _terms();
        // forge-lint: disable-next-line(unsafe-typecast) at most 1e12
        (terms.price, terms.minDurationSecs) = (RaoPerSecond.wrap(uint40(rao)), 1);
        vm.prank(MINER);
        bytes32 offerHash = escrow.offer(machine, terms);
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(machine, 3);
        vm.deal(account, account.balance + uint256(rao) * WEI);
        vm.prank(account);
        uint64 rental = escrow.rent{ value: uint256(rao) * WEI }(machine, 1, RENTER_KEY, offerHash, certificates);
        uint32 registration = _rentalAt(rental).registration;
        vm.prank(address(arbiter));
        escrow.distrust(registration);
    }

    /// @dev Nothing in the escrow is burned but what arrived without being owed.
    function _burnable(uint64 rao) internal override {
        vm.deal(address(escrow), address(escrow).balance + uint256(rao) * WEI);
        escrow.sweep();
    }
}

contract EscrowWithdrawCreditTest is EscrowMoney, WithdrawCreditTest { }

contract EscrowSetPayoutAccountTest is EscrowMoney, SetPayoutAccountTest { }

contract EscrowFlushBurnTest is EscrowMoney, FlushBurnTest { }

contract EscrowSweepTest is EscrowMoney, SweepTest { }

contract EscrowLedgerViewsTest is EscrowMoney, LedgerViewsTest { }
