//! Random sequences of everything that can happen, from a seed, against an oracle that knows no shares: what is fairly
//! whose, kept by rules that a reader can check. Nobody has more than that, and nobody less.

use super::fair::{Fair, ONE};
use super::harness::*;
use crate::books::is_there;
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

/// Kinds of step, as `step` numbers them.
const KINDS: usize = 23;

/// Kinds that are tried more often than the others: what they lead to needs several in a row.
const OFTEN: [usize; 14] = [0, 0, 0, 0, 1, 3, 3, 3, 7, 13, 13, 18, 19, 21];

const STEPS: u64 = 300;

struct Run {
    world: World,
    dice: Dice,
    fair: Fair,
    /// The next number of a rental and of the Arbiter's case.
    next: u64,
    hotkeys: u8,
    rolls: u64,
    /// What the step that runs moved in or out: the rest of a change came by itself.
    expected: u64,
    done: [u32; KINDS],
}

impl Run {
    fn new(seed: u64) -> Self {
        let world = World::new();
        world.chain.borrow_mut().rounding = seed % 4;
        world.chain.borrow_mut().min_transfer = 2_000;
        let (dice, fair) = (Dice(seed), Fair::new());
        Run { world, dice, fair, next: 100, hotkeys: 0, rolls: 0, expected: 0, done: [0; KINDS] }
    }

    fn step(&mut self, number: u64) {
        let who = self.dice.roll(3) as usize;
        let what = self.dice.roll((KINDS + OFTEN.len()) as u64) as usize;
        let what = what.checked_sub(KINDS).map_or(what, |often| OFTEN[often]);
        self.expected = self.total();
        let worked = match what {
            0 => self.deposit(who),
            1 => self.request(who),
            2 => self.dice.roll(3) == 0 && self.world.call(OWNERS[who], |vault| vault.cancel_exit(MACHINE)).is_ok(),
            3 => self.withdraw(who),
            4 => self.dividends(),
            5 => self.file(who),
            6 => self.file_spoofed(who),
            7 => self.appeal(),
            8 => self.rule(),
            9 => self.execute(),
            10 => self.amend(),
            11 => self.hand_over(),
            12 => self.swap(),
            13 => self.follow(),
            14 => self.gather(),
            15 => self.lie(),
            16 => number > STEPS / 2 && self.dice.roll(2) == 0 && self.dissolve(),
            17 => self.world.call(ANYBODY, |vault| vault.wind_up()).is_ok(),
            18 => self.flush(),
            19 => self.world.call(ANYBODY, |vault| vault.flush_appeal_bonds()).is_ok(),
            20 => self.world.call(ANYBODY, |vault| vault.withdraw_credit(id(OWNERS[who]))).is_ok(),
            21 => self.wait(who),
            _ => self.world.call(ANYBODY, |vault| Ok(vault.touch())).is_ok(),
        };
        self.done[what] += u32::from(worked);
        self.settle();
    }

    /// What came by itself is everybody's in proportion; then everything is checked.
    fn settle(&mut self) {
        let books = self.world.vault.books();
        self.fair.came(self.expected, self.total());
        self.fair.crumbs(books.stake, books.shares);
        self.check();
    }

    /* WHAT IS THERE */

    /// All that is the pool's, wherever it is.
    fn total(&self) -> u64 {
        let books = self.world.vault.books();
        match books.wound_up {
            true => books.stake,
            false => self.world.chain.borrow().total(self.world.account),
        }
    }

    fn is_live(&self) -> bool {
        !self.world.vault.books().wound_up
    }

    /// Nothing is missing under the vault's hotkey.
    fn is_whole(&self) -> bool {
        let books = self.world.vault.books();
        books.wound_up || is_there(books.stake, books.seen)
    }

    fn hotkey_of(&self, coldkey: Account) -> Account {
        let chain = self.world.chain.borrow();
        let own = chain.stakes.iter().filter(|((_, owner), _)| *owner == coldkey);
        own.max_by_key(|(_, rao)| **rao).map_or(OPERATOR, |((hotkey, _), _)| *hotkey)
    }

    fn view(&self, who: usize) -> Option<BondView> {
        let number = self.world.vault.bond_number(id(OWNERS[who]), MACHINE)?;
        self.world.vault.bond_at(number)
    }

    fn owner_of(&self, case: &Case) -> usize {
        let owner = self.world.vault.bond_at(case.bond).unwrap().bond.owner;
        OWNERS.iter().position(|one| id(*one) == owner).unwrap()
    }

    fn any_case(&mut self) -> Option<(u32, Case)> {
        let count = u64::from(self.world.vault.books().cases);
        let number = 1 + self.dice.roll(count + 1) as u32;
        self.world.vault.case_at(number).map(|case| (number, case))
    }

