// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { BondModel } from "./BondModel.sol";

/// @title What was said of bonds elsewhere, and what has to be behind each rental, worked out without the contracts
abstract contract StatedModel is BondModel {
    /// @dev What a quorum said, the least of all that its signers said.
    struct Word {
        bytes32 vault;
        bytes32 owner;
        uint32 registration;
        uint64 rental;
        bool over;
        uint64 alpha;
        uint64 value;
        uint32 statedAt;
        uint32 until;
    }

    /// @dev By which word a rental is covered (0: by none), and what the rule asked for when it was begun or extended.
    struct Covered {
        uint64 word;
        uint64 alpha;
        uint64 value;
        uint64 tao;
        uint64 required;
    }

    enum Refusal {
        None,
        NoBond, // and nothing was said; `a` free, `b` missing
        OtherRental,
        Stale, // of `a`, and must not be of before `b`
        TooShort, // until `a`, and must be until `b`
        NotEnough // `a` left, `b` wanted
    }

    /// @dev What comes of asking for bond behind a rental.
    struct Answer {
        Refusal refusal;
        uint64 word;
        uint64 a;
        uint64 b;
        uint64 tao;
        Covered cover;
    }

    uint32 private constant WORD_LIFE = 1 days;
    uint32 private constant FILING = 3 days;
    uint32 private constant WINDOW = 3 days;

    uint64 public words;

    mapping(uint64 word => Word) private _words;
    mapping(uint32 registration => uint64 word) public newestWordOf;
    mapping(uint64 rental => Covered) private _covered;

    /* READING */

    function wordAt(uint64 word) external view returns (Word memory) {
        return _words[word];
    }

    function coveredOf(uint64 rental) external view returns (Covered memory) {
        return _covered[rental];
    }

    /// @dev `rental` 0, or a number that the node does not back yet: a new one, that can be closed at `closesAt`.
    function ask(uint32 registration, uint64 rental, uint64 required, uint32 closesAt, uint32 time)
        public
        view
        returns (Answer memory r)
    {
        uint64 free = _freeOf(registration, time);
        uint64 have = _backings[rental].intact;
        Covered memory old = _covered[rental];
        if (_words[old.word].until < closesAt + FILING) old = Covered(0, 0, 0, 0, 0);
        uint64 missing = _less(_less(required, old.value), have);
        r.cover = old;
        r.tao = have + _min(missing, free);
        if (missing > free) {
            (r.a, r.b) = (free, missing);
            _coverRest(r, registration, rental, closesAt, time);
        }
        r.cover.required = required;
        if (r.cover.word != 0) r.cover.tao = r.tao;
    }

    /* WRITING */

    function say(Word calldata word) external returns (uint64 number) {
        number = ++words;
        _words[number] = word;
        newestWordOf[word.registration] = number;
    }

    /// @dev As `ask` answers, which must be no refusal. True: something covers it now.
    function back(uint32 registration, uint64 rental, uint64 required, uint32 closesAt, uint32 time)
        external
        returns (bool covered)
    {
        Answer memory r = ask(registration, rental, required, closesAt, time);
        require(r.refusal == Refusal.None, "the model would have refused it");
        _back(registration, rental, r.tao);
        _covered[rental] = r.cover;
        return r.cover.word != 0;
    }

    /* INTERNALS */

    /// @dev All free bond is used; the newest word has to serve for what is missing beside it.
    function _coverRest(Answer memory r, uint32 registration, uint64 rental, uint32 closesAt, uint32 time)
        private
        view
    {
        uint64 number = newestWordOf[registration];
        r.word = number;
        Word memory w = _words[number];
        if (number == 0) {
            r.refusal = Refusal.NoBond;
        } else if (!_isMeant(w, registration, rental) && _covered[rental].word != number) {
            r.refusal = Refusal.OtherRental;
        } else if (w.statedAt + WORD_LIFE < time || w.statedAt <= _bonds[registration].outdatedAt) {
            uint32 outdatedAt = _bonds[registration].outdatedAt;
            r.b = time - WORD_LIFE < outdatedAt ? outdatedAt : time - WORD_LIFE;
            (r.refusal, r.a) = (Refusal.Stale, w.statedAt);
        } else if (w.until < closesAt + FILING) {
            (r.refusal, r.a, r.b) = (Refusal.TooShort, w.until, closesAt + FILING);
        } else {
            _takeOf(r, w, _left(w, registration, rental));
        }
    }

    function _takeOf(Answer memory r, Word memory w, uint64 left) private pure {
        uint64 value = r.cover.value + r.b - r.a;
        // The least alpha that is worth no less.
        uint256 alpha = uint256(value) * w.alpha / w.value;
        if (alpha * w.value < uint256(value) * w.alpha) ++alpha;
        if (alpha > left) {
            (r.refusal, r.a, r.b) = (Refusal.NotEnough, uint64(uint256(left) * w.value / w.alpha), value);
        } else {
            // forge-lint: disable-next-line(unsafe-typecast) at most what is left
            r.cover = Covered(r.word, uint64(alpha), value, 0, 0);
        }
    }

    /// @dev Said after the node's last rental, for a new one; said during it, for that one.
    function _isMeant(Word memory w, uint32 registration, uint64 rental) private view returns (bool) {
        uint64 last = _bonds[registration].lastRental;
        return w.rental == last && w.over == (rental == 0 || rental != last);
    }

    /// @dev What no other rental that is open has of the same bond.
    function _left(Word memory w, uint32 registration, uint64 rental) private view returns (uint64 left) {
        left = w.alpha;
        uint64[2] memory open = openRentalsOf(registration);
        for (uint256 i = 0; i < 2; ++i) {
            if (open[i] != rental && isOfOneBond(_covered[open[i]].word, w)) {
                left = _less(left, _covered[open[i]].alpha);
            }
        }
    }

    function isOfOneBond(uint64 word, Word memory other) public view returns (bool) {
        return word != 0 && _words[word].vault == other.vault && _words[word].owner == other.owner;
    }

    function _freeOf(uint32 registration, uint32 time) private view returns (uint64) {
        Bond storage b = _bonds[registration];
        return b.exitReadyAt + WINDOW < time ? b.free + b.exiting : b.free;
    }

    function _less(uint64 a, uint64 b) private pure returns (uint64) {
        return a < b ? 0 : a - b;
    }
}
