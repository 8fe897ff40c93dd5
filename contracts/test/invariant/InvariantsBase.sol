// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { RaoLedger } from "../../src/base/RaoLedger.sol";
import { Rao } from "../../src/types/Units.sol";
import { Base } from "../Base.t.sol";
import { BidderHandler } from "./handlers/BidderHandler.sol";
import { System } from "./handlers/HandlerBase.sol";
import { KeeperHandler } from "./handlers/KeeperHandler.sol";
import { MinerHandler } from "./handlers/MinerHandler.sol";
import { OfficeHandler } from "./handlers/OfficeHandler.sol";
import { PublicHandler } from "./handlers/PublicHandler.sol";
import { RenterHandler } from "./handlers/RenterHandler.sol";
import { StatingHandler } from "./handlers/StatingHandler.sol";
import { StrangerHandler } from "./handlers/StrangerHandler.sol";
import { WorldHandler } from "./handlers/WorldHandler.sol";
import { Store } from "./model/Store.sol";

/// @dev Deploys the system, the store and the handlers, and begins with two of four machines on offer, so that no run
/// spends itself on getting started.
abstract contract InvariantsBase is Base {
    uint16 internal constant SECOND_CLASS = H100 + 1;
    uint64 internal constant SECOND_CLASS_BOND = 70_000_000; // .070 TAO
    uint64 internal constant SMALLEST = 500;

    Store internal store;
    RaoLedger[4] internal ledgers;
    address[2] internal miners = [makeAddr("miner"), makeAddr("second miner")];
    address[3] internal renters = [makeAddr("renter"), makeAddr("second renter"), makeAddr("third renter")];

    /// @dev Every function a handler offers, for the fuzzer and for the test that each of them is of use.
    address[] internal actors;
    bytes4[][] internal actions;

    function setUp() public override {
        // From the first write on, so that whoever is ever given credit is known by name (invariant 14).
        vm.startMappingRecording();
        super.setUp();
        ledgers = [RaoLedger(vault), escrow, arbiter, bids];
        store = new Store(_feeBps(), _breakerBps(), _now(), address(vault));
        vm.prank(OWNER);
        escrow.setClassBond(SECOND_CLASS, Rao.wrap(SECOND_CLASS_BOND));
        store.setClassBond(H100, H100_BOND);
        store.setClassBond(SECOND_CLASS, SECOND_CLASS_BOND);
        _introduceEverybody();
        for (uint256 i = 0; i < 4; ++i) {
            store.addMachine(keccak256(abi.encode("machine", i)));
        }
        _createHandlers();
        _openShop();
    }

    /// @dev With a fee, so that its rounding takes part.
    function _feeBps() internal pure override returns (uint16) {
        return 333;
    }

    /// @dev So low that many a penalty is slow.
    function _breakerBps() internal pure override returns (uint16) {
        return 2;
    }

    function _introduceEverybody() private {
        for (uint256 i = 0; i < 5; ++i) {
            uint256 key = i < 3 ? keeperKeys[i] : uint256(keccak256(abi.encode("keeper", i)));
            store.addCandidate(key, vm.addr(key), i < 3 ? keepers.keeperAt(i).weight : 0);
            _introduce(vm.addr(key));
        }
        for (uint256 i = 0; i < 3; ++i) {
            _introduce(renters[i]);
        }
        _introduce(miners[0]);
        _introduce(miners[1]);
        _introduce(TREASURY);
        _introduce(OWNER);
        _introduce(GUARDIAN);
        _introduce(JUDGE);
        _introduce(STRANGER);
    }

    function _introduce(address account) private {
        store.introduce(account, MAPPING.addressMapping(account));
    }

    function _createHandlers() private {
        System memory s = System(keepers, vault, escrow, arbiter, bids, store);
        _createParties(s);
        _createOthers(s);
        for (uint256 i = 0; i < actors.length; ++i) {
            targetContract(actors[i]);
            targetSelector(FuzzSelector(actors[i], actions[i]));
        }
    }

    function _createParties(System memory s) private {
        MinerHandler m = new MinerHandler(s);
        _plays(address(m));
        _can(m.register.selector, 2);
        _can(m.rebind.selector, 1);
        _can(m.retire.selector, 2);
        _can(m.setEndpoint.selector, 1);
        _can(m.deposit.selector, 3);
        _can(m.requestExit.selector, 2);
        _can(m.cancelExit.selector, 1);
        _can(m.forgetToWithdraw.selector, 1);
        _can(m.withdraw.selector, 2);
        _can(m.offer.selector, 4);
        _can(m.withdrawOffer.selector, 1);
        _can(m.abandon.selector, 2);
        _can(m.appeal.selector, 4);
        RenterHandler r = new RenterHandler(s);
        _plays(address(r));
        _can(r.rent.selector, 8);
        _can(r.rentFor.selector, 3);
        _can(r.extend.selector, 3);
        _can(r.end.selector, 1);
        BidderHandler b = new BidderHandler(s);
        _plays(address(b));
        _can(b.post.selector, 2);
        _can(b.fill.selector, 4);
        _can(b.giveUp.selector, 1);
        KeeperHandler k = new KeeperHandler(s);
        _plays(address(k));
        _can(k.interrupted.selector, 4);
        _can(k.offline.selector, 5);
        _can(k.notDelivered.selector, 4);
        _can(k.spoofed.selector, 4);
    }

    function _createOthers(System memory s) private {
        PublicHandler p = new PublicHandler(s);
        _plays(address(p));
        _can(p.claim.selector, 3);
        _can(p.close.selector, 2);
        _can(p.closeMany.selector, 1);
        _can(p.execute.selector, 5);
        _can(p.setPayoutAccount.selector, 1);
        _can(p.withdrawCredit.selector, 2);
        _can(p.flushBurn.selector, 1);
        _can(p.sweep.selector, 1);
        OfficeHandler o = new OfficeHandler(s);
        _plays(address(o));
        _can(o.rule.selector, 4);
        _can(o.pause.selector, 1);
        _can(o.unpause.selector, 2);
        _can(o.sunset.selector, 1);
        _can(o.setClassBond.selector, 1);
        _can(o.appoint.selector, 2);
        _can(o.dismiss.selector, 1);
        StrangerHandler n = new StrangerHandler(s);
        _plays(address(n));
        _can(n.actAsSibling.selector, 1);
        _can(n.actAsOwner.selector, 1);
        _can(n.actAsOffice.selector, 1);
        _can(n.actAsMiner.selector, 1);
        _can(n.actAsParty.selector, 1);
        _can(n.actAsRenter.selector, 1);
        _can(n.fileAlone.selector, 1);
        StatingHandler t = new StatingHandler(s);
        _plays(address(t));
        _can(t.state.selector, 6);
        _can(t.stateAndRent.selector, 4);
        _can(t.rentAgain.selector, 4);
        _can(t.extendBeyondItsCover.selector, 8);
        WorldHandler w = new WorldHandler(s);
        _plays(address(w));
        _can(w.waitSome.selector, 4);
        _can(w.waitHours.selector, 3);
        _can(w.waitDays.selector, 1);
        _can(w.waitForEdge.selector, 3);
        _can(w.moveHotkey.selector, 1);
        _can(w.refusePayouts.selector, 1);
        _can(w.force.selector, 1);
    }

    function _plays(address actor) private {
        actors.push(actor);
        actions.push();
    }

    /// @dev The actor last named. An action named more often is fuzzed more often.
    function _can(bytes4 action, uint256 times) private {
        for (uint256 i = 0; i < times; ++i) {
            actions[actions.length - 1].push(action);
        }
    }

    /// @dev Through the handlers, so that the store knows.
    function _openShop() private {
        MinerHandler(actors[0]).register(0, 2); // with no TAO at all
        MinerHandler(actors[0]).offer(2, 1_000, uint256(2 days) << 32 | 600, 1, 30 days);
        for (uint256 i = 0; i < 2; ++i) {
            MinerHandler m = MinerHandler(actors[0]);
            m.register(i, i);
            m.deposit(i, 6e9 + i * 4e9);
            m.offer(i, 1_000, uint256(2 days) << 32 | 600, 1, 30 days);
        }
    }
}
