// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Rao, Timestamp } from "../types/Units.sol";
import { IGate } from "./IGate.sol";
import { IRaoLedger } from "./IRaoLedger.sol";
import { IStatedBonds } from "./IStatedBonds.sol";

/// @title Where miners' bonds are
/// @notice A node is a machine as registered: the machine's SSH host key, the miner's address and hotkey, and a bond.
/// Each registration is a node of its own with a dense number from 1, so that whoever registers the same machine
/// later inherits nothing, neither debts nor offers nor certificates.
/// @dev Assumption (safety): RentalEscrow and Arbiter, named at deployment, are the contracts of this repository.
/// Even so, what they can do here is bounded: Escrow can bind and release bond of a node, Arbiter can move it to
/// `held` and from there back or to the burn account. Neither can pay anybody.
interface ICollateralVault is IRaoLedger, IGate, IStatedBonds {
    /// @notice What the vault is deployed with; nothing of it can change but the guardian.
    /// @param netuid The subnet.
    /// @param netuidHash twox64 of the netuid's two little-endian bytes (a storage key needs it, see Subtensor.sol).
    /// A wrong one lets nobody register.
    /// @param escrow The RentalEscrow.
    /// @param arbiter The Arbiter.
    /// @param keepers The keeper set, whose quorum states bonds elsewhere.
    /// @param exitDelaySecs From requesting an exit to being able to withdraw.
    /// @param exitWindowSecs How long a matured exit can be withdrawn before it lapses.
    /// @param statementLifeSecs How old a statement of a bond elsewhere may be.
    /// @param statedFilingSecs How long after a rental's close the vault of a stated bond takes its cases.
    /// @param guardian Who may pause new business; zero: nobody.
    struct Config {
        uint16 netuid;
        bytes8 netuidHash;
        address escrow;
        address arbiter;
        address keepers;
        uint32 exitDelaySecs;
        uint32 exitWindowSecs;
        uint32 statementLifeSecs;
        uint32 statedFilingSecs;
        address guardian;
    }

    /// @notice Where a machine's SSH server listens.
    /// @param ip IPv6, or IPv4 as v4-mapped IPv6.
    /// @param port TCP port.
    struct Endpoint {
        bytes16 ip;
        uint16 port;
    }

    /// @notice A node, all of it.
    /// @dev `freeRao` and `exitingRao` are as they stand now: a lapsed exit is free again without anybody having
    /// written it down. `exitReadyAt` is 0 while nothing is exiting, `endpoint` while the machine has a newer node.
    /// `firstRental` and `secondRental` are the rentals not closed that it backs, in no order; 0: none. What was stated
    /// of bonds elsewhere up to `outdatedAt` says nothing any more; 0: nothing has happened.
    struct NodeView {
        bytes32 machine;
        address miner;
        bytes32 hotkey;
        uint16 uid;
        uint32 registration;
        Endpoint endpoint;
        Rao free;
        Rao reserved;
        Rao held;
        Rao exiting;
        Timestamp exitReadyAt;
        uint64 firstRental;
        uint64 secondRental;
        Timestamp outdatedAt;
        bool retired;
    }

    /// @notice A constructor argument makes no sense.
    error CollateralVault_BadConfig(string what);
    error CollateralVault_OnlyEscrow(address caller);
    error CollateralVault_OnlyArbiter(address caller);
    error CollateralVault_OnlyMiner(bytes32 machine, address miner, address caller);
    error CollateralVault_AlreadyRegistered(bytes32 machine, address miner);
    error CollateralVault_NotRegistered(bytes32 machine);

    /// @notice No such registration, or a retired one.
    error CollateralVault_NoNode(uint32 registration);

    /// @notice The chain does not associate the caller with `uid` (or `uidHash` is not twox64 of it).
    error CollateralVault_NotAssociated(uint16 uid, address associated, address caller);

    /// @notice Another hotkey, or none, sits at `uid`.
    error CollateralVault_HotkeyNotAtUid(uint16 uid, bytes32 found, bytes32 wanted);

    /// @notice No hotkey sits at `uid`.
    error CollateralVault_NoHotkey(uint16 uid);

