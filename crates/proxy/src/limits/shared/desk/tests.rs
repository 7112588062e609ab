//! Parcels by chance, answers in any order: one call for each parcel, one question at a time about each account, and everybody is
//! asked for in the end.

use super::{ACCOUNTS_MAX, Account, Desk, Entry, Parcel, account};
use crate::limits::book::{Book, Shelf};
use crate::limits::shared::{Asked, What};
use portcullis_config::plan::{KeyPart, LimitPlan};
use portcullis_limit::{ASKS_MAX, Key, Kind, Policy, Unit};
use portcullis_testkit::Dice;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::oneshot;

fn book() -> Arc<Book> {
    let policy = Policy::new("p", Kind::Concurrency { limit: 1 }, Unit::Requests).unwrap();
    let plan = LimitPlan {
        scope: "defaults".into(),
        name: "p".into(),
        key: vec![KeyPart::Address],
        policies: Vec::new(),
        tiers: None,
        answer_cost: None,
        exempt: Vec::new(),
        shared: false,
        accounts: 16,
        text: String::new(),
        origin: None,
    };
    Book::of(&plan, None, &policy, &Shelf { workers: 1, ..Shelf::default() })
}

fn asked(book: &Arc<Book>, number: u64, what: What) -> Asked {
    Asked { book: Arc::clone(book), key: Key::from_hash(u128::from(number) + 1), what }
}

/// Needs, told apart by how much they want.
fn parcel(book: &Arc<Book>, accounts: &[u64], name: u64) -> Parcel {
    accounts.iter().map(|number| asked(book, *number, What::Need(name, oneshot::channel().0))).collect()
}

fn names(entries: &[Entry]) -> HashMap<u64, usize> {
    let mut names = HashMap::new();
    for asked in entries.iter().flat_map(|(_, asked)| asked) {
        if let What::Need(name, _) = asked.what {
            *names.entry(name).or_default() += 1;
        }
    }
    names
}

struct Run {
    desk: Desk,
    flights: Vec<Vec<Account>>,
    /// How many accounts each parcel has, and the call in which it left.
    sizes: HashMap<u64, usize>,
    left: HashMap<u64, usize>,
    calls: usize,
}

impl Run {
    fn take(&mut self, parcels: Vec<Parcel>) {
        for parcel in parcels {
            self.desk.take(parcel);
            if self.desk.is_full() {
                self.leave();
            }
        }
        self.leave();
    }

    fn leave(&mut self) {
        let entries = self.desk.leave();
        if entries.is_empty() {
            return;
        }
        assert!(entries.len() <= ACCOUNTS_MAX, "{} accounts in a call", entries.len());
        let accounts: Vec<Account> = entries.iter().map(|(account, _)| *account).collect();
        let under_way = self.flights.iter().flatten();
        assert!(!under_way.into_iter().any(|busy| accounts.contains(busy)), "two questions about one account");
        self.calls += 1;
        for (name, count) in names(&entries) {
            assert_eq!(Some(&count), self.sizes.get(&name), "a parcel in two calls");
            assert!(self.left.insert(name, self.calls).is_none(), "a parcel that left twice");
        }
        self.flights.push(accounts);
    }
}

#[test]
fn each_parcel_leaves_in_one_call_and_none_is_forgotten() {
    let book = book();
    for seed in 1..=300 {
        let mut dice = Dice::new(seed);
        let (desk, flights, sizes, left) = (Desk::default(), Vec::new(), HashMap::new(), HashMap::new());
        let mut run = Run { desk, flights, sizes, left, calls: 0 };
        let callers = 1 + dice.roll(60);
        for name in 1..=300 {
            let mut accounts: Vec<u64> = (0..1 + dice.roll(ASKS_MAX)).map(|_| dice.roll(callers) as u64).collect();
            accounts.sort_unstable();
            accounts.dedup();
            run.sizes.insert(name, accounts.len());
            run.take(vec![parcel(&book, &accounts, name)]);
            if dice.one_in(3) && !run.flights.is_empty() {
                let answered = run.flights.swap_remove(dice.roll(run.flights.len()));
                let next = run.desk.free(&answered);
                run.take(next);
            }
        }
        while let Some(answered) = run.flights.pop() {
            let next = run.desk.free(&answered);
            run.take(next);
        }
        assert_eq!(run.left.len(), 300, "seed {seed}: all have left");
        assert!(run.calls <= 300, "seed {seed}: {} calls for 300 parcels", run.calls);
    }
}

#[test]
fn what_waits_for_an_answer_that_will_not_come_is_told_at_once() {
    let book = book();
    let mut desk = Desk::default();
    desk.take(parcel(&book, &[1], 1));
    let first = desk.leave();
    let accounts: Vec<Account> = first.iter().map(|(account, _)| *account).collect();
    let (reply, mut answer) = oneshot::channel();
    desk.take(vec![asked(&book, 1, What::Need(2, reply))]);
    // Behind the one that waits, though its own account is free.
    desk.take(parcel(&book, &[1, 2], 3));
    desk.take(parcel(&book, &[2], 4));
    assert!(desk.leave().is_empty(), "all of them wait");
    let next = desk.give_up(&accounts);
    assert!(
        answer.try_recv().is_err_and(|why| why == oneshot::error::TryRecvError::Closed),
        "told that nobody answers"
    );
    assert_eq!(next.iter().flatten().map(account).map(|(_, key)| key).collect::<Vec<_>>(), [3], "the last goes on");
}

#[test]
fn nobody_asks_for_more_of_what_is_on_its_way() {
    let book = book();
    let mut desk = Desk::default();
    desk.take(vec![asked(&book, 1, What::More)]);
    assert_eq!(desk.leave().len(), 1);
    desk.take(vec![asked(&book, 1, What::More)]);
    assert!(desk.leave().is_empty() && desk.waiting.is_empty());
}
