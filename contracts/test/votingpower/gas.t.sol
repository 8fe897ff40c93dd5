// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { createAppointed } from "../Build.sol";
import { AppointedKeepers } from "../../src/AppointedKeepers.sol";
import { IKeeperSet } from "../../src/interfaces/IKeeperSet.sol";
import { VotingPowerBase } from "./VotingPowerBase.t.sol";

/// @dev What a quorum costs here, against a list by an owner. The precompile answers with a constant and at once, as in
/// test/gas; on the chain each of its reads adds 625 gas for storage and a few hundred for the dispatch.
contract VotingPowerGasTest is VotingPowerBase {
    AppointedKeepers private _appointed;

    function setUp() public override {
        super.setUp();
        _appointed = createAppointed(address(this));
        for (uint256 n = 0; n < 8; ++n) {
            _seat(n, 1);
            _appointed.appoint(_keeper(n), 1, SSH_KEY, URL);
        }
        vm.etch(address(0x80d), hex"60015f5260205ff3"); // return 1: tracked, and a power of one rao
    }

    function _cost(IKeeperSet set, uint256 k) private returns (uint256 used) {
        address[] memory signers = _signers((uint256(1) << k) - 1);
        vm.cool(address(set));
        vm.cool(address(0x80d));
        uint256 before = gasleft();
        set.quorumOf(signers);
        used = before - gasleft();
    }

    function _assertCost(uint256 k, uint256 more) private {
        uint256 appointed = _cost(_appointed, k);
        uint256 power = _cost(keepers, k);
        emit log_named_uint("signers", k);
        emit log_named_uint("  appointed", appointed);
        emit log_named_uint("  voting power", power);
        assertLt(power, appointed + more);
    }

    /// @dev One slot and one read more for each signer, one read and one slot more for all.
    function test_AQuorumCostsAReadAndASlotMoreForEachSigner() external {
        for (uint256 k = 3; k <= 8; ++k) {
            _assertCost(k, 5_500 + k * 4_000);
        }
    }

    /// @dev Two signers prove no court of three: somebody has to be looked for.
    function test_AQuorumOfTwoLooksForAThird() external {
        _assertCost(2, 5_500 + 2 * 4_000 + 14_000);
    }

    function test_CheckingInCosts() external {
        skip(1 hours);
        vm.cool(address(keepers));
        vm.prank(_keeper(0));
        uint256 before = gasleft();
        keepers.checkIn(0, _uidHash(0));
        uint256 used = before - gasleft();
        emit log_named_uint("checkIn", used);
        assertLt(used, 60_000);
    }
}
