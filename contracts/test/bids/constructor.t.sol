// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { createBids } from "../Build.sol";
import { RentalBids } from "../../src/RentalBids.sol";
import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { IRentalBids } from "../../src/interfaces/IRentalBids.sol";
import { BidsBase } from "./BidsBase.t.sol";

contract BidsConstructorTest is BidsBase {
    function _badConfig() private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRentalBids.RentalBids_BadConfig.selector, "escrow has no code");
    }

    function _wrongSeed(uint256 valueWei) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRaoLedger.RaoLedger_WrongSeed.selector, valueWei, SEED_WEI);
    }

    function _notSubtensor() private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRaoLedger.RaoLedger_NotSubtensor.selector, address(0x800));
    }

    function test_RevertWhen_TheSeedIsNotExact() external {
        uint256[3] memory wrong = [SEED_WEI - 1, SEED_WEI + 1, 0];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(_wrongSeed(wrong[i]));
            createBids(wrong[i], address(escrow));
        }
    }

    function test_RevertGiven_TheChainHasNoPayouts() external {
        vm.etch(address(0x800), "");
        vm.expectRevert(_notSubtensor());
        createBids(SEED_WEI, address(escrow));
    }

    function test_RevertWhen_TheEscrowHasNoCode() external {
        vm.expectRevert(_badConfig());
        createBids(SEED_WEI, address(0));
        vm.expectRevert(_badConfig());
        createBids(SEED_WEI, RENTER);
    }

    function test_RevertWhen_TheEscrowNamesNoVault() external {
        vm.expectRevert();
        createBids(SEED_WEI, address(vault)); // not an escrow
    }

    function test_WhenAllIsRight() external {
        RentalBids built = createBids(SEED_WEI, address(escrow));
        assertEq(address(built.ESCROW()), address(escrow));
        assertEq(address(built.VAULT()), address(vault));
        assertEq(built.MAX_LIFE_SECS(), 30 days);
        assertEq(built.bidCount(), 0);
        assertEq(_rao(built.liabilities()), 0, "the seed is nobody's");
        assertEq(_rao(built.toBurn()), 0);
        assertEq(address(built).balance, SEED_WEI);
    }

    function testFuzz_EveryDeploymentIsTakenOrRefusedByTheFirstRuleItBreaks(
        address at,
        uint8 wrong,
        uint256 value,
        bool onSubtensor
    ) external {
        if (wrong % 4 != 0) value = SEED_WEI;
        if (wrong % 3 == 0 || at.code.length != 0) at = address(escrow);
        value %= 1 ether;
        if (!onSubtensor) vm.etch(address(0x800), "");
        bytes memory expected;
        if (value != SEED_WEI) expected = _wrongSeed(value);
        else if (!onSubtensor) expected = _notSubtensor();
        else if (at != address(escrow)) expected = _badConfig();
        bool success = _expect(expected);
        RentalBids built = createBids(value, at);
        if (success) assertEq(address(built.VAULT()), address(vault));
    }
}
