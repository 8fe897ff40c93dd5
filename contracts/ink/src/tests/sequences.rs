//! Random sequences of everything, from a seed, with sums kept beside: what nobody may ever break.

use super::harness::*;
use crate::types::*;
use alpha_model::Account;

/// splitmix64: enough for choosing, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

const OWNERS: [Account; 3] = [ALICE, BOB, CAROL];

/// What the sequence knows by itself.
#[derive(Default)]
struct Ghost {
    deposited: [u64; 3],
    withdrawn: [u64; 3],
    came: u64,
    rental: u64,
    cases: u32,
    done: [u32; 9],
}

struct Run {
    world: World,
    dice: Dice,
    ghost: Ghost,
    hotkey: Account,
    swaps: u8,
}

impl Run {
    fn new(seed: u64) -> Self {
        let world = World::new();
        world.chain.borrow_mut().rounding = seed % 4;
        world.chain.borrow_mut().min_transfer = 2_000;
        Run { world, dice: Dice(seed), ghost: Ghost { rental: 1, ..Ghost::default() }, hotkey: OPERATOR, swaps: 0 }
    }

    fn step(&mut self) {
        let who = self.dice.roll(3) as usize;
        let what = self.dice.roll(9) as usize;
        let worked = match what {
            0 => self.deposit(who),
            1 => self.request(who),
            2 => self.world.call(OWNERS[who], |vault| vault.cancel_exit(MACHINE)).is_ok(),
            3 => self.withdraw(who),
            4 => self.dividends(),
            5 => self.file(who),
            6 => self.decide(),
            7 => self.swap(),
            _ => self.wait(who),
        };
        self.ghost.done[what] += u32::from(worked);
        self.check();
    }

    /// Some time, or just until an exit opens: left to chance alone hardly any would be met open.
    fn wait(&mut self, who: usize) -> bool {
        let number = self.world.vault.bond_number(id(OWNERS[who]), MACHINE);
        let ready_at = number.and_then(|n| self.world.vault.bond_at(n)).map_or(0, |view| view.bond.ready_at);
        let secs = self.dice.roll(2 * DAY);
        self.world.wait(if self.dice.roll(2) == 0 { secs } else { ready_at.saturating_sub(self.world.now) });
        true
    }

    fn deposit(&mut self, who: usize) -> bool {
        let (amount, hotkey) = (1 + self.dice.roll(50 * COIN), self.hotkey);
        let arrived = self.world.call(OWNERS[who], |vault| vault.deposit(MACHINE, id(hotkey), amount));
        self.ghost.deposited[who] += arrived.clone().unwrap_or(0);
        arrived.is_ok()
    }

    fn request(&mut self, who: usize) -> bool {
        let number = self.world.vault.bond_number(id(OWNERS[who]), MACHINE);
        let exiting = number.and_then(|n| self.world.vault.bond_at(n)).is_some_and(|view| view.exiting_rao > 0);
        if exiting && self.dice.roll(8) > 0 {
            return false; // a new request restarts the delay: then nothing would ever leave
        }
        let amount = (self.dice.roll(2) == 0).then(|| self.dice.roll(60 * COIN));
        self.world.call(OWNERS[who], |vault| vault.request_exit(MACHINE, amount)).is_ok()
    }

    fn withdraw(&mut self, who: usize) -> bool {
        let paid = self.world.call(OWNERS[who], |vault| vault.withdraw(MACHINE, 0));
        self.ghost.withdrawn[who] += paid.clone().unwrap_or(0);
        paid.is_ok()
    }

    fn dividends(&mut self) -> bool {
        let came = self.dice.roll(COIN);
        self.world.chain.borrow_mut().arrive(self.hotkey, self.world.account, came);
        self.ghost.came += came;
        true
    }

    fn file(&mut self, who: usize) -> bool {
        let alpha = 1 + self.dice.roll(100 * COIN);
        let backing = Backing {
            owner: id(OWNERS[who]),
            rental: self.ghost.rental,
            case_id: self.ghost.rental,
            tao_reserve: self.dice.roll(COIN),
            alpha,
            alpha_value: 1 + self.dice.roll(alpha * 2),
            earned: self.dice.roll(100 * COIN),
            ..self.world.backing()
        };
        self.ghost.rental += 1;
        let filed = self.world.file(Kind::Offline, &backing);
        self.ghost.cases = filed.clone().unwrap_or(self.ghost.cases);
        filed.is_ok()
    }

