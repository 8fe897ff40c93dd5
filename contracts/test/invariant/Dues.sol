// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { RaoLedger } from "../../src/base/RaoLedger.sol";
import { IRentalBids } from "../../src/interfaces/IRentalBids.sol";
import { EverybodyLeaves } from "./EverybodyLeaves.sol";
import { BidModel } from "./model/BidModel.sol";
import { BondModel } from "./model/BondModel.sol";
import { StreamOracle } from "./model/StreamOracle.sol";

/// @dev What is whose, ledger by ledger, from the models alone; and who was ever given anything, from storage.
abstract contract Dues is EverybodyLeaves {
    /// @dev Everything each of the people was ever owed by a ledger, paid out or not.
    function _dues(uint256 ledger, address[] memory accounts) internal view returns (uint256[] memory due) {
        due = new uint256[](accounts.length);
        if (ledger == 0) _duesOfVault(accounts, due);
        else if (ledger == 1) _duesOfEscrow(accounts, due);
        else if (ledger == 2) _duesOfArbiter(accounts, due);
        else _duesOfBids(accounts, due);
    }

    function _people() internal view returns (address[] memory accounts) {
        accounts = new address[](store.peopleCount());
        for (uint256 i = 0; i < accounts.length; ++i) {
            accounts[i] = store.people(i);
        }
    }

    function _duesOfVault(address[] memory accounts, uint256[] memory due) private view {
        for (uint32 id = 1; id <= store.registrations(); ++id) {
            BondModel.Bond memory b = store.bondOf(id);
            _grant(accounts, due, b.miner, b.takenOut);
        }
    }

    /// @dev Refunds, pay, and the fee.
    function _duesOfEscrow(address[] memory accounts, uint256[] memory due) private view {
        for (uint64 id = 1; id <= store.rentals(); ++id) {
            StreamOracle.Tenancy memory t = store.tenancyOf(id);
            StreamOracle.Sum memory s = store.sumOf(id);
            uint256 back = s.bought - (s.end - t.start) + s.decided;
            _grant(accounts, due, t.renter, back * t.price);
            _grant(accounts, due, t.miner, s.net);
            _grant(accounts, due, TREASURY, s.fee);
        }
    }

    /// @dev Appeal bonds that came back.
    function _duesOfArbiter(address[] memory accounts, uint256[] memory due) private view {
        for (uint64 id = 1; id <= store.cases(); ++id) {
            BondModel.CaseModel memory c = store.caseOf(id);
            if (c.bondReturned) _grant(accounts, due, store.bondOf(c.registration).miner, c.appealBond);
        }
    }

    /// @dev Bids given up, and what a filled one cost less.
    function _duesOfBids(address[] memory accounts, uint256[] memory due) private view {
        for (uint64 id = 1; id <= store.bids(); ++id) {
            BidModel.BidModelled memory b = store.bidOf(id);
            if (b.status != IRentalBids.Status.Open) _grant(accounts, due, b.renter, b.paid - b.cost);
        }
    }

    function _grant(address[] memory accounts, uint256[] memory due, address account, uint256 amount) private pure {
        for (uint256 i = 0; i < accounts.length; ++i) {
            if (accounts[i] == account) due[i] += amount;
        }
    }

    /// @dev What a ledger must have set aside for burning so far, surplus that was swept included.
    function _burnsDue(uint256 ledger) internal view returns (uint256 sum) {
        sum = store.swept(address(ledgers[ledger]));
        if (ledger == 0) {
            for (uint32 id = 1; id <= store.registrations(); ++id) {
                sum += store.bondOf(id).burned;
            }
        } else if (ledger == 2) {
            for (uint64 id = 1; id <= store.cases(); ++id) {
                BondModel.CaseModel memory c = store.caseOf(id);
                if (c.bondBurned) sum += c.appealBond;
            }
        }
    }

    /* WHO HAS CREDIT */

    /// @dev The credit of everybody who was ever written into a ledger's mapping, known or not.
    function _creditSum(RaoLedger ledger) internal view returns (uint256 sum) {
        for (uint256 i = 0; i < store.peopleCount(); ++i) {
            sum += _rao(ledger.creditOf(store.people(i)));
        }
    }
}