    /* OWNERS */

    /// Some time, or just until an exit opens: left to chance alone hardly any would be met open.
    fn wait(&mut self, who: usize) -> bool {
        let ready_at = self.view(who).map_or(0, |view| view.bond.ready_at);
        let secs = self.dice.roll(2 * DAY);
        self.world.wait(if self.dice.roll(2) == 0 { secs } else { ready_at.saturating_sub(self.world.now) });
        true
    }

    fn deposit(&mut self, who: usize) -> bool {
        let (amount, hotkey) = (1 + self.dice.roll(50 * COIN), self.hotkey_of(OWNERS[who]));
        let arrived = self.world.call(OWNERS[who], |vault| vault.deposit(MACHINE, id(hotkey), amount));
        if let Ok(rao) = arrived {
            self.fair.owners[who] += u128::from(rao) * ONE;
            self.expected += rao;
        }
        arrived.is_ok()
    }

    fn request(&mut self, who: usize) -> bool {
        let exiting = self.view(who).is_some_and(|view| view.exiting_rao > 0);
        if exiting && self.dice.roll(8) > 0 {
            return false; // a new request restarts the delay: then nothing would ever leave
        }
        let amount = (self.dice.roll(2) == 0).then(|| self.dice.roll(60 * COIN));
        self.world.call(OWNERS[who], |vault| vault.request_exit(MACHINE, amount)).is_ok()
    }

    fn withdraw(&mut self, who: usize) -> bool {
        let least = self.view(who).map_or(0, |view| view.exiting_rao).saturating_sub(1_000);
        let paid = self.world.call(OWNERS[who], |vault| vault.withdraw(MACHINE, least));
        if let Ok(rao) = paid {
            self.fair.owners[who] = self.fair.owners[who].saturating_sub(u128::from(rao) * ONE);
            self.expected -= rao;
        }
        paid.is_ok()
    }

    /* CASES */

    fn file(&mut self, who: usize) -> bool {
        let alpha = 1 + self.dice.roll(100 * COIN);
        let backing = Backing {
            owner: id(OWNERS[who]),
            case_id: self.next,
            rental: self.next,
            tao_reserve: self.dice.roll(COIN),
            alpha,
            alpha_value: 1 + self.dice.roll(alpha * 2),
            earned: self.dice.roll(100 * COIN),
            ..self.world.backing()
        };
        let kind = if self.dice.roll(3) == 0 { Kind::NotDelivered } else { Kind::Offline };
        self.filed(who, |world| world.file(kind, &backing).ok())
    }

    fn file_spoofed(&mut self, who: usize) -> bool {
        let alpha = 1 + self.dice.roll(20 * COIN);
        let shortfall = Shortfall {
            owner: id(OWNERS[who]),
            case_id: self.next,
            alpha,
            alpha_value: 1 + self.dice.roll(alpha * 2),
            shortfall: self.dice.roll(alpha),
            ..self.world.shortfall()
        };
        let proved_at = self.world.now - 60;
        self.filed(who, |world| world.file_spoofed(&shortfall, proved_at).ok())
    }

    /// A filing takes what it asks for, and of a stake that is not whole the part that its rate says.
    fn filed(&mut self, who: usize, file: impl FnOnce(&mut World) -> Option<u32>) -> bool {
        self.next += 1;
        let (whole, unheld) = (self.is_whole() && self.is_live(), self.view(who).map_or(0, |v| v.bond.unheld()));
        let Some(number) = file(&mut self.world) else { return false };
        let case = self.world.case(number);
        let held = self.fair.hold(number, who, case.shares, unheld);
        let asked = u128::from(case.alpha) * ONE;
        if whole {
            let want = asked.min(self.fair.owners[who] + held);
            assert!(held.abs_diff(want) <= self.fair.slack(), "{held} held where {want} was asked");
        }
        true
    }

    fn appeal(&mut self) -> bool {
        let Some((number, case)) = self.any_case() else { return false };
        let owner = OWNERS[self.owner_of(&case)];
        self.world.pay(owner, case.appeal_price(), |vault| vault.appeal(number, [0; 32])).is_ok()
    }

    fn rule(&mut self) -> bool {
        let Some((number, case)) = self.any_case() else { return false };
        let uphold = self.dice.roll(2) == 0;
        self.decided(number, &case, |world| world.call(JUDGE, |vault| vault.rule(number, uphold)).is_ok())
    }

    fn execute(&mut self) -> bool {
        let Some((number, case)) = self.any_case() else { return false };
        self.decided(number, &case, |world| world.execute(number).is_ok())
    }

