// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { Rao, RaoPerSecond, Timestamp } from "../types/Units.sol";
import { ICollateralVault } from "./ICollateralVault.sol";
import { IRaoLedger } from "./IRaoLedger.sol";
import { IRentalEscrow } from "./IRentalEscrow.sol";

/// @title Where wishes wait for machines
/// @notice A renter escrows a wish: so many GPUs of a class, for so long, at no more than so much a second. Anybody may
/// match it with a live offer that fits; the rental is then an ordinary one, at the offer's price, and what it costs
/// less than the wish is credit at once. A wish not matched goes back, whenever its renter or time says so.
/// @dev A contract of its own: it holds only unmatched wishes, so that a fault here cannot reach a rental. A miner's
/// consent is the offer; whoever matches gains nothing by it.
interface IRentalBids is IRaoLedger {
    enum Status {
        None,
        Open,
        Filled, // a rental
        Returned // the renter's credit
    }

    /// @notice A wish. Three slots.
    /// @param renter Who gets the rental, or the money back.
    /// @param maxPrice The most a machine may cost.
    /// @param gpuClass GPU class id.
    /// @param gpuCount Least number of GPUs.
    /// @param expiresAt From then on it is not filled any more.
    /// @param durationSecs How long.
    /// @param status What became of it.
    /// @param rental Which rental it became; 0: none.
    /// @param renterKey The ed25519 SSH key the machine is to let in.
    struct Bid {
        // slot 0
        address renter;
        RaoPerSecond maxPrice;
        uint16 gpuClass;
        uint8 gpuCount;
        Timestamp expiresAt;
        // slot 1
        uint32 durationSecs;
        Status status;
        uint64 rental;
        // slot 2
        bytes32 renterKey;
    }

    error RentalBids_BadConfig(string what);

    /// @notice A wish makes no sense.
    error RentalBids_BadBid(string what);
    error RentalBids_WrongPayment(Rao paid, Rao cost);
    error RentalBids_NotOpen(uint64 bid, Status status);
    error RentalBids_Expired(uint64 bid, Timestamp expiresAt);
    error RentalBids_OnlyRenter(uint64 bid, address renter, address caller, Timestamp expiresAt);

    /// @notice The machine's live offer is of another class, smaller, or dearer than the wish.
    error RentalBids_DoesNotFit(uint64 bid, uint16 gpuClass, uint8 gpuCount, RaoPerSecond price);

    event BidPosted(uint64 indexed bid, address indexed renter, Bid terms, Rao paid);
    event BidFilled(uint64 indexed bid, uint64 indexed rental, bytes32 indexed machine, Rao cost, Rao change);
    event BidReturned(uint64 indexed bid, Rao amount);

    /// @notice Posts a wish, paying `maxPrice * durationSecs` exactly.
    /// @return bid Dense id, from 1.
    function post(
        uint16 gpuClass,
        uint8 gpuCount,
        uint32 durationSecs,
        RaoPerSecond maxPrice,
        bytes32 renterKey,
        Timestamp expiresAt
    ) external payable returns (uint64 bid);

    /// @notice Turns an open bid into a rental of `machine`, whose live offer must be of the class, have the GPUs and
    /// ask no more; everything RentalEscrow asks of a rental holds. Anybody may call.
    /// @dev Warning: a bid is a limit. A miner who sees it may raise an offer up to it before it is filled; who wants a
    /// certain offer at its price rents it.
    /// @param certificates As for RentalEscrow.rent.
    /// @return rental The rental.
    function fill(uint64 bid, bytes32 machine, IRentalEscrow.SignedCertificate[] calldata certificates)
        external
        returns (uint64 rental);

    /// @notice Makes an open bid its renter's credit: by the renter any time, by anybody once it has expired.
    function giveUp(uint64 bid) external;

    /// @notice Bids ever posted; `bidAt` takes 1 .. count.
    function bidCount() external view returns (uint64);

    /// @notice A bid, whatever became of it.
    function bidAt(uint64 bid) external view returns (Bid memory);

    /* IMMUTABLES */

    function ESCROW() external view returns (IRentalEscrow);
    function VAULT() external view returns (ICollateralVault);
}