    fn decide(&mut self) -> bool {
        let case = 1 + self.dice.roll(u64::from(self.ghost.cases) + 1) as u32;
        let Some(found) = self.world.vault.case_at(case) else { return false };
        let owner: Account = *self.world.vault.bond_at(found.bond).unwrap().bond.owner.as_ref();
        let price = found.appeal_price();
        match self.dice.roll(4) {
            0 => self.world.pay(owner, price, |vault| vault.appeal(case, [0; 32])).is_ok(),
            1 => self.world.call(JUDGE, |vault| vault.rule(case, true)).is_ok(),
            2 => self.world.call(JUDGE, |vault| vault.rule(case, false)).is_ok(),
            _ => self.world.execute(case).is_ok(),
        }
    }

    fn swap(&mut self) -> bool {
        self.swaps += 1;
        let new = [0x20 + self.swaps % 100; 32];
        self.world.chain.borrow_mut().swap_hotkey(self.hotkey, new);
        self.hotkey = new;
        // Where next to nothing is there, nothing seems to be missing: then it can be gathered once something is.
        let followed = self.world.call(ANYBODY, |vault| vault.follow_swap(id(new)));
        if followed.is_err() {
            self.world.chain.borrow_mut().swap_hotkey(new, OPERATOR);
            let old = *self.world.vault.books().hotkey.as_ref();
            self.world.chain.borrow_mut().swap_hotkey(OPERATOR, old);
            self.hotkey = old;
        }
        followed.is_ok()
    }

    /// Shares add up; claims never exceed the stake; nobody is ahead of what he put in and what came by itself; TAO
    /// that is owed is there.
    fn check(&self) {
        let books = self.world.vault.books();
        let views: Vec<_> = (1..=books.bonds).map(|number| self.world.vault.bond_at(number).unwrap()).collect();
        let shares: u128 = views.iter().map(|v| v.bond.free + v.bond.exiting + v.bond.held).sum();
        assert_eq!(shares + books.to_burn, books.shares);
        let claims: u64 = views.iter().map(|v| v.free_rao + v.exiting_rao + v.held_rao).sum();
        assert!(claims <= books.stake, "{claims} claimed of {}", books.stake);
        for (who, owner) in OWNERS.iter().enumerate() {
            let Some(number) = self.world.vault.bond_number(id(*owner), MACHINE) else { continue };
            let v = self.world.vault.bond_at(number).unwrap();
            let has = v.free_rao + v.exiting_rao + v.held_rao + self.ghost.withdrawn[who];
            assert!(has <= self.ghost.deposited[who] + self.ghost.came + 10 * 1_000);
        }
        let held: u128 = views.iter().map(|v| v.bond.held).sum();
        let pending = (1..=books.cases).filter_map(|n| self.world.vault.case_at(n)).filter(Case::is_pending);
        let (aside, bonds) = pending.fold((0, 0), |(s, b), case| {
            (s + case.shares, b + if case.status == Status::Appealed { case.appeal_bond } else { 0 })
        });
        assert_eq!(held, aside);
        let credit: u64 = OWNERS.iter().map(|owner| self.world.vault.credit_of(id(*owner))).sum();
        assert_eq!(books.tao_owed, bonds + credit + books.tao_to_burn);
        assert!(self.world.tao(self.world.account) >= books.tao_owed);
        self.check_alpha(&books);
    }

    /// No alpha comes from nowhere.
    fn check_alpha(&self, books: &BooksView) {
        let (put, out) = (self.ghost.deposited.iter().sum::<u64>(), self.ghost.withdrawn.iter().sum::<u64>());
        let burned = self.world.chain.borrow().burned;
        assert!(books.stake + out + burned <= put + self.ghost.came);
    }

    /// Everybody leaves: cases are decided, exits are paid.
    fn everybody_leaves(mut self) {
        self.world.wait(10 * DAY);
        for case in 1..=self.ghost.cases {
            let _decided_before = self.world.execute(case);
        }
        for owner in OWNERS {
            let _nothing_there = self.world.call(owner, |vault| vault.request_exit(MACHINE, None));
        }
        self.world.wait(14 * DAY);
        for who in 0..3 {
            self.withdraw(who);
            self.check();
        }
        let books = self.world.vault.books();
        let left: u128 = (1..=books.bonds).map(|n| self.world.vault.bond_at(n).unwrap().bond.unheld()).sum();
        // Below the chain's least transfer nothing leaves.
        assert!(left <= 3 * 2_001 * 1_100_000, "{left} shares stayed");
    }
}

#[test]
fn no_sequence_makes_anybody_richer_than_he_may_be_and_everybody_gets_out() {
    let mut done = [0u32; 9];
    for seed in 0..40 {
        let mut run = Run::new(seed);
        for _ in 0..120 {
            run.step();
        }
        for (sum, one) in done.iter_mut().zip(run.ghost.done) {
            *sum += one;
        }
        run.everybody_leaves();
    }
    // A sequence that reaches nothing proves nothing.
    assert!(done.iter().all(|times| *times >= 20), "{done:?}");
}
