//! A world of callers with habits, and twelve attacks in it. Everything follows from the seed.

use crate::event::mix;
use crate::{Event, Kind, Object, Who};

pub(super) const DAYS: usize = 10;
const MINUTE: u64 = 60_000;
/// A midnight.
const START: u64 = 1_795_392_000_000;
const OPERATIONS: u64 = 24;
/// Where the callers are.
const COUNTRIES: [u16; 3] = [u16::from_be_bytes(*b"DE"), u16::from_be_bytes(*b"NO"), u16::from_be_bytes(*b"BR")];

/// An attack of some minutes.
pub(super) struct Attack {
    pub(super) name: &'static str,
    /// Under which names it may be noticed.
    pub(super) kinds: &'static [Kind],
    day: u64,
    hour: u64,
    minutes: u64,
    /// Whose credential is used; none is nobody's.
    caller: Option<usize>,
    each_minute: u64,
}

const fn attack(
    name: &'static str,
    kinds: &'static [Kind],
    (day, hour): (u64, u64),
    caller: Option<usize>,
    each_minute: u64,
) -> Attack {
    Attack { name, kinds, day, hour, minutes: 6, caller, each_minute }
}

pub(super) static ATTACKS: [Attack; 12] = [
    attack("flood", &[Kind::Rate], (4, 11), Some(0), 250),
    attack("exfiltration", &[Kind::Volume], (4, 14), Some(1), 8),
    attack("fuzzing", &[Kind::Errors], (5, 10), Some(2), 50),
    attack("guessing", &[Kind::Unauthorized], (5, 15), None, 40),
    attack("probing", &[Kind::Forbidden], (6, 9), Some(3), 25),
    attack("scanning", &[Kind::NotFound], (6, 13), None, 60),
    attack("counting", &[Kind::Sequential], (7, 10), Some(4), 20),
    attack("sweeping", &[Kind::Sweep], (7, 16), Some(5), 45),
    attack("stuffing", &[Kind::Stuffing], (8, 12), None, 70),
    attack("stolen token", &[Kind::NewCountry, Kind::NewNetwork, Kind::NewClient], (8, 17), Some(6), 6),
    attack("wandering", &[Kind::Sequence], (9, 11), Some(7), 12),
    attack("night", &[Kind::Hour], (9, 3), Some(8), 8),
];

// === impl Attack ===

impl Attack {
    /// First and last moment.
    pub(super) fn time(&self) -> (u64, u64) {
        let start = START + (self.day * 24 + self.hour) * 60 * MINUTE + 17 * MINUTE;
        (start, start + self.minutes * MINUTE)
    }
}

/// What somebody is.
#[derive(Clone, Copy, PartialEq)]
enum Sort {
    /// A program that people use in the office.
    Office,
    /// Somebody with a telephone, in the evening.
    Phone,
    /// A job that goes through a list each hour.
    Job,
    /// Something that looks every minute, day and night.
    Monitor,
}

struct Caller {
    sort: Sort,
    name: u64,
    address: u64,
    network: u64,
    client: u64,
    objects: u64,
    last: u64,
}

pub(super) struct World {
    seed: u64,
}

/// Numbers that look random.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(1);
        mix(self.0)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn chance(&mut self, share: f64) -> bool {
        self.part() < share
    }

    fn part(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// How often something happens that happens so often on average (Knuth, "Seminumerical algorithms", 3.4.1).
    fn poisson(&mut self, mean: f64) -> u64 {
        let (bound, mut product, mut count) = ((-mean).exp(), self.part(), 0);
        while product > bound {
            count += 1;
            product *= self.part();
        }
        count
    }
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed }
    }

    pub(super) fn day(&self, at_ms: u64) -> usize {
        usize::try_from((at_ms - START) / MINUTE / 1440).unwrap()
    }

    fn name(&self, number: usize) -> u64 {
        mix(self.seed << 32 | number as u64)
    }

    /// Whether an attack is why something is found about somebody.
    pub(super) fn is_about(&self, attack: &Attack, who: Who) -> bool {
        match (who, attack.caller) {
            (Who::Principal(name) | Who::PrincipalAt(name, _), Some(caller)) => name == self.name(caller),
            (Who::Address(address), _) => {
                address == hostile(attack) || attack.caller.is_some_and(|caller| address == self.name(caller) ^ 1)
            }
            (Who::Everybody, None) => attack.name == "stuffing",
            (Who::Principal(_) | Who::PrincipalAt(..) | Who::Everybody, _) => false,
        }
    }

    fn callers(&self) -> Vec<Caller> {
        let sorts = [(Sort::Office, 24), (Sort::Phone, 160), (Sort::Job, 4), (Sort::Monitor, 2)];
        let all = sorts.iter().flat_map(|(sort, count)| std::iter::repeat_n(*sort, *count)).enumerate();
        all.map(|(number, sort)| Caller {
            sort,
            name: self.name(number),
            address: self.name(number) ^ 1,
            network: 1 + number as u64 % 3,
            client: 1 + number as u64 % 5,
            objects: 40 + mix(number as u64) % 200,
            last: 1,
        })
        .collect()
    }

    /// Tells every request of all days, minute by minute.
    pub(super) fn live(&self, tell: &mut dyn FnMut(&Event<'_>)) {
        let mut dice = Dice(self.seed << 40);
        let mut callers = self.callers();
        for minute in 0..(DAYS as u64 * 1440) {
            let at = START + minute * MINUTE;
            for caller in &mut callers {
                for _ in 0..dice.poisson(rate(caller.sort, caller.name, minute)) {
                    usual(caller, at + dice.below(MINUTE), &mut dice, tell);
                }
                if caller.sort == Sort::Job && minute % 60 == 5 {
                    job(caller, at, tell);
                }
            }
            strangers(at, &mut dice, tell);
            for attack in &ATTACKS {
                let (start, end) = attack.time();
                if (start..end).contains(&at) {
                    let caller = attack.caller.and_then(|caller| callers.get(caller));
                    let gap = MINUTE / attack.each_minute;
                    (0..attack.each_minute).for_each(|step| {
                        hit(attack, caller, at + step * gap, step + (at - start) / gap, &mut dice, tell)
                    });
                }
            }
        }
    }
}

