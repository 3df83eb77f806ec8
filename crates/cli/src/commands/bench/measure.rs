//! Percentiles, medians and rates.

/// A set of latencies, sorted.
#[derive(Debug)]
pub(super) struct Latencies {
    sorted_ns: Vec<u64>,
}

impl Latencies {
    /// From unsorted nanoseconds.
    pub(super) fn new(mut latencies_ns: Vec<u64>) -> Self {
        latencies_ns.sort_unstable();
        Self { sorted_ns: latencies_ns }
    }

    /// The latency that `percent` of all do not exceed, in milliseconds; 0 when there are none.
    pub(super) fn percentile_ms(&self, percent: usize) -> f64 {
        let rank = (self.sorted_ns.len() * percent).div_ceil(100).max(1);
        self.sorted_ns.get(rank - 1).map_or(0.0, |ns| *ns as f64 / 1e6)
    }
}

/// The median of what `of` says about each round; the mean of the middle two when they are even.
pub(super) fn median<T>(rounds: &[T], of: impl Fn(&T) -> f64) -> f64 {
    let mut values: Vec<f64> = rounds.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle), values.len() % 2) {
        (Some(value), 1) => *value,
        (Some(value), _) => {
            values.get(middle.wrapping_sub(1)).map_or(*value, |b| (b + value) / 2.0)
        }
        (None, _) => 0.0,
    }
}

/// The same where a round may be unable to say: `None` unless each one can.
pub(super) fn median_known<T>(rounds: &[T], of: impl Fn(&T) -> Option<f64>) -> Option<f64> {
    let known: Option<Vec<f64>> = rounds.iter().map(of).collect();
    known.filter(|values| !values.is_empty()).map(|values| median(&values, |value| *value))
}

/// How many per second, when `count` took `took_ns`.
pub(super) fn per_s(count: u64, took_ns: u64) -> f64 {
    if took_ns == 0 { 0.0 } else { count as f64 * 1e9 / took_ns as f64 }
}

/// One figure against another; 0 when there is nothing to compare with.
pub(super) fn ratio(figure: f64, against: f64) -> f64 {
    if against > 0.0 { figure / against } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_take_the_nearest_rank() {
        let latencies = Latencies::new((1..=200).rev().map(|ms| ms * 1_000_000).collect());
        assert_eq!(latencies.percentile_ms(50), 100.0);
        assert_eq!(latencies.percentile_ms(99), 198.0);
        assert_eq!(Latencies::new(Vec::new()).percentile_ms(99), 0.0);
    }

    #[test]
    fn medians_of_odd_even_and_no_rounds() {
        let value = |value: &f64| *value;
        assert_eq!(median(&[9.0, 1.0, 3.0], value), 3.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 9.0], value), 3.0);
        assert_eq!(median(&[], value), 0.0);
        assert_eq!(median_known(&[Some(1.0), None], |value| *value), None);
        assert_eq!(median_known(&[Some(1.0), Some(2.0), Some(9.0)], |value| *value), Some(2.0));
    }
}
