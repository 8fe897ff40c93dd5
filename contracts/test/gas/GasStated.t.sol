// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { IStatedBonds } from "../../src/interfaces/IStatedBonds.sol";
import { StatedBase } from "../stated/StatedBase.t.sol";
import { GasBase } from "./GasBase.sol";

/// @dev Bonds elsewhere; as in Gas.t.sol.
/// forge-config: default.isolate = true
/// forge-config: shipped.isolate = true
contract GasStatedTest is GasBase, StatedBase {
    function test_Vault_Stating() external {
        _livedInNode();
        _note(VAULT, "state, first of the machine, k=3");
        skip(1 hours);
        IStatedBonds.SignedStatement[] memory all = _said(_claim(0, true), _word(), 3);
        vault.state(_claim(0, true), all);
        _note(VAULT, "state, later, k=3");
    }

    function test_Escrow_RentingWithCoverOnly() external {
        _livedInNode();
        _freePrecompiles();
        (, bytes32 offerHash,) = escrow.offerOf(MACHINE);
        IRentalEscrow.SignedCertificate[] memory certificates = _certificates(MACHINE, 3);
        uint256 price = uint256(PRICE) * DAY * WEI;
        vm.prank(RENTER);
        escrow.rent{ value: price }(MACHINE, DAY, RENTER_KEY, offerHash, certificates);
        _note(ESCROW, "rent, first of the machine, covered, k=3");
    }

    /* STEPS */

    function _livedInNode() private {
        _register(MACHINE);
        _offer(MACHINE);
        IStatedBonds.SignedStatement[] memory all = _said(_claim(0, true), _word(), 3);
        vault.state(_claim(0, true), all);
    }
}