/// Requests a minute.
fn rate(sort: Sort, name: u64, minute: u64) -> f64 {
    let hour = (minute / 60 % 24) as f64 + (minute % 60) as f64 / 60.0;
    let weight = 0.5 + (name % 100) as f64 / 100.0;
    // Habits differ a little from day to day.
    let day = 0.8 + (mix(name ^ (minute / 1440)) % 40) as f64 / 100.0;
    let hill = |middle: f64, width: f64| (-((hour - middle) / width).powi(2)).exp();
    match sort {
        Sort::Office if (7.0..19.0).contains(&hour) => 7.0 * weight * day * hill(13.0, 4.0),
        Sort::Office => 0.0,
        Sort::Phone => 0.25 * weight * day * hill(20.0, 3.0),
        Sort::Job => 0.0,
        Sort::Monitor => 1.0,
    }
}

/// The next operation after one: most ways are worn.
fn next(last: u64, dice: &mut Dice) -> u64 {
    // Three ways from each.
    let worn = mix(last + 100 * dice.below(3)) % OPERATIONS;
    let operation = if dice.chance(0.01) { dice.below(OPERATIONS) } else { worn };
    operation + 1
}

fn usual(caller: &mut Caller, at_ms: u64, dice: &mut Dice, tell: &mut dyn FnMut(&Event<'_>)) {
    let operation = if caller.sort == Sort::Monitor { 1 } else { next(caller.last, dice) };
    caller.last = operation;
    let own = Object::Name(mix(caller.name ^ dice.below(caller.objects)));
    let named = [own];
    let objects: &[Object] = if operation.is_multiple_of(2) { &named } else { &[] };
    let status = match dice.below(1000) {
        0..20 => 404,
        20..25 => 403,
        25..30 => 401,
        30..40 => 422,
        // An outage of the API on the fourth day.
        _ if (at_ms - START) / MINUTE / 5 == 3 * 288 + 130 && dice.chance(0.5) => 503,
        _ => 200,
    };
    // Sizes differ widely.
    let bytes = 500 + dice.below(3_000) + if dice.chance(0.02) { 60_000 } else { 0 };
    tell(&event(caller, at_ms, operation, status, objects, bytes));
}

fn event<'e>(caller: &Caller, at_ms: u64, operation: u64, status: u16, objects: &'e [Object], bytes: u64) -> Event<'e> {
    Event {
        at_ms,
        principal: (status != 401).then_some(caller.name),
        address: caller.address,
        operation: Some(operation),
        status,
        objects,
        bytes,
        client: caller.client,
        network: caller.network,
        country: *COUNTRIES.iter().cycle().nth(usize::try_from(caller.network).unwrap()).unwrap(),
        failed_credential: (status == 401).then_some(caller.name),
    }
}

/// Goes through its list.
fn job(caller: &Caller, at: u64, tell: &mut dyn FnMut(&Event<'_>)) {
    for number in 0..40 {
        let objects = [Object::Number(caller.name % 10_000 + number)];
        tell(&event(caller, at + number * 1000, 4, 200, &objects, 2_000));
    }
}

/// People who mistype, robots that look around.
fn strangers(at: u64, dice: &mut Dice, tell: &mut dyn FnMut(&Event<'_>)) {
    for _ in 0..dice.poisson(4.0) {
        let address = dice.next();
        let wrong = dice.chance(0.6);
        let (status, failed_credential) = if wrong { (401, Some(dice.next())) } else { (404, None) };
        tell(&Event {
            at_ms: at + dice.below(MINUTE),
            address,
            status,
            failed_credential,
            client: 9,
            network: 4,
            ..Event::default()
        });
    }
}

fn hostile(attack: &Attack) -> u64 {
    mix(attack.day * 100 + attack.hour)
}

fn hit(
    attack: &Attack,
    caller: Option<&Caller>,
    at_ms: u64,
    step: u64,
    dice: &mut Dice,
    tell: &mut dyn FnMut(&Event<'_>),
) {
    let Some(caller) = caller else {
        let address = if attack.name == "stuffing" { dice.next() } else { hostile(attack) };
        let (status, failed_credential) =
            if attack.name == "scanning" { (404, None) } else { (401, Some(dice.next())) };
        return tell(&Event { at_ms, address, status, failed_credential, client: 9, network: 4, ..Event::default() });
    };
    let (counted, named) = ([Object::Number(5_000 + step)], [Object::Name(dice.next())]);
    let mut hit = event(caller, at_ms, 2, 200, &[], 2_000);
    match attack.name {
        "flood" => {}
        "exfiltration" => hit.bytes = 900_000,
        "fuzzing" => hit.status = if dice.chance(0.75) { 422 } else { 200 },
        "probing" => (hit.status, hit.operation) = (403, Some(20 + step % 5)),
        "counting" => hit.objects = &counted,
        "sweeping" => hit.objects = &named,
        "stolen token" => {
            (hit.network, hit.country, hit.client, hit.address) = (77, u16::from_be_bytes(*b"KP"), 66, hostile(attack));
        }
        "wandering" => hit.operation = Some(1 + dice.below(OPERATIONS)),
        "night" => hit.operation = Some(2 + step % 3),
        other => panic!("{other}"),
    }
    tell(&hit);
}