    /// @notice `machineSig` is not the machine's host key's signature of `registrationDigest`.
    error CollateralVault_BadMachineSignature(bytes32 machine, bytes32 digest);
    error CollateralVault_BadEndpoint(bytes16 ip, uint16 port);
    error CollateralVault_ZeroAmount();
    error CollateralVault_NotEnoughFree(bytes32 machine, Rao free, Rao wanted);
    error CollateralVault_NoExit(bytes32 machine);
    error CollateralVault_ExitNotReady(bytes32 machine, Timestamp readyAt, Timestamp closesAt);
    /// @notice Only an empty node can be retired: withdraw the bond, close the rentals, wait for the cases.
    error CollateralVault_NotEmpty(bytes32 machine, Rao bonded, bool hasOpenRental);

    /// @notice A node backs at most two rentals that are not closed: close one first (RentalEscrow.close).
    error CollateralVault_TwoOpenRentals(uint32 registration);

    /// @notice The node does not back this rental, or not any more.
    error CollateralVault_NotOpen(uint32 registration, uint64 rental);

    /// @notice A rental covered by a bond elsewhere cannot be given up: its part of the penalty could not be taken.
    error CollateralVault_Covered(uint64 rental);
    error CollateralVault_NotHeld(uint32 registration, Rao held, Rao wanted);

    event Registered(
        bytes32 indexed machine, address indexed miner, uint32 indexed registration, bytes32 hotkey, uint16 uid
    );
    event Rebound(bytes32 indexed machine, uint32 indexed registration, bytes32 hotkey, uint16 uid);
    event Retired(bytes32 indexed machine, uint32 indexed registration);
    event EndpointSet(bytes32 indexed machine, bytes16 ip, uint16 port);
    event Deposited(bytes32 indexed machine, Rao amount, Rao free);
    event ExitRequested(bytes32 indexed machine, Rao amount, Timestamp readyAt);
    event ExitCancelled(bytes32 indexed machine, Rao amount);
    event Withdrawn(bytes32 indexed machine, address indexed miner, Rao amount);
    event Reserved(uint32 indexed registration, uint64 indexed rental, Rao added);
    event Released(uint32 indexed registration, uint64 indexed rental, Rao amount);
    event SetAside(uint32 indexed registration, Rao amount);
    event Forfeited(uint32 indexed registration, Rao amount);
    event GivenBack(uint32 indexed registration, Rao amount);

    /* MINER */

    /// @notice Registers a machine for the caller.
    /// @dev Warning: `machineSig` shows possession of the host key at the time of signing, not that nobody else has
    /// a copy. Warning: losing the association later changes nothing; a hotkey that leaves its uid stops new rentals
    /// and extensions. Neither ever binds money.
    /// @param machine The machine's ed25519 SSH host key.
    /// @param hotkey The miner's hotkey, which must sit at `uid`.
    /// @param uid The miner's uid on the subnet; the chain must associate the caller with it.
    /// @param uidHash twox64 of the uid's two little-endian bytes.
    /// @param endpoint Where the machine's SSH server listens.
    /// @param machineSig ed25519 signature (R ‖ s) by `machine` of `registrationDigest(machine, hotkey, caller)`.
    /// @return registration The new node's number.
    function register(
        bytes32 machine,
        bytes32 hotkey,
        uint16 uid,
        bytes8 uidHash,
        Endpoint calldata endpoint,
        bytes32[2] calldata machineSig
    ) external returns (uint32 registration);

    /// @notice Binds the node to the hotkey that sits at `uid` now. Its miner only; the chain must associate the caller
    /// with `uid`. Repairs a node whose hotkey was swapped or got another uid. Running rentals do not notice.
    function rebind(bytes32 machine, uint16 uid, bytes8 uidHash) external;

    /// @notice Gives the machine's key free for another registration. Its miner only, when nothing is left: no bond in
    /// any part and no rental that is not closed. The node stays readable, and owes and is owed nothing.
    function retire(bytes32 machine) external;

    /// @notice Changes where the machine is reached. Its miner only, any time.
    function setEndpoint(bytes32 machine, Endpoint calldata endpoint) external;