    fn amend(&mut self) -> bool {
        let Some((number, case)) = self.any_case() else { return false };
        let (dismissed, earned) = (self.dice.roll(4) == 0, self.dice.roll(3 * COIN));
        self.decided(number, &case, |world| world.amend(number, dismissed, earned).is_ok())
    }

    /// Whatever was decided: what is not held any more and did not go into the pot is its owner's again; of a whole
    /// stake never more went than was asked for, nor less unless less was held.
    fn decided(&mut self, number: u32, before: &Case, decide: impl FnOnce(&mut World) -> bool) -> bool {
        let whole = self.is_whole() && self.is_live();
        let (burned, tao) = (self.burned(), self.total());
        if !decide(&mut self.world) {
            return false;
        }
        let (who, after) = (self.owner_of(before), self.world.case(number));
        let held = self.fair.cases.remove(&number).map_or(0, |(_, held)| held);
        let left = Fair::part(held, after.shares, before.shares);
        if whole && after.status != Status::Dismissed {
            let want = held.min(u128::from(after.alpha) * ONE);
            assert!(left.abs_diff(want) <= self.fair.slack(), "{left} taken where {want} was asked");
        }
        match after.status {
            Status::Dismissed => self.fair.owners[who] += held,
            Status::Executed => {
                self.fair.owners[who] += held - left;
                self.fair.pot += left;
            }
            _ => {
                self.fair.owners[who] += held - left;
                self.fair.cases.insert(number, (who, left));
            }
        }
        let gone = if self.is_live() { self.burned() - burned } else { tao - self.total() };
        self.burn(gone);
        true
    }

    fn burned(&self) -> u64 {
        self.world.chain.borrow().burned
    }

    fn burn(&mut self, rao: u64) {
        self.expected -= rao;
        self.fair.burn(rao, self.world.vault.books().to_burn == 0);
    }

    fn flush(&mut self) -> bool {
        let burned = self.world.call(ANYBODY, |vault| vault.flush_burn());
        self.burn(burned.clone().unwrap_or(0));
        burned.is_ok()
    }

    fn hand_over(&mut self) -> bool {
        let next = roll_of(&self.world.keys, self.rolls + 1);
        let until = self.world.now as u32;
        let hash = crate::eip712::roll(&crate::docket::Host, &self.world.account, &next, until);
        let signatures = [0, 1, 2, 3].map(|key| self.world.sign(key, hash)).to_vec();
        self.rolls += 1;
        self.world.call(ANYBODY, |vault| vault.hand_over(next, until, signatures)).is_ok()
    }

    /* THE CHAIN */

    fn dividends(&mut self) -> bool {
        let total = self.total();
        if total < COIN {
            return false; // what a nearly empty pool is given is nobody's, and drowns every rao
        }
        let came = 1 + self.dice.roll(total / 20);
        if self.is_live() {
            let hotkey = self.hotkey_of(self.world.account);
            self.world.chain.borrow_mut().arrive(hotkey, self.world.account, came);
        } else {
            self.world.give_tao(self.world.account, came); // the chain pays in parts
        }
        true
    }

    fn new_hotkey(&mut self) -> Account {
        self.hotkeys += 1;
        [0x20 + self.hotkeys; 32]
    }

    /// What next to nothing is under cannot be followed: nothing would be missing (AL11).
    fn swap(&mut self) -> bool {
        if !self.is_live() || !self.is_whole() || self.total() < COIN || self.hotkeys > 90 {
            return false;
        }
        let (old, new) = (*self.world.vault.books().hotkey.as_ref(), self.new_hotkey());
        self.world.chain.borrow_mut().swap_hotkey(old, new);
        true
    }

    fn follow(&mut self) -> bool {
        let hotkey = self.hotkey_of(self.world.account);
        self.world.call(ANYBODY, |vault| vault.follow_swap(id(hotkey))).is_ok()
    }

    /// Somebody sends stake under a hotkey of his own, and it is gathered.
    fn gather(&mut self) -> bool {
        let (hotkey, sent) = (self.new_hotkey(), 3_000 + self.dice.roll(COIN));
        if !self.is_live() || !self.is_whole() || self.total() < COIN {
            return false;
        }
        self.world.chain.borrow_mut().hotkeys.insert(hotkey);
        self.world.chain.borrow_mut().arrive(hotkey, self.world.account, sent);
        self.world.call(ANYBODY, |vault| vault.gather(id(hotkey))).unwrap();
        true
    }

