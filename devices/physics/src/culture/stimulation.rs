//! What may be sent into a culture: the safety envelope, and the log of what was.
//!
//! A pulse has one to three phases of alternating sign. What is beyond a limit is refused whole, never clipped, and the refusal names the channel,
//! the limit and the value. As charge must be balanced, a single phase is always beyond one.
//!
//! Limits: Cortical Labs, `cl-sdk` 1.0.0 (current, charge, width, polarity, burst rate); the balance is this project's.

use std::fmt;

/// The most phases of a pulse.
pub const MOST_PHASES: usize = 3;
/// The width of a phase is a multiple of it, µs.
pub const WIDTH: u32 = 20;
/// The largest current, µA.
pub const MOST_CURRENT: f64 = 3.0;
/// The largest charge of a phase, nC.
pub const MOST_CHARGE: f64 = 3.0;
/// The highest rate of pulses on a channel, Hz.
pub const MOST_RATE: f64 = 200.0;
/// The largest charge that a pulse leaves behind, as a share of that of its largest phase.
pub const MOST_IMBALANCE: f64 = 0.01;
/// The width of each phase of a [`biphasic`] pulse, µs.
pub const BIPHASIC_WIDTH: u32 = 200;

/// Microseconds of a second.
const SECOND: f64 = 1e6;

/// One phase of a pulse.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Phase {
    /// How long it lasts, µs.
    pub width: u32,
    /// Its current, µA; a negative one depolarises.
    pub current: f64,
}

impl Phase {
    /// Its charge, nC.
    #[must_use]
    pub fn charge(&self) -> f64 {
        self.current * f64::from(self.width) / 1000.0
    }
}

/// A balanced pulse of two phases of 200 µs, the first of the given current in µA.
#[must_use]
pub fn biphasic(current: f64) -> [Phase; 2] {
    [current, -current].map(|current| Phase { width: BIPHASIC_WIDTH, current })
}

/// Why a pulse was refused.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// There is no such channel.
    #[error("channel {channel} does not exist: there are {channels}")]
    Channel {
        /// The channel.
        channel: usize,
        /// How many there are.
        channels: usize,
    },
    /// A limit is exceeded.
    #[error("channel {channel}: {limit}, but {value} was asked for; nothing was stimulated")]
    Limit {
        /// The channel.
        channel: usize,
        /// The limit.
        limit: Limit,
        /// What was asked for, in the unit of the limit.
        value: f64,
    },
}

/// A limit of stimulation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Phases of a pulse.
    Phases,
    /// Width of a phase, µs.
    Width,
    /// Current, µA.
    Current,
    /// Alternation of signs; the value is the current that does not alternate, µA.
    Polarity,
    /// Charge of a phase, nC.
    Charge,
    /// Balance of the phases' charges, as a share.
    Balance,
    /// Pulses a second, where the end of one is not before the next.
    Rate,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phases => write!(f, "a pulse has 1 to {MOST_PHASES} phases"),
            Self::Width => write!(f, "the width of a phase is a multiple of {WIDTH} us, and not nought"),
            Self::Current => write!(f, "a current is at most {MOST_CURRENT} uA"),
            Self::Polarity => f.write_str("the signs of the phases alternate, and none is without current"),
            Self::Charge => write!(f, "a phase has at most {MOST_CHARGE} nC"),
            Self::Balance => write!(f, "a pulse leaves at most {MOST_IMBALANCE} of its largest phase's charge behind"),
            Self::Rate => write!(f, "pulses follow each other at {MOST_RATE} Hz at most, each after the end of the one before"),
        }
    }
}

