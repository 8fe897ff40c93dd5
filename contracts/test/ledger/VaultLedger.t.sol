// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IRaoLedger } from "../../src/interfaces/IRaoLedger.sol";
import { Rao } from "../../src/types/Units.sol";
import { LedgerBase } from "./LedgerBase.t.sol";
import { FlushBurnTest } from "./flushBurn.t.sol";
import { SetPayoutAccountTest } from "./setPayoutAccount.t.sol";
import { SweepTest } from "./sweep.t.sol";
import { LedgerViewsTest } from "./views.t.sol";
import { WithdrawCreditTest } from "./withdrawCredit.t.sol";

/// @dev In the vault, credit comes from exits and burns from forfeits. Each account gets a machine of its own.
abstract contract VaultMoney is LedgerBase {
    function _ledger() internal view override returns (IRaoLedger) {
        return vault;
    }

    function _bond(address account, uint64 rao) private returns (bytes32 machine) {
        machine = keccak256(abi.encode(account, vault.registrationCount()));
        _associate(account);
        bytes32[2] memory sig = _signRegistration(machine, account);
        vm.deal(account, account.balance + uint256(rao) * WEI);
        vm.startPrank(account);
        vault.register(machine, HOTKEY, 0, UID_HASH, _endpoint(), sig);
        vault.deposit{ value: uint256(rao) * WEI }(machine);
        vm.stopPrank();
    }

    function _credit(address account, uint64 rao) internal override {
        vm.assume(account != address(0)); // nobody registers as zero
        bytes32 machine = _bond(account, rao);
        vm.startPrank(account);
        vault.requestExit(machine, Rao.wrap(rao));
        skip(2 days);
        vault.withdraw(machine);
        vm.stopPrank();
    }

    function _burnable(uint64 rao) internal override {
        _bond(MINER, rao);
        uint32 registration = vault.registrationCount();
        vm.startPrank(address(arbiter));
        vault.setAsideAny(registration, Rao.wrap(rao));
        vault.forfeit(registration, Rao.wrap(rao));
        vm.stopPrank();
    }
}

contract VaultWithdrawCreditTest is VaultMoney, WithdrawCreditTest { }

contract VaultSetPayoutAccountTest is VaultMoney, SetPayoutAccountTest { }

contract VaultFlushBurnTest is VaultMoney, FlushBurnTest { }

contract VaultSweepTest is VaultMoney, SweepTest { }

contract VaultLedgerViewsTest is VaultMoney, LedgerViewsTest { }