    /// @notice Adds to the machine's free bond. Its miner only: a stranger's dust would keep a node from retiring.
    function deposit(bytes32 machine) external payable;

    /// @notice Starts taking `amount` of free bond out. A second request replaces the first and restarts the delay.
    /// @dev Exiting bond backs no new rental from now on, and can still be set aside for `Spoofed`.
    function requestExit(bytes32 machine, Rao amount) external;

    /// @notice Makes exiting bond free again.
    function cancelExit(bytes32 machine) external;

    /// @notice Turns a matured exit into the miner's credit, inside its window; after the window it is free again.
    function withdraw(bytes32 machine) external;

    /* ESCROW */

    /// @notice Raises what is behind `rental` to `total`: out of the node's free bond, and as far as that does not do,
    /// by a stated bond (IStatedBonds) which stays until cases of a rental closable at `until` are filed. RentalEscrow
    /// only.
    /// @dev Reverts unless new business is taken, the node is not retired and its hotkey is still at its uid. A rental
    /// reserved for the first time is open until `release`; a node backs at most two open ones.
    function reserve(uint32 registration, uint64 rental, Rao total, Timestamp until) external;

    /// @notice The rental is closed: what is still reserved for it becomes free. RentalEscrow only.
    function release(uint32 registration, uint64 rental) external;

    /// @notice The miner gave the rental up: up to `amount` of its reserve is burned. RentalEscrow only. Reverts where
    /// a stated bond covers the rental.
    /// @return taken What is burned.
    function forfeitReserved(uint32 registration, uint64 rental, Rao amount) external returns (Rao taken);

    /* ARBITER */

    /// @notice Moves up to `amount` of a rental's reserve into `held`. Arbiter only. Never reverts for want of money.
    /// @return taken What was moved.
    function setAside(uint32 registration, uint64 rental, Rao amount) external returns (Rao taken);

    /// @notice Moves up to `amount` into `held`: exiting bond first, then free, then what is behind rentals. For
    /// `Spoofed`. Arbiter only. Never reverts for want of money.
    /// @return taken What was moved.
    function setAsideAny(uint32 registration, Rao amount) external returns (Rao taken);

    /// @notice Held bond is burned. Arbiter only.
    function forfeit(uint32 registration, Rao amount) external;

    /// @notice Held bond is free again. Arbiter only.
    function giveBack(uint32 registration, Rao amount) external;

    /* VIEWS */

    /// @notice The 32 bytes a machine's host key signs to be registered: binds purpose, chain, contract, machine,
    /// hotkey, miner and the machine's previous registration, so a signature serves once.
    function registrationDigest(bytes32 machine, bytes32 hotkey, address miner) external view returns (bytes32);

    /// @notice Registrations ever made; `nodeAt` takes 1 .. count.
    function registrationCount() external view returns (uint32);

    /// @notice The node of a registration number. Retired nodes stay readable.
    function nodeAt(uint32 registration) external view returns (NodeView memory);

    /// @notice The machine's current registration and its miner; zeros when it has none.
    function ownerOf(bytes32 machine) external view returns (uint32 registration, address miner);

    /// @notice The miner of a registration.
    function minerOf(uint32 registration) external view returns (address);

    /// @notice The machine of a registration.
    function machineOf(uint32 registration) external view returns (bytes32);

    /// @notice The machine's bond: `bonded == free + reserved + held + exiting`.
    function bondOf(bytes32 machine) external view returns (Rao bonded, Rao reserved, Rao held, Rao exiting, Rao free);

    /// @notice What backs a rental that is not closed, in TAO; else 0. What a stated bond adds is `coverOf`.
    function reservedFor(uint32 registration, uint64 rental) external view returns (Rao);

    /// @notice Everything the vault owes miners: all bonds, and credit not yet withdrawn.
    function owedToMiners() external view returns (Rao);

    /* IMMUTABLES */

    function ESCROW() external view returns (address);
    function ARBITER() external view returns (address);
    function EXIT_DELAY_SECS() external view returns (uint32);
    function EXIT_WINDOW_SECS() external view returns (uint32);
}
