// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Base } from "../Base.t.sol";

/// @dev D3: the chain moves floor(value / 1e9) rao and keeps quiet about the rest. So every payable entry refuses a
/// value that is not whole rao, or books would owe what never came.
contract SubRaoTest is Base {
    function _expectNotWholeRao(uint256 valueWei) private {
        vm.expectRevert(abi.encodeWithSelector(IRaoLedger.RaoLedger_NotWholeRao.selector, valueWei));
    }

    function _values(uint256 exactWei) private pure returns (uint256[4] memory) {
        return [uint256(0), 1, exactWei - 1, exactWei + 1];
    }

    function test_deposit() external {
        _register(MACHINE);
        uint256[4] memory values = _values(700 * WEI);
        for (uint256 i = 0; i < values.length; ++i) {
            _expectNotWholeRao(values[i]);
            vm.prank(MINER);
            vault.deposit{ value: values[i] }(MACHINE);
        }
    }

    function test_rent() external {
        bytes32 offerHash = _ready(MACHINE, 1e9);
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(MACHINE, 3);
        uint256[4] memory values = _values(uint256(PRICE) * DAY * WEI);
        for (uint256 i = 0; i < values.length; ++i) {
            _expectNotWholeRao(values[i]);
            vm.prank(RENTER);
            escrow.rent{ value: values[i] }(MACHINE, DAY, RENTER_KEY, offerHash, certificates);
        }
        assertEq(_rao(escrow.liabilities()), 0);
    }

    function test_extend() external {
        uint64 rental = _rented();
        uint64 owed = _rao(escrow.liabilities());
        uint256[4] memory values = _values(uint256(PRICE) * 1 hours * WEI);
        for (uint256 i = 0; i < values.length; ++i) {
            _expectNotWholeRao(values[i]);
            vm.prank(RENTER);
            escrow.extend{ value: values[i] }(rental, 1 hours);
        }
        assertEq(_rao(escrow.liabilities()), owed);
    }

    function testFuzz_NoPartOfARaoGetsInAnywhere(uint256 valueWei) external {
        valueWei = bound(valueWei, 1, 100 ether);
        vm.assume(valueWei % WEI != 0);
        uint64 rental = _rented();
        bytes32 second = keccak256("second");
        bytes32 offerHash = _ready(second, 1e9);
        IRentalEscrow.SignedCertificate[] memory certificates = _certify(second, 3);
        _expectNotWholeRao(valueWei);
        vm.prank(MINER);
        vault.deposit{ value: valueWei }(second);
        vm.startPrank(RENTER);
        _expectNotWholeRao(valueWei);
        escrow.rent{ value: valueWei }(second, DAY, RENTER_KEY, offerHash, certificates);
        _expectNotWholeRao(valueWei);
        escrow.extend{ value: valueWei }(rental, 1 hours);
    }
}
