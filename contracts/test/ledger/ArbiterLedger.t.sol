// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { LedgerBehaviour } from "./LedgerBehaviour.t.sol";

/// @dev The arbiter's credit will come from appeal bonds. Until there are any, the suite writes its books: slot 0 is
/// (liabilities, toBurn, count), slot 1 the credit of accounts.
contract ArbiterLedgerTest is LedgerBehaviour {
    function setUp() public override {
        super.setUp();
        ledger = arbiter;
    }

    function _credit(address account, uint64 rao) internal override {
        bytes32 slot = keccak256(abi.encode(account, uint256(1)));
        uint256 credit = uint256(vm.load(address(arbiter), slot)) + rao;
        vm.store(address(arbiter), slot, bytes32(credit));
        uint256 books = uint256(vm.load(address(arbiter), 0)) + rao;
        vm.store(address(arbiter), 0, bytes32(books));
        vm.deal(address(arbiter), address(arbiter).balance + uint256(rao) * WEI);
        assertEq(_rao(arbiter.creditOf(account)), credit, "the storage layout has moved");
    }

    function _burnable(uint64 rao) internal override {
        vm.deal(address(arbiter), address(arbiter).balance + uint256(rao) * WEI);
        arbiter.sweep();
    }
}