/// Checks that a pulse is within the limits that do not depend on what went before.
///
/// # Errors
/// The first limit that is exceeded, with the channel and the value.
pub fn check(channel: usize, phases: &[Phase]) -> Result<(), Refusal> {
    let refuse = |limit, value| Err(Refusal::Limit { channel, limit, value });
    if phases.is_empty() || phases.len() > MOST_PHASES {
        return refuse(Limit::Phases, phases.len() as f64);
    }
    let (mut left, mut largest) = (0.0, 0.0_f64);
    for (i, phase) in phases.iter().enumerate() {
        let (current, charge) = (phase.current, phase.charge());
        if phase.width == 0 || !phase.width.is_multiple_of(WIDTH) {
            return refuse(Limit::Width, f64::from(phase.width));
        }
        // what is no number is in no range
        if !(-MOST_CURRENT..=MOST_CURRENT).contains(&current) {
            return refuse(Limit::Current, current);
        }
        if current == 0.0 || (i > 0 && current.signum() == phases[i - 1].current.signum()) {
            return refuse(Limit::Polarity, current);
        }
        if charge.abs() > MOST_CHARGE {
            return refuse(Limit::Charge, charge);
        }
        left += charge;
        largest = largest.max(charge.abs());
    }
    let imbalance = left.abs() / largest;
    if imbalance > MOST_IMBALANCE { refuse(Limit::Balance, imbalance) } else { Ok(()) }
}

/// The safety envelope: all limits, on all channels, over time.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Envelope {
    /// When the last pulse of each channel began and when the next may, µs.
    last: Vec<Option<[u64; 2]>>,
}

impl Envelope {
    /// An envelope of so many channels, none of which was stimulated.
    #[must_use]
    pub fn new(channels: usize) -> Self {
        Self { last: vec![None; channels] }
    }

    /// How many channels it has.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.last.len()
    }

    /// Lets a pulse through at a time in µs, which does not go back.
    ///
    /// # Errors
    /// The limit that is exceeded; the envelope is then as it was.
    pub fn admit(&mut self, now: u64, channel: usize, phases: &[Phase]) -> Result<(), Refusal> {
        let channels = self.last.len();
        let last = self.last.get_mut(channel).ok_or(Refusal::Channel { channel, channels })?;
        check(channel, phases)?;
        if let Some([began, free]) = *last
            && now < free
        {
            let value = SECOND / now.saturating_sub(began) as f64;
            return Err(Refusal::Limit { channel, limit: Limit::Rate, value });
        }
        let length: u64 = phases.iter().map(|p| u64::from(p.width)).sum();
        *last = Some([now, now.saturating_add(length.max(shortest()))]);
        Ok(())
    }
}

/// The shortest time between the beginnings of two pulses, µs.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "5000")]
fn shortest() -> u64 {
    (SECOND / MOST_RATE) as u64
}

/// A pulse that was given.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Given {
    /// When it began, µs.
    pub at: u64,
    /// Where.
    pub channel: usize,
    phases: [Phase; MOST_PHASES],
    count: usize,
}

impl Given {
    /// A pulse of at most three phases; more are left away.
    #[must_use]
    pub fn new(at: u64, channel: usize, phases: &[Phase]) -> Self {
        let count = phases.len().min(MOST_PHASES);
        let mut kept = [Phase::default(); MOST_PHASES];
        kept[..count].copy_from_slice(&phases[..count]);
        Self { at, channel, phases: kept, count }
    }

    /// Its phases.
    #[must_use]
    pub fn phases(&self) -> &[Phase] {
        &self.phases[..self.count.min(MOST_PHASES)]
    }
}

/// The pulses that were given, in their order. It has a fixed size: the oldest make room for new ones.
#[derive(Debug, Clone)]
pub struct Log {
    given: Vec<Given>,
    total: u64,
}

impl Log {
    /// How many pulses it holds.
    pub const KEPT: usize = 1 << 14;

    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self { given: Vec::with_capacity(Self::KEPT), total: 0 }
    }

    /// How many pulses were given, those included that are no longer held.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The pulses that are held, the oldest first.
    pub fn given(&self) -> impl Iterator<Item = &Given> {
        let (new, old) = self.given.split_at(self.next().min(self.given.len()));
        old.iter().chain(new)
    }

    /// Takes in a pulse.
    pub fn add(&mut self, given: Given) {
        if self.given.len() < Self::KEPT {
            self.given.push(given);
        } else {
            let next = self.next();
            self.given[next] = given;
        }
        self.total += 1;
    }

    #[expect(clippy::cast_possible_truncation, reason = "smaller than the log")]
    fn next(&self) -> usize {
        (self.total % Self::KEPT as u64) as usize
    }
}

