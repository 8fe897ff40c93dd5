// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Subtensor } from "../../src/libraries/Subtensor.sol";
import { VotingPowerBase } from "./VotingPowerBase.t.sol";

/// @dev The library as a contract calls it.
contract Reader {
    function tracksVotingPower(uint16 netuid) external view returns (bool) {
        return Subtensor.tracksVotingPower(netuid);
    }

    function votingPowerOf(uint16 netuid, bytes32 hotkey) external view returns (uint64) {
        return Subtensor.votingPowerOf(netuid, hotkey);
    }

    function totalVotingPower(uint16 netuid) external view returns (uint64) {
        return Subtensor.totalVotingPower(netuid);
    }
}

/// @dev The reads of 0x80d (SPEC section 3, D5).
contract SubtensorReadsTest is VotingPowerBase {
    /// @dev What a read may cost around its cap: the call to Reader and what is decoded.
    uint256 private constant OVERHEAD = 12_000;
    uint256 private constant POWER_GAS = 10_000;
    uint256 private constant TOTAL_GAS = 700_000;

    Reader private _reader;

    function setUp() public override {
        super.setUp();
        _reader = new Reader();
        _power(0, 40);
        _power(1, 2);
    }

    /// @dev Answers anything with `data`.
    function _answers(bytes memory data) private {
        vm.etch(address(0x80d), abi.encodePacked(hex"61", uint16(data.length), hex"80600c6000396000f3", data));
    }

    function _assertAll(bool tracked, uint64 power, uint64 total) private view {
        assertEq(_reader.tracksVotingPower(NETUID), tracked, "tracked");
        assertEq(_reader.votingPowerOf(NETUID, _hotkey(0)), power, "power");
        assertEq(_reader.totalVotingPower(NETUID), total, "total");
    }

    function test_TheyAreTheChains() external view {
        _assertAll(true, 40, 42);
        assertEq(_reader.votingPowerOf(NETUID, _hotkey(9)), 0);
        assertFalse(_reader.tracksVotingPower(NETUID + 1));
        assertEq(_reader.votingPowerOf(NETUID + 1, _hotkey(0)), 0);
        assertEq(_reader.totalVotingPower(NETUID + 1), 0);
        assertEq(Subtensor.VOTING_POWER, address(2061));
    }

    /// @dev The selectors the chain dispatches on.
    function test_TheyAreAskedForByTheChainsNames() external {
        vm.expectCall(address(0x80d), abi.encodeWithSignature("isVotingPowerTrackingEnabled(uint16)", NETUID));
        vm.expectCall(address(0x80d), abi.encodeWithSignature("getVotingPower(uint16,bytes32)", NETUID, _hotkey(0)));
        vm.expectCall(address(0x80d), abi.encodeWithSignature("getTotalVotingPower(uint16)", NETUID));
        _assertAll(true, 40, 42);
    }

    function test_TrackingEndsWithEverybodysPower() external {
        POWER.setTracking(NETUID, false);
        _assertAll(false, 0, 0);
        POWER.setTracking(NETUID, true);
        _assertAll(true, 0, 0);
    }

    function test_AMissingPrecompileIsNothing() external {
        vm.etch(address(0x80d), "");
        _assertAll(false, 0, 0);
    }

    function test_ADisabledPrecompileIsNothingAndCostsTheCapOnly() external {
        POWER.setFailing(true);
        uint256 before = gasleft();
        assertFalse(_reader.tracksVotingPower(NETUID));
        uint256 used = before - gasleft();
        assertGt(used, POWER_GAS, "the precompile keeps what it was given");
        assertLt(used, POWER_GAS + OVERHEAD);
        before = gasleft();
        assertEq(_reader.votingPowerOf(NETUID, _hotkey(0)), 0);
        assertLt(before - gasleft(), POWER_GAS + OVERHEAD);
        before = gasleft();
        assertEq(_reader.totalVotingPower(NETUID), 0);
        used = before - gasleft();
        assertGt(used, TOTAL_GAS);
        assertLt(used, TOTAL_GAS + OVERHEAD);
    }

    function test_AnAnswerOfAnotherLengthIsNothing() external {
        _answers(abi.encodePacked(uint256(1), uint8(0)));
        _assertAll(false, 0, 0);
        _answers(new bytes(31));
        _assertAll(false, 0, 0);
        _answers("");
        _assertAll(false, 0, 0);
    }

    function test_OnlyOneIsTrue() external {
        _answers(abi.encode(1));
        assertTrue(_reader.tracksVotingPower(NETUID));
        _answers(abi.encode(2));
        assertFalse(_reader.tracksVotingPower(NETUID));
        _answers(abi.encode(0));
        assertFalse(_reader.tracksVotingPower(NETUID));
    }

    function testFuzz_LargerThanSixtyFourBitsIsTheLargest(uint256 value) external {
        _answers(abi.encode(value));
        // forge-lint: disable-next-line(unsafe-typecast) checked on the same line
        uint64 cut = value > type(uint64).max ? type(uint64).max : uint64(value);
        _assertAll(value == 1, cut, cut);
    }

    /// @dev The largest subnet there is, at four times its price, still answers.
    function test_TheTotalOfTwoHundredFiftySixValidatorsFitsFourTimes() external {
        for (uint256 n = 2; n < 256; ++n) {
            _power(n, 1);
        }
        uint256 before = gasleft();
        assertEq(_reader.totalVotingPower(NETUID), 296);
        uint256 used = before - gasleft();
        assertGt(used, 256 * 625);
        assertLt(used * 4, TOTAL_GAS + 4 * OVERHEAD);
    }

    /// @dev With any gas at all: the truth, or a revert.
    function test_TooLittleGasRevertsInsteadOfAnsweringZero() external view {
        bytes[2] memory calls = [
            abi.encodeCall(_reader.tracksVotingPower, (NETUID)),
            abi.encodeCall(_reader.votingPowerOf, (NETUID, _hotkey(0)))
        ];
        bytes[2] memory truths = [abi.encode(true), abi.encode(40)];
        uint256 checks;
        for (uint256 i = 0; i < 2; ++i) {
            for (uint256 gas = 500; gas < 30_000; gas += 50) {
                (bool ok, bytes memory out) = address(_reader).staticcall{ gas: gas }(calls[i]);
                if (ok) assertEq(out, truths[i]);
                if (ok || out.length == 0) continue;
                // forge-lint: disable-next-line(unsafe-typecast) an error's selector
                assertEq(bytes4(out), Subtensor.Subtensor_NotEnoughGas.selector);
                ++checks;
            }
        }
        assertGt(checks, 0);
    }

    /// @dev The total says zero then, which every caller takes for a refusal: never a total that is too small.
    function test_ATotalWithTooLittleGasIsZeroOrTheTruth() external view {
        for (uint256 gas = 2_000; gas < 30_000; gas += 100) {
            (bool ok, bytes memory out) =
                address(_reader).staticcall{ gas: gas }(abi.encodeCall(_reader.totalVotingPower, (NETUID)));
            if (!ok) continue;
            uint256 total = abi.decode(out, (uint256));
            assertTrue(total == 0 || total == 42);
        }
    }
}
