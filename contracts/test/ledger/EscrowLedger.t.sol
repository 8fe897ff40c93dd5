// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { RaoPerSecond } from "../../src/types/Units.sol";
import { LedgerBehaviour } from "./LedgerBehaviour.t.sol";

/// @dev In the escrow, credit comes from rentals that a case ends in the second they begin: all is refunded.
contract EscrowLedgerTest is LedgerBehaviour {
    uint256 private _machines;

    function setUp() public override {
        super.setUp();
        ledger = escrow;
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
