//! What the statistical laws will ask of a medium, told before they ask.

use super::{AGAIN, Design, PILOT};
use crate::law::Law;
use crate::laws::{course_ticks, settled_ticks};
use crate::settled::unsaid;
use isoform_core::profile::{Class, Profile};
use isoform_core::program::Program;

/// What the laws will ask of a medium: of time at the least, one stage of each that is statistical, for noise as it is declared that remembers
/// nothing; of writes at the most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Forecast {
    /// Ticks of the device.
    pub ticks: usize,
    /// Seconds that they take.
    pub seconds: f64,
    /// Joules that they take.
    pub joules: f64,
    /// Writes to the most worn cell.
    pub writes: u64,
}

/// The forecast for a profile, the programs that the substrate shows of itself and the laws that are to be tried; none where nothing is declared that
/// noise could be held against.
#[must_use]
pub fn forecast(profile: &Profile, shown: &[Program], tried: &[&Law]) -> Option<Forecast> {
    let medium = profile.medium.filter(|m| m.check().is_ok())?;
    let washout = usize::try_from(medium.washout.unwrap_or(0)).unwrap_or(usize::MAX);
    let ticks = if profile.class == Class::FreeRunning {
        // visits of L2.settled, unless no program says where it settles
        let settles = shown.is_empty() || shown.iter().any(|program| unsaid(program).is_none());
        let visits = if settles { settled_ticks(washout) } else { 0 };
        // trials of L1.washout, whose histories last as long, L2.response and L3.stationarity
        washout.saturating_mul(2 * 120 + 80 + 61).saturating_add(visits)
    } else {
        let design = |margin: f64| {
            let white = Design { tau: 1.0, sigma: medium.noise, coloured: medium.flicker, settled: true, ticks: 0, rest: 0 };
            white.ticks_for(margin)
        };
        // half of each turn is for coming to rest, unless it is chopped against the reference; a program without memory then takes none
        let (held, references) = match medium.flicker {
            true => (design(medium.margin), 1),
            false => (design(medium.margin).saturating_mul(3) / 2, 0),
        };
        let drifting = design(medium.drift.map_or(medium.margin, |d| d.most) / 2.0_f64.sqrt());
        // stimuli of L2.equivalence, L2.isolation and L2.transfer, the pattern of L2.course, the ladder of L3.drift, pilots and L1
        let course = design(medium.margin).saturating_mul(course_ticks(profile, shown));
        let ticks = held.saturating_mul(7 + 9 + 19 - 3 * references).saturating_add(course);
        // of the beginning, which all that follows is held against, both stages
        let ladder = drifting.saturating_mul((2 - references) * (5 + AGAIN));
        ticks.saturating_add(ladder).saturating_add(9 * PILOT[0] + 3 * 2000 + 120 * 34)
    };
    let price = medium.price;
    Some(Forecast {
        ticks,
        seconds: ticks as f64 * price.seconds,
        joules: ticks as f64 * price.joules,
        writes: price.writes.saturating_mul(tried.iter().map(|law| law.programs()).sum()),
    })
}