    /// The vault is given as much as was last seen under a false hotkey, nobody can buy in, and the rest is gathered.
    fn lie(&mut self) -> bool {
        if self.is_whole() || !self.is_live() {
            return false;
        }
        let (seen, real, fake) = (self.world.vault.books().seen, self.hotkey_of(self.world.account), self.new_hotkey());
        self.world.chain.borrow_mut().hotkeys.insert(fake);
        self.world.chain.borrow_mut().arrive(fake, self.world.account, seen);
        self.world.call(ANYBODY, |vault| vault.follow_swap(id(fake))).unwrap();
        assert!(!self.deposit(0), "bought in at a price without what is still to be gathered");
        self.world.call(ANYBODY, |vault| vault.gather(id(real))).unwrap();
        true
    }

    /// All stake goes, and the chain pays a first part.
    fn dissolve(&mut self) -> bool {
        if !self.is_live() || self.total() < COIN {
            return false;
        }
        let had = self.total();
        self.world.chain.borrow_mut().dissolve();
        self.world.give_tao(self.world.account, had / 8);
        self.fair.converted(had, self.total());
        self.expected = self.total();
        true
    }

    /* WHAT MUST HOLD */

    /// Shares add up; claims never exceed what is there; everybody has what is fairly his; TAO that is owed is there.
    fn check(&self) {
        let books = self.world.vault.books();
        let views: Vec<_> = (1..=books.bonds).map(|number| self.world.vault.bond_at(number).unwrap()).collect();
        let shares: u128 = views.iter().map(|v| v.bond.free + v.bond.exiting + v.bond.held).sum();
        assert_eq!(shares + books.to_burn, books.shares);
        let held: u128 = views.iter().map(|v| v.bond.held).sum();
        let pending = (1..=books.cases).filter_map(|n| self.world.vault.case_at(n)).filter(Case::is_pending);
        let (aside, bonds) = pending.fold((0, 0), |(s, b), case| {
            (s + case.shares, b + if case.status == Status::Appealed { case.appeal_bond } else { 0 })
        });
        assert_eq!(held, aside);
        let credit: u64 = OWNERS.iter().map(|owner| self.world.vault.credit_of(id(*owner))).sum();
        assert_eq!(books.tao_owed, bonds + credit + books.tao_to_burn);
        assert!(self.world.tao(self.world.account) >= books.tao_owed);
        if self.is_whole() {
            let claims: u64 = views.iter().map(|v| v.free_rao + v.exiting_rao + v.held_rao).sum();
            assert!(claims <= books.stake, "{claims} claimed of {}", books.stake);
            self.check_fair();
        }
    }

    fn check_fair(&self) {
        for who in 0..3 {
            let has = self.view(who).map_or(0, |v| v.free_rao + v.exiting_rao + v.held_rao);
            let (has, fair, slack) = (u128::from(has) * ONE, self.fair.of(who), self.fair.slack());
            assert!(has.abs_diff(fair) <= slack, "owner {who} has {has}, fair is {fair}, off by more than {slack}");
        }
    }

    /// Everybody leaves: cases are decided, exits are paid.
    fn everybody_leaves(mut self) {
        self.expected = self.total();
        if !self.is_whole() {
            assert!(self.follow());
        }
        let _live = self.world.call(ANYBODY, |vault| vault.wind_up());
        self.world.wait(10 * DAY);
        for number in 1..=self.world.vault.books().cases {
            let case = self.world.case(number);
            let _decided_before = self.decided(number, &case, |world| world.execute(number).is_ok());
        }
        for owner in OWNERS {
            let _nothing_there = self.world.call(owner, |vault| vault.request_exit(MACHINE, None));
        }
        self.world.wait(14 * DAY);
        for who in 0..3 {
            self.withdraw(who);
            self.settle();
            self.expected = self.total();
        }
        // Below the chain's least transfer nothing leaves.
        for who in 0..3 {
            let left = self.view(who).map_or(0, |view| view.free_rao + view.exiting_rao + view.held_rao);
            assert!(left <= 2_001, "owner {who} still has {left}");
        }
    }
}

#[test]
fn in_no_sequence_anybody_has_more_or_less_than_is_fairly_his_and_everybody_gets_out() {
    let mut done = [0u32; KINDS];
    for seed in 0..80 {
        let mut run = Run::new(seed);
        for number in 0..STEPS {
            run.step(number);
        }
        for (sum, one) in done.iter_mut().zip(run.done) {
            *sum += one;
        }
        // An oracle that forgives everything proves nothing.
        assert!(run.fair.slack() / ONE <= 1_000_000, "seed {seed}: {}", run.fair.slack() / ONE);
        run.everybody_leaves();
    }
    // Nor does a sequence that reaches nothing.
    assert!(done.iter().all(|times| *times >= 20), "{done:?}");
}
