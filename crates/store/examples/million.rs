//! What a million keys cost: bulk import, file, memory, start, and one look-up beside that of ten keys.

use portcullis_auth::key::{Door, ENTROPY_BYTES, KeyRecord, KeyText, Pepper, Peppers};
use portcullis_store::{Mirror, Store};
use std::hint::black_box;
use std::time::{Duration, Instant};

type Failure = Box<dyn std::error::Error>;

#[expect(clippy::disallowed_methods, reason = "a measurement reads the machine's clock")]
fn timed<R>(work: impl FnOnce() -> R) -> (Duration, R) {
    let start = Instant::now();
    let result = work();
    (start.elapsed(), result)
}

#[expect(clippy::print_stdout, reason = "a measurement prints its figures")]
fn main() -> Result<(), Failure> {
    let folder = std::env::temp_dir().join(format!("portcullis-million-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let (ten, _) = look_up(&folder.join("ten.redb"), 10)?;
    let (million, lines) = look_up(&folder.join("million.redb"), 1_000_000)?;
    lines.iter().for_each(|line| println!("{line}"));
    println!("look-up and verification: {ten:.0} ns with 10 keys, {million:.0} ns with 1,000,000");
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn look_up(path: &std::path::Path, count: usize) -> Result<(f64, Vec<String>), Failure> {
    let pepper = Pepper::new(1, [7; 32]);
    let mut texts = Vec::with_capacity(count);
    let mut entropy = [0u8; ENTROPY_BYTES];
    let (made, records) = timed(|| {
        let mut records = Vec::with_capacity(count);
        for number in 0..count {
            aws_lc_rs::rand::fill(&mut entropy)?;
            let key = KeyText::mint("pk", &entropy)?;
            let mut record = KeyRecord::new(&key, &pepper, &format!("consumer-{number}"), 1_800_000_000);
            record.scopes = vec!["orders:read".to_owned()];
            records.push(record);
            // Every look-up below meets another key, so that the processor's caches do not flatter.
            texts.push(key);
        }
        Ok::<_, Failure>(records)
    });
    let records = records?;
    let store = Store::open(path)?;
    let (imported, outcome) = timed(|| store.create(records));
    outcome?;
    let file = std::fs::metadata(path)?.len();
    let (loaded, mirror) = timed(|| Mirror::load(&store, Peppers::new(pepper, Vec::new())));
    let mirror = mirror?;
    let (keys, bytes) = mirror.size();
    let door = Door { api: "orders", address: "192.0.2.1".parse()?, now: 1_800_000_001 };
    // A stride that has no factor in common with the counts visits keys in no order. A request's own key was just read, so
    // that a few texts are brought near before the clock starts; the index is not.
    let (mut took, mut rounds) = (Duration::ZERO, 0u32);
    for batch in 0..20_000 {
        let near: Vec<KeyText> =
            (0..32).filter_map(|one| texts.get((batch * 32 + one) * 7919 % count).cloned()).collect();
        let (time, good) = timed(|| near.iter().filter(|key| black_box(mirror.identify(key, door)).is_ok()).count());
        if good != near.len() {
            return Err("a good key was refused".into());
        }
        took += time;
        rounds += 32;
    }
    let polls = 10_000u32;
    let (polled, outcome) = timed(|| (0..polls).try_for_each(|_| mirror.refresh(&store).map(drop)));
    outcome?;
    let (changed, outcome) = timed(|| {
        let id = texts.first().map_or(0, KeyText::number);
        store.revoke(&[id], 1)?;
        mirror.refresh(&store)
    });
    outcome?;
    let lines = vec![
        format!("{count} keys made in {made:.2?}, imported in {imported:.2?}, loaded in {loaded:.2?}"),
        format!("file {} MB, memory {:.0} bytes a key", file / 1_000_000, bytes as f64 / keys as f64),
        format!("a poll without news {:.1?}; a revocation, written and taken over, {changed:.1?}", polled / polls),
    ];
    Ok((took.as_nanos() as f64 / f64::from(rounds), lines))
}
