//! Times of requests in buckets a hundredth apart, so that a million of them cost as much memory as one.

use std::time::Duration;

/// Each bucket's bound is that much above the last one's.
const STEP: f64 = 1.01;
/// LIMIT: up to 100 s.
const BUCKETS: usize = 1_860;

/// How often requests took how long.
#[derive(Clone, Debug)]
pub struct Histogram {
    buckets: Vec<u32>,
    count: u64,
    most: Duration,
}

// === impl Histogram ===

impl Histogram {
    /// Counts one.
    pub fn add(&mut self, took: Duration) {
        let micros = (took.as_secs_f64() * 1e6).max(1.0);
        let index = format!("{:.0}", micros.log(STEP).ceil()).parse().unwrap_or(BUCKETS);
        let index: usize = if index < BUCKETS { index } else { BUCKETS - 1 };
        self.buckets[index] += 1;
        self.count += 1;
        self.most = self.most.max(took);
    }

    /// Adds all of another one.
    pub fn merge(&mut self, other: &Self) {
        self.buckets.iter_mut().zip(&other.buckets).for_each(|(own, their)| *own += their);
        self.count += other.count;
        self.most = self.most.max(other.most);
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The longest.
    #[must_use]
    pub fn max(&self) -> Duration {
        self.most
    }

    /// The time that so many of a hundred did not exceed, at most 1 % too high.
    #[must_use]
    pub fn percentile(&self, percent: u64) -> Duration {
        let rank = (self.count * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let index = self.buckets.iter().position(|count| {
            seen += u64::from(*count);
            seen >= rank
        });
        let power = i32::try_from(index.unwrap_or(0)).unwrap();
        Duration::from_secs_f64(STEP.powi(power) / 1e6).min(self.most)
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: vec![0; BUCKETS], count: 0, most: Duration::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::Histogram;
    use std::time::Duration;

    #[test]
    fn percentiles_are_within_a_hundredth() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.percentile(99), Duration::ZERO);
        for millis in 1..=1000 {
            histogram.add(Duration::from_millis(millis));
        }
        for (percent, expected) in [(50, 500.0), (99, 990.0), (100, 1000.0)] {
            let found = histogram.percentile(percent).as_secs_f64() * 1e3;
            assert!((expected..expected * 1.011).contains(&found) || percent == 100, "p{percent} {found}");
        }
        assert_eq!((histogram.count(), histogram.max()), (1000, Duration::from_secs(1)));
        let mut double = Histogram::default();
        double.merge(&histogram);
        double.merge(&histogram);
        assert_eq!((double.count(), double.percentile(50)), (2000, histogram.percentile(50)));
    }
}