impl Default for Log {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(phases: &[(u32, f64)]) -> (Limit, f64) {
        let phases: Vec<Phase> = phases.iter().map(|&(width, current)| Phase { width, current }).collect();
        match Envelope::new(64).admit(0, 7, &phases) {
            Err(Refusal::Limit { channel: 7, limit, value }) => (limit, value),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_limit_is_named_with_the_value() {
        assert_eq!(refused(&[]), (Limit::Phases, 0.0));
        assert_eq!(refused(&[(20, 1.0), (20, -1.0), (20, 1.0), (20, -1.0)]), (Limit::Phases, 4.0));
        assert_eq!(refused(&[(170, 1.0), (170, -1.0)]), (Limit::Width, 170.0));
        assert_eq!(refused(&[(0, 1.0), (20, -1.0)]), (Limit::Width, 0.0));
        assert_eq!(refused(&[(20, 3.5), (20, -3.5)]), (Limit::Current, 3.5));
        assert!(matches!(refused(&[(20, f64::NAN), (20, -1.0)]), (Limit::Current, v) if v.is_nan()));
        assert_eq!(refused(&[(20, 1.0), (20, 1.0)]), (Limit::Polarity, 1.0));
        assert_eq!(refused(&[(20, 0.0), (20, 1.0)]), (Limit::Polarity, 0.0));
        assert_eq!(refused(&[(1020, -3.0), (1020, 3.0)]), (Limit::Charge, -3.06));
        assert_eq!(refused(&[(20, 2.0), (20, -1.0)]), (Limit::Balance, 0.5));
        assert_eq!(refused(&[(20, 2.0)]), (Limit::Balance, 1.0));
    }

    #[test]
    fn what_is_at_the_limits_passes() {
        let mut envelope = Envelope::new(2);
        for (at, phases) in [(0, biphasic(3.0)), (5000, [1000, 1000].map(|width| Phase { width, current: 3.0 }))] {
            let phases = [phases[0], Phase { current: -phases[0].current, ..phases[1] }];
            assert_eq!(envelope.admit(at, 1, &phases), Ok(()));
        }
        let triphasic = [(100, -1.0), (100, 2.0), (100, -1.0)].map(|(width, current)| Phase { width, current });
        assert_eq!(envelope.admit(10_000, 1, &triphasic), Ok(()));
        assert_eq!(envelope.admit(10_000, 0, &triphasic), Ok(()));
    }

    #[test]
    fn bursts_are_limited_on_each_channel() {
        let mut envelope = Envelope::new(2);
        assert_eq!(envelope.admit(0, 0, &biphasic(1.0)), Ok(()));
        assert_eq!(envelope.admit(4000, 1, &biphasic(1.0)), Ok(()));
        let error = envelope.admit(4000, 0, &biphasic(1.0)).expect_err("too soon");
        assert_eq!(error, Refusal::Limit { channel: 0, limit: Limit::Rate, value: 250.0 });
        assert_eq!(envelope.admit(5000, 0, &biphasic(1.0)), Ok(()));
        // a pulse that lasts longer than the shortest period
        let long = [-0.5, 0.5].map(|current| Phase { width: 4000, current });
        assert_eq!(envelope.admit(20_000, 0, &long), Ok(()));
        assert!(envelope.admit(27_000, 0, &biphasic(1.0)).is_err());
        assert_eq!(envelope.admit(28_000, 0, &biphasic(1.0)), Ok(()));
    }

    #[test]
    fn a_refusal_reads_well() {
        let error = Envelope::new(64).admit(0, 64, &biphasic(1.0)).expect_err("no channel");
        assert_eq!(error.to_string(), "channel 64 does not exist: there are 64");
        let error = Envelope::new(64).admit(0, 3, &biphasic(-4.0)).expect_err("too much");
        assert_eq!(error.to_string(), "channel 3: a current is at most 3 uA, but -4 was asked for; nothing was stimulated");
    }

    #[test]
    fn a_full_log_forgets_the_oldest() {
        let mut log = Log::new();
        for at in 0..Log::KEPT as u64 + 3 {
            log.add(Given::new(at, 0, &biphasic(1.0)));
        }
        let held: Vec<u64> = log.given().map(|g| g.at).collect();
        assert_eq!((log.total(), held.len()), (16_387, 16_384));
        assert_eq!((held[0], held[16_383]), (3, 16_386));
    }
}
