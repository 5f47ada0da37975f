//! Streams that do not wait: which tick a sample belongs to, and what is counted where none came.
//!
//! A tick of the program is a sample of the device. Within an advance, and between two that follow each other within [`PAUSE`], no sample is left
//! out: where one is missing, its tick holds the value before it, and is counted as lost. After a longer pause the stream goes on with what the
//! tissue does now: what has piled up is dropped, counted as lost and takes no ticks.

use isoform_core::error::{Error, Result};
use isoform_core::locator::Options;
use std::time::Duration;

/// The longest pause between two advances that is bridged. It is about what a device and an operating system keep for a reader who is late.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);

/// An option that is a share of a whole, nought if it is not given.
pub(crate) fn share(options: &mut Options<'_>, name: &str) -> Result<f64> {
    let share: f64 = options.take(name)?.unwrap_or(0.0);
    if (0.0..1.0).contains(&share) {
        Ok(share)
    } else {
        Err(Error::unsupported(format!("option {name:?} is {share}, but a share is from 0 to below 1")))
    }
}

/// A sample as it comes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Arrival<T> {
    /// The sample.
    pub(crate) sample: T,
    /// How many are missing between the one before and this one.
    pub(crate) gap: u64,
    /// Whether it was waited for, so that nothing else has piled up.
    pub(crate) live: bool,
}

/// From samples to ticks.
#[derive(Debug, Clone)]
pub(crate) struct Ticks<T> {
    /// Ticks that are to be filled before the next sample.
    owed: u64,
    next: Option<T>,
    last: Option<T>,
    skipping: bool,
    lost: u64,
    /// When the last advance ended.
    ended: Option<Duration>,
}

impl<T: Copy> Ticks<T> {
    /// Ticks of a device that begins to speak when it is told to.
    pub(crate) fn new() -> Self {
        Self { owed: 0, next: None, last: None, skipping: false, lost: 0, ended: None }
    }

    /// Ticks of a device that speaks all the time: what has piled up is older than the run, and no part of it.
    pub(crate) fn from_now() -> Self {
        Self { skipping: true, ..Self::new() }
    }

    /// Begins an advance; says whether everything that was read before it is too old.
    pub(crate) fn begin(&mut self, now: Duration) -> bool {
        let is_late = self.ended.is_some_and(|ended| now.saturating_sub(ended) > PAUSE);
        if is_late {
            self.skipping = true;
            self.lost += self.owed + u64::from(self.next.take().is_some());
            self.owed = 0;
        }
        is_late
    }

    /// The sample of the next tick, if the line is not needed to tell.
    pub(crate) fn take(&mut self) -> Option<T> {
        if let (Some(last), 1..) = (self.last, self.owed) {
            self.owed -= 1;
            self.lost += 1;
            return Some(last);
        }
        let next = self.next.take()?;
        self.last = Some(next);
        Some(next)
    }

    /// Takes in what came over the line, after [`take`](Self::take) gave nothing.
    pub(crate) fn offer(&mut self, arrival: Arrival<T>) {
        if self.skipping {
            // before the first sample there was nothing to lose
            let counts = u64::from(self.last.is_some());
            self.lost += counts * (arrival.gap + u64::from(!arrival.live));
            if arrival.live {
                self.skipping = false;
                self.next = Some(arrival.sample);
            }
        } else {
            // what is missing before the first sample was before the beginning
            self.owed = if self.last.is_some() { arrival.gap } else { 0 };
            self.next = Some(arrival.sample);
        }
    }

    /// Ends an advance; gives what was lost since the last end.
    pub(crate) fn end(&mut self, now: Duration) -> u64 {
        self.ended = Some(now);
        std::mem::take(&mut self.lost)
    }
}

/// The sample clock of a device against the clock of its line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SampleClock {
    rate: f64,
    /// By how much the clocks may differ, as a share.
    tolerance: f64,
    /// By how many samples the moment of arrival may be off.
    slack: f64,
    /// When a sample arrived that was waited for, and its number.
    anchor: Option<(Duration, u64)>,
}

impl SampleClock {
    pub(crate) fn new(rate: u32, tolerance: f64, slack: f64) -> Self {
        Self { rate: f64::from(rate), tolerance, slack, anchor: None }
    }

    /// Notes that a sample arrived without delay.
    pub(crate) fn meet(&mut self, now: Duration, number: u64) {
        self.anchor = Some((now, number));
    }

    /// Time since the sample that was noted last.
    pub(crate) fn age(&self, now: Duration) -> Option<Duration> {
        self.anchor.map(|(then, _)| now.saturating_sub(then))
    }

