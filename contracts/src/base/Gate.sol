// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { IGate } from "../interfaces/IGate.sol";
import { Timestamp, plusSecs, timeNow } from "../types/Units.sol";
import { Governed } from "./Governed.sol";
import { RaoLedger } from "./RaoLedger.sol";

/// @title Whether new business is taken (see IGate)
/// @dev Its two fields are in the slot of the books, which most new business writes anyway.
abstract contract Gate is RaoLedger, IGate, Governed {
    uint32 public constant MAX_PAUSE_SECS = 7 days;
    uint32 public constant BETWEEN_PAUSES_SECS = 30 days;

    /// @inheritdoc IGate
    address public guardian;

    modifier onlyGuardian() {
        require(msg.sender == guardian, Gate_OnlyGuardian(msg.sender));
        _;
    }

    /// @inheritdoc IGate
    function pause(uint32 secs) external onlyGuardian {
        require(secs != 0 && secs <= MAX_PAUSE_SECS, Gate_BadPause(secs, MAX_PAUSE_SECS));
        Timestamp last = _books.pausedUntil;
        if (Timestamp.unwrap(last) != 0) {
            Timestamp notBefore = plusSecs(last, BETWEEN_PAUSES_SECS);
            require(notBefore <= timeNow(), Gate_TooSoon(notBefore));
        }
        Timestamp until = plusSecs(timeNow(), secs);
        _books.pausedUntil = until;
        emit Paused(until);
    }

    /// @inheritdoc IGate
    function unpause() external onlyGuardian {
        require(timeNow() < _books.pausedUntil, Gate_NotPaused());
        _books.pausedUntil = timeNow();
        emit Unpaused();
    }

    /// @inheritdoc IGate
    function setGuardian(address newGuardian) external onlyOwner {
        _setGuardian(newGuardian);
    }

    /// @inheritdoc IGate
    function sunset() external onlyOwner {
        require(!_books.sunset, Gate_Sunset());
        _books.sunset = true;
        emit Sunset();
    }

    /// @inheritdoc IGate
    function requireOpen() external view {
        _requireOpen();
    }

    /// @inheritdoc IGate
    function gate() external view returns (Timestamp pausedUntil, bool isSunset) {
        return (_books.pausedUntil, _books.sunset);
    }

    function _setGuardian(address newGuardian) internal {
        guardian = newGuardian;
        emit GuardianSet(newGuardian);
    }

    function _requireOpen() internal view {
        require(!_books.sunset, Gate_Sunset());
        Timestamp until = _books.pausedUntil;
        require(until <= timeNow(), Gate_Paused(until));
    }
}
