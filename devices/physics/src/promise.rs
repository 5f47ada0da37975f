//! What a medium can promise of its outputs, as an option says it.

use std::ops::RangeInclusive;

/// What can be promised, in units of outputs.
pub(crate) const RANGE: RangeInclusive<f64> = 1e-9..=1e6;

/// A promise above nought in so many digits, rounded up, lest what is named be too small again.
pub(crate) fn rounded_up(needed: f64, digits: f64) -> f64 {
    let place = 10.0_f64.powf(digits - 1.0 - needed.log10().floor());
    (needed * place).ceil() / place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_rounded_up() {
        assert_eq!(
            [(0.2511, 2.0), (604.1, 3.0), (0.25, 2.0), (1.0, 3.0)].map(|(n, d)| rounded_up(n, d)),
            [0.26, 605.0, 0.25, 1.0]
        );
    }
}
