// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IArbiter } from "../../../src/interfaces/IArbiter.sol";
import { ICollateralVault } from "../../../src/interfaces/ICollateralVault.sol";
import { IGate } from "../../../src/interfaces/IGate.sol";
import { IRentalBids } from "../../../src/interfaces/IRentalBids.sol";
import { IRentalEscrow } from "../../../src/interfaces/IRentalEscrow.sol";
import { Rao, Timestamp } from "../../../src/types/Units.sol";
import { BidModel } from "../model/BidModel.sol";
import { BondModel } from "../model/BondModel.sol";
import { StreamOracle } from "../model/StreamOracle.sol";
import { HandlerBase, System } from "./HandlerBase.sol";

/// @dev Everybody tries what only others may: keepers, the owner, miners, renters, the treasury, strangers.
contract StrangerHandler is HandlerBase {
    bytes4 private constant NOT_OWNER = bytes4(keccak256("OwnableUnauthorizedAccount(address)"));

    constructor(System memory s) HandlerBase(s) { }

    /// @dev What only a sibling contract may.
    function actAsSibling(uint256 callerSeed, uint256 what, uint256 machineSeed, uint256 rentalSeed) external acts {
        (uint32 registration, uint64 rental) = (STORE.registrationOf(_machine(machineSeed)), _someRental(rentalSeed));
        Rao amount = Rao.wrap(_to64(what >> 192));
        bytes[10] memory tries = [
            abi.encodeCall(ICollateralVault.reserve, (registration, rental, amount, Timestamp.wrap(0))),
            abi.encodeCall(ICollateralVault.release, (registration, rental)),
            abi.encodeCall(ICollateralVault.forfeitReserved, (registration, rental, amount)),
            abi.encodeCall(ICollateralVault.setAside, (registration, rental, amount)),
            abi.encodeCall(ICollateralVault.setAsideAny, (registration, amount)),
            abi.encodeCall(ICollateralVault.forfeit, (registration, amount)),
            abi.encodeCall(ICollateralVault.giveBack, (registration, amount)),
            abi.encodeCall(
                IRentalEscrow.withhold,
                (rental, 1, 0, Timestamp.wrap(_now() - 600), Timestamp.wrap(_now()), what & 8 == 0)
            ),
            abi.encodeCall(IRentalEscrow.distrust, (registration)),
            abi.encodeCall(IRentalEscrow.decide, (rental, _to32(what >> 224), what & 16 == 0))
        ];
        uint256 i = what % 10;
        bytes4 selector = i < 3
            ? ICollateralVault.CollateralVault_OnlyEscrow.selector
            : i < 7
                ? ICollateralVault.CollateralVault_OnlyArbiter.selector
                : IRentalEscrow.RentalEscrow_OnlyArbiter.selector;
        address caller = _anybody(callerSeed, address(0));
        _refused(i < 7 ? address(vault) : address(escrow), caller, tries[i], abi.encodeWithSelector(selector, caller));
    }

    /// @dev What only the owner may.
    function actAsOwner(uint256 callerSeed, uint256 what) external acts {
        address caller = _anybody(callerSeed, OWNER);
        bytes[7] memory tries = [
            abi.encodeCall(escrow.setClassBond, (H100, Rao.wrap(_to64(what >> 192)))),
            abi.encodeCall(keepers.appoint, (caller, 1_000, keccak256("key"), "")),
            abi.encodeCall(keepers.dismiss, (STORE.candidates(0))),
            abi.encodeCall(keepers.transferOwnership, (caller)),
            abi.encodeCall(vault.sunset, ()),
            abi.encodeCall(vault.setGuardian, (caller)),
            abi.encodeCall(vault.transferOwnership, (caller))
        ];
        uint256 i = what % 7;
        address target = i == 0 ? address(escrow) : i < 4 ? address(keepers) : address(vault);
        _refused(target, caller, tries[i], abi.encodeWithSelector(NOT_OWNER, caller));
    }

    /// @dev What only the guardian and the judge may: nobody else stops anything, or decides anything.
    function actAsOffice(uint256 callerSeed, uint256 what, uint256 caseSeed) external acts {
        if (what % 3 < 2) {
            address nobody = _anybody(callerSeed, GUARDIAN);
            bytes memory data = what % 3 == 0 ? abi.encodeCall(vault.pause, (1)) : abi.encodeCall(vault.unpause, ());
            bytes memory notGuardian = abi.encodeWithSelector(IGate.Gate_OnlyGuardian.selector, nobody);
            return _refused(address(vault), nobody, data, notGuardian);
        }
        address caller = _anybody(callerSeed, JUDGE);
        uint64 caseId = _to64(caseSeed % (STORE.cases() + 1));
        bytes memory expected = abi.encodeWithSelector(IArbiter.Arbiter_OnlyJudge.selector, JUDGE, caller);
        _refused(address(arbiter), caller, abi.encodeCall(IArbiter.rule, (caseId, what & 8 == 0)), expected);
    }

    /// @dev What only the machine's miner may.
    function actAsMiner(uint256 callerSeed, uint256 what, uint256 machineSeed) external acts {
        bytes32 machine = _registered(machineSeed);
        address miner = STORE.minerOf(machine);
        address caller = _anybody(callerSeed, miner);
        bytes[9] memory tries = [
            abi.encodeCall(ICollateralVault.rebind, (machine, 0, UID_HASH)),
            abi.encodeCall(ICollateralVault.retire, (machine)),
            abi.encodeCall(ICollateralVault.setEndpoint, (machine, _endpoint())),
            abi.encodeCall(ICollateralVault.requestExit, (machine, Rao.wrap(1))),
            abi.encodeCall(ICollateralVault.cancelExit, (machine)),
            abi.encodeCall(ICollateralVault.withdraw, (machine)),
            abi.encodeCall(ICollateralVault.deposit, (machine)),
            abi.encodeCall(IRentalEscrow.offer, (machine, _terms())),
            abi.encodeCall(IRentalEscrow.withdrawOffer, (machine))
        ];
        uint256 i = what % 9;
        bytes4 selector =
            i < 7 ? ICollateralVault.CollateralVault_OnlyMiner.selector : IRentalEscrow.RentalEscrow_OnlyMiner.selector;
        bytes memory expected = abi.encodeWithSelector(selector, machine, miner, caller);
        // Depositing and offering are new business, and may be refused for that reason first.
        if ((i == 6 || i == 7) && _gateError().length != 0) expected = _gateError();
        _refused(i < 7 ? address(vault) : address(escrow), caller, tries[i], expected);
    }

    /// @dev What only the miner of a rental, or of a case, may; and who may not give up a bid that is not theirs.
    function actAsParty(uint256 callerSeed, uint256 what, uint256 seed) external acts {
        uint64 rental = _rental(seed, Wanted.Running);
        if (what % 3 == 0 && rental != 0 && _now() < STORE.sumOf(rental).end) {
            address miner = STORE.tenancyOf(rental).miner;
            address caller = _anybody(callerSeed, miner);
            bytes4 selector = IRentalEscrow.RentalEscrow_OnlyItsMiner.selector;
            bytes memory expected = abi.encodeWithSelector(selector, rental, miner, caller);
            _refused(address(escrow), caller, abi.encodeCall(IRentalEscrow.abandon, (rental)), expected);
        } else if (what % 3 == 1 && STORE.cases() != 0) {
            _appealForAnother(_to64(seed % STORE.cases()) + 1, callerSeed);
        } else if (STORE.bids() != 0) {
            uint64 bid = _to64(seed % STORE.bids()) + 1;
            BidModel.BidModelled memory b = STORE.bidOf(bid);
            if (b.status != IRentalBids.Status.Open || b.expiresAt <= _now()) return;
            address caller = _anybody(callerSeed, b.renter);
            bytes memory expected = abi.encodeWithSelector(
                IRentalBids.RentalBids_OnlyRenter.selector, bid, b.renter, caller, b.expiresAt
            );
            _refused(address(bids), caller, abi.encodeCall(IRentalBids.giveUp, (bid)), expected);
        }
    }

    function _appealForAnother(uint64 caseId, uint256 callerSeed) private {
        BondModel.CaseModel memory c = STORE.caseOf(caseId);
        bool waiting = c.status == IArbiter.Status.Filed || c.status == IArbiter.Status.Refunded;
        if (!waiting || c.filedAt + (c.slow ? 72 hours : 24 hours) <= _now()) return;
        address miner = STORE.bondOf(c.registration).miner;
        address caller = _anybody(callerSeed, miner);
        bytes memory expected = abi.encodeWithSelector(IArbiter.Arbiter_OnlyMiner.selector, caseId, miner, caller);
        _refused(address(arbiter), caller, abi.encodeCall(IArbiter.appeal, (caseId, bytes32(0))), expected);
    }

    /// @dev What only the renter may.
    function actAsRenter(uint256 callerSeed, uint256 rentalSeed) external acts {
        uint64 rental = _someRental(rentalSeed);
        StreamOracle.Tenancy memory t = STORE.tenancyOf(rental);
        address caller = _anybody(callerSeed, t.renter);
        bytes memory expected =
            abi.encodeWithSelector(IRentalEscrow.RentalEscrow_OnlyRenter.selector, rental, t.renter, caller);
        _refused(address(escrow), caller, abi.encodeCall(IRentalEscrow.end, (rental)), expected);
    }

    /// @dev One keeper alone, whatever its weight, on a rental that is running.
    function fileAlone(uint256 keeperSeed, uint256 rentalSeed, uint256 what) external acts {
        uint64 rental = _rental(rentalSeed, Wanted.Running);
        address caller = STORE.candidates(keeperSeed % STORE.candidateCount());
        if (rental == 0 || STORE.tenancyOf(rental).start == _now()) return;
        IArbiter.Kind kind = [IArbiter.Kind.NotDelivered, IArbiter.Kind.Interrupted, IArbiter.Kind.Offline][what % 3];
        uint32 from = kind == IArbiter.Kind.NotDelivered ? STORE.tenancyOf(rental).start : _now() - 1 hours;
        IArbiter.SignedAttestation[] memory alone = new IArbiter.SignedAttestation[](1);
        alone[0] = _attestation(STORE.keyOf(caller), kind, rental, from, _now());
        uint8 gap = uint8(STORE.faultsOf(rental).length);
        bytes memory expected = abi.encodeWithSelector(IArbiter.Arbiter_NoQuorum.selector, 1);
        _refused(address(arbiter), caller, abi.encodeCall(IArbiter.file, (kind, rental, gap, alone)), expected);
    }

    /* INTERNALS */

    function _refused(address target, address caller, bytes memory data, bytes memory expected) private {
        STORE.count("(strangers)");
        vm.prank(caller);
        (bool ok, bytes memory answer) = target.call(data);
        assertFalse(ok, "a stranger got through");
        assertEq(answer, expected, "a stranger was refused for another reason");
    }

    function _anybody(uint256 seed, address but) private view returns (address caller) {
        uint256 count = STORE.peopleCount();
        caller = STORE.people(seed % count);
        if (caller == but) caller = STORE.people((seed % count + 1) % count);
    }

    function _someRental(uint256 seed) private view returns (uint64) {
        return _to64(seed % (STORE.rentals() + 1));
    }
}
