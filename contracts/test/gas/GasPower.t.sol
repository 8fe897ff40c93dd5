// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Base } from "../Base.t.sol";
import { CourtBase } from "../votingpower/CourtBase.sol";
import { GasBase } from "./GasBase.sol";

/// @dev 0x80d that reads nothing: tracked, 100 TAO in all, 30 TAO for any hotkey.
contract PowerAtOnce {
    fallback() external {
        assembly ("memory-safe") {
            let answer := 1
            switch shr(224, calldataload(0))
            case 0x1567cbba { answer := 30000000000 }
            case 0x8f0d6dab { answer := 100000000000 }
            mstore(0, answer)
            return(0, 32)
        }
    }
}

/// @dev Keepers by voting power, and what they add to renting and filing; as in Gas.t.sol. 0x80d answers at once too:
/// on the chain each of its reads adds 625 gas for storage and a few hundred for the dispatch.
/// forge-config: default.isolate = true
/// forge-config: shipped.isolate = true
contract GasPowerTest is GasBase, CourtBase {
    string private constant POWER_SET = "VotingPowerKeepers";

    function setUp() public override(Base, CourtBase) {
        CourtBase.setUp();
    }

    function _createCourt() internal override(Base, CourtBase) returns (address) {
        return CourtBase._createCourt();
    }

    function _freePower() private {
        vm.etch(address(0x80d), type(PowerAtOnce).runtimeCode);
    }

    function _freeSeats(uint16 uid) private {
        _freePower();
        vm.etch(address(0x802), abi.encodePacked(hex"7f", _hotkey(uid), hex"5f5260205ff3"));
        vm.etch(address(0x807), abi.encodePacked(hex"7f", keeperAccounts[uid - 1], bytes12(0), hex"5f52601c5ff3"));
    }

    function test_Power_SittingDownAndUp() external {
        vm.startPrank(keeperAccounts[2]);
        power.leave();
        _note(POWER_SET, "leave, the last of three");
        _freeSeats(3);
        power.join(3, _uidHash(3), keccak256("key"), "https://keeper.example:8443");
        _note(POWER_SET, "join");
        skip(1 hours);
        power.checkIn(3, _uidHash(3));
        _note(POWER_SET, "checkIn");
        power.moveTo(keccak256("another key"), "https://keeper.example");
        _note(POWER_SET, "moveTo");
        vm.stopPrank();
        power.refresh(keeperAccounts[2]);
        _note(POWER_SET, "refresh");
        skip(25 hours);
        power.expire(keeperAccounts[2]);
        _note(POWER_SET, "expire");
    }

    function test_Power_RentingWithThreeKeepers() external {
        _freePower();
        _rentNow(3);
        _note(POWER_SET, "rent, first of the machine, k=3");
    }

    function test_Power_FilingWithThreeKeepers() external {
        _freePower();
        uint64 rental = _rentNow(3);
        skip(2 hours);
        _offline(rental, 3);
        _note(POWER_SET, "file Offline, k=3");
    }
}