    /// By how many samples the number is behind what the clock of the line says, and by how many it may be; both nought without a noted sample.
    #[expect(clippy::cast_precision_loss, reason = "no stream has 2^53 samples")]
    pub(crate) fn behind(&self, now: Duration, number: u64) -> (f64, f64) {
        let Some((then, first)) = self.anchor else { return (0.0, 0.0) };
        let passed = now.saturating_sub(then).as_secs_f64() * self.rate;
        (passed - (number as f64 - first as f64), passed * self.tolerance + self.slack)
    }

    /// Whether more samples came than the time holds.
    pub(crate) fn is_impossible(&self, now: Duration, number: u64) -> bool {
        let (behind, may) = self.behind(now, number);
        -behind > may
    }

    /// How many whole groups of samples are missing beyond doubt at a sample that was waited for.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and within the life of a stream")]
    pub(crate) fn missing(&self, now: Duration, number: u64, group: u32) -> u64 {
        let (behind, may) = self.behind(now, number);
        if behind > may { (behind / f64::from(group)).round() as u64 * u64::from(group) } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn drain(ticks: &mut Ticks<u8>) -> Vec<u8> {
        std::iter::from_fn(|| ticks.take()).collect()
    }

    fn arrival(sample: u8, gap: u64, live: bool) -> Arrival<u8> {
        Arrival { sample, gap, live }
    }

    #[test]
    fn a_gap_is_held_and_counted() {
        let mut ticks = Ticks::new();
        assert!(!ticks.begin(Duration::ZERO));
        ticks.offer(arrival(7, 3, true));
        assert_eq!(drain(&mut ticks), [7]);
        ticks.offer(arrival(9, 2, true));
        assert_eq!(drain(&mut ticks), [7, 7, 9]);
        assert_eq!(ticks.end(Duration::from_millis(16)), 2);
        assert!(!ticks.begin(Duration::from_millis(900)));
        ticks.offer(arrival(8, 1, false));
        assert_eq!((drain(&mut ticks), ticks.end(PAUSE)), (vec![9, 8], 1));
    }

    #[test]
    fn after_a_long_pause_the_stream_is_live() {
        let mut ticks = Ticks::new();
        assert!(!ticks.begin(Duration::ZERO));
        ticks.offer(arrival(1, 0, true));
        assert_eq!((ticks.take(), ticks.end(Duration::ZERO)), (Some(1), 0));
        assert!(ticks.begin(Duration::from_millis(1001)));
        ticks.offer(arrival(2, 0, false));
        assert_eq!(ticks.take(), None);
        ticks.offer(arrival(3, 100, true));
        assert_eq!((drain(&mut ticks), ticks.end(PAUSE * 2)), (vec![3], 101));
    }

    #[test]
    fn what_is_older_than_the_run_is_no_part_of_it() {
        let mut ticks = Ticks::from_now();
        assert!(!ticks.begin(Duration::ZERO));
        ticks.offer(arrival(1, 4, false));
        assert_eq!(ticks.take(), None);
        ticks.offer(arrival(2, 3, true));
        assert_eq!((drain(&mut ticks), ticks.end(Duration::ZERO)), (vec![2], 0));
    }

    #[test]
    fn groups_that_the_counter_does_not_show_are_found_by_the_clock() {
        let mut clock = SampleClock::new(250, 0.01, 128.0);
        assert_eq!(clock.missing(Duration::from_secs(9), 5, 256), 0);
        clock.meet(Duration::from_secs(1), 100);
        // two seconds are 500 samples, of which 212 are one round of the counter more than came
        assert_eq!(clock.missing(Duration::from_secs(3), 100 + 244, 256), 256);
        assert_eq!(clock.missing(Duration::from_secs(3), 100 + 400, 256), 0);
        assert!(clock.is_impossible(Duration::from_secs(1), 230));
        assert!(!clock.is_impossible(Duration::from_secs(1), 220));
    }

    proptest! {
        /// Every sample that the device took is either given or counted.
        #[test]
        fn nothing_is_lost_silently(arrivals in proptest::collection::vec((0_u64..5, any::<bool>(), 0_u64..3), 1..60)) {
            let mut ticks = Ticks::new();
            let (mut now, mut given, mut lost, mut taken) = (Duration::ZERO, 0_u64, 0, 0);
            for (i, &(gap, live, pause)) in arrivals.iter().enumerate() {
                ticks.begin(now);
                ticks.offer(arrival(1, gap, live));
                taken += 1 + if i == 0 { 0 } else { gap };
                // an advance may end in the middle of a gap
                for _ in 0..2 {
                    given += u64::from(ticks.take().is_some());
                }
                while ticks.owed + u64::from(ticks.next.is_some()) > 0 {
                    given += u64::from(ticks.take().is_some());
                }
                lost += ticks.end(now);
                now += Duration::from_millis(600) * u32::try_from(pause).expect("small");
            }
            // a held tick is both given and lost; a dropped sample is lost alone
            prop_assert!(given <= taken && given + lost >= taken);
        }
    }
}
