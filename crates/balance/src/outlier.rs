//! Which servers are much slower than the others of their group.

/// What is compared: the mean time to an answer's head, in microseconds, of those who answered enough.
pub type Mean = Option<u64>;

/// A server is slow where its mean is above `floor_us` and above `factor` times the median of the others' means. Nobody is
/// slow beside fewer than two others: of two it cannot be told which one is the odd one out.
#[must_use]
pub fn is_outlier(means: &[Mean], index: usize, factor: u64, floor_us: u64) -> bool {
    let Some(own) = means.get(index).copied().flatten() else { return false };
    let others = means.iter().enumerate().filter(|(at, _)| *at != index);
    let mut others: Vec<u64> = others.filter_map(|(_, mean)| *mean).collect();
    if others.len() < 2 {
        return false;
    }
    others.sort_unstable();
    // The lower one of two in the middle would call more servers slow.
    let median = others.get(others.len() / 2).copied().unwrap_or(u64::MAX);
    own > floor_us && own > median.saturating_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::is_outlier;
    use proptest::prelude::{any, prop_assert, proptest};

    fn slow(means: &[Option<u64>]) -> Vec<usize> {
        (0..means.len()).filter(|index| is_outlier(means, *index, 5, 20_000)).collect()
    }

    #[test]
    fn the_odd_one_out_is_found() {
        for (means, expected) in [
            (&[Some(5_000), Some(6_000), Some(100_000)][..], &[2][..]),
            (&[Some(5_000), Some(6_000), Some(25_000)], &[]),
            // Under the floor nobody is slow, however fast the others are.
            (&[Some(100), Some(100), Some(19_000)], &[]),
            // All are slow: that is not one of them.
            (&[Some(500_000), Some(600_000), Some(550_000)], &[]),
            (&[Some(5_000), Some(100_000)], &[]),
            (&[Some(5_000), None, Some(100_000)], &[]),
            (&[Some(5_000), Some(5_000), None, Some(100_000)], &[3]),
            (&[Some(5_000), Some(5_000), Some(5_000), Some(100_000), Some(90_000)], &[3, 4]),
            (&[], &[]),
        ] {
            assert_eq!(slow(means), expected, "{means:?}");
        }
    }

    proptest! {
        /// Never all of a group, whatever their times: somebody has to be asked.
        #[test]
        fn somebody_is_left(means in proptest::collection::vec(any::<Option<u32>>(), 1..12)) {
            let means: Vec<Option<u64>> = means.into_iter().map(|mean| mean.map(u64::from)).collect();
            let answered = means.iter().flatten().count();
            prop_assert!(answered == 0 || slow(&means).len() < answered);
        }
    }
}
