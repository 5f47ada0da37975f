//! What the statistical laws will ask of a medium, told before they ask.
//!
//! Each law has its part, that of one program: the one of those shown for which it is least, since a medium may refuse others. A stage that would take
//! more than [`MOST`] ticks is not begun, and is none of it.

use super::rest::come_to_rest;
use super::{AGAIN, Design, MOST, PILOT, REST, SETTLED, STIMULI};
use crate::bench::{narrow, span};
use crate::law::Law;
use crate::laws::least;
use crate::settled::unsaid;
use isoform_core::medium::Medium;
use isoform_core::oracle::Oracle;
use isoform_core::profile::Profile;
use isoform_core::program::Program;
use isoform_core::substrate::Run;

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
    let of = |law: &str, program: Option<&Program>| Part { profile, medium: &medium, program }.ticks(law);
    let part = |law: &&&Law| match law.id {
        // these leave out programs that are not what they are about
        "L2.settled" | "L2.pinched" if !shown.is_empty() => shown.iter().map(|program| of(law.id, Some(program))).max(),
        _ if shown.is_empty() => Some(of(law.id, None)),
        _ => shown.iter().map(|program| of(law.id, Some(program))).min(),
    };
    let ticks = tried.iter().filter(|law| law.statistical).filter_map(|law| part(&law)).fold(0, usize::saturating_add);
    let price = medium.price;
    Some(Forecast {
        ticks,
        seconds: ticks as f64 * price.seconds,
        joules: ticks as f64 * price.joules,
        writes: price.writes.saturating_mul(tried.iter().map(|law| law.programs()).sum()),
    })
}

/// What laws take of one program, or of one of the library where none is shown.
struct Part<'a> {
    profile: &'a Profile,
    medium: &'a Medium,
    program: Option<&'a Program>,
}

impl Part<'_> {
    fn ticks(&self, law: &str) -> usize {
        let inputs = self.program.map_or(1, Program::input_channels);
        let margin = self.medium.margin;
        // under the reference, and under those that are furthest from it where noise may settle
        let pilot = if self.medium.flicker { PILOT[0] } else { 3 * PILOT[0] };
        match law {
            "L1.noise" => least::noise(self.medium.flicker, inputs, SETTLED[0] + PILOT[0]),
            "L1.reset-trials" => PILOT[0] + least::reset_trials(),
            "L2.company" if least::is_in_company(self.profile) => {
                (pilot + self.stage(STIMULI.len(), margin)) * self.profile.limits.realizations.min(2)
            }
            "L2.equivalence" => pilot + self.stage(least::EQUIVALENCE, margin),
            "L2.isolation" => pilot + self.stage(least::isolation(inputs), margin),
            "L2.transfer" => pilot + self.stage(least::TRANSFER, margin),
            "L2.course" => pilot + self.course(),
            "L2.capacity" if self.profile.limits.spacing <= 1 && inputs > 0 => least::CAPACITY,
            "L2.pinched" => self.program.map_or(0, least::pinched),
            "L3.drift" => PILOT[0] + self.ladder(),
            // staircases, and means
            "L3.calibration" if self.profile.facets.calibration => {
                least::STAIRCASES + PILOT[0] + self.stage(STIMULI.len(), margin)
            }
            _ => {
                self.medium.washout.map_or(0, |washout| self.running(law, usize::try_from(washout).unwrap_or(usize::MAX), inputs))
            }
        }
    }

    /// The same of laws of what runs on.
    fn running(&self, law: &str, washout: usize, inputs: usize) -> usize {
        let spacing = self.profile.limits.spacing;
        match law {
            "L1.washout" => least::washout(washout),
            "L2.response" if inputs > 0 => least::response(washout, spacing),
            "L2.settled"
                if inputs > 0 && spacing <= 1 && !self.medium.flicker && self.program.is_none_or(|p| unsaid(p).is_none()) =>
            {
                least::settled(washout)
            }
            "L3.stationarity" => least::stationarity(washout),
            _ => 0,
        }
    }

    fn design(&self, margin: f64) -> usize {
        let (sigma, coloured) = (self.medium.noise, self.medium.flicker);
        Design { tau: 1.0, sigma, coloured, settled: true, ticks: 0, rest: 0 }.ticks_for(margin)
    }

    /// A stage of so many stimuli.
    fn stage(&self, stimuli: usize, margin: f64) -> usize {
        let design = self.design(margin);
        if design.saturating_mul(stimuli) > MOST || !self.is_chopped_shortly() {
            return 0;
        }
        match self.medium.flicker {
            // chopped against the first
            true => design * (stimuli - 1),
            // a third of each turn is for coming to rest
            false => design * stimuli * 3 / 2,
        }
    }

    /// The pattern of levels, and once more for as long as time constants show, where a stage has ticks for it.
    fn course(&self) -> usize {
        let once = least::course(self.profile, &[]);
        let slow = least::course(self.profile, self.program.map_or(&[][..], std::slice::from_ref)) / once - 1;
        let stage = self.design(self.medium.margin).saturating_mul(once);
        if stage > MOST || !self.is_chopped_shortly() {
            return 0;
        }
        let slow = slow.min((MOST / stage).max(2));
        stage + if stage * slow > MOST { 0 } else { stage * slow }
    }

    /// The ages at which the drift is looked at: one stage each, and both of the first, which is what the others are held against.
    fn ladder(&self) -> usize {
        let Medium { margin, drift, .. } = *self.medium;
        let design = self.design(drift.map_or(margin, |d| d.most) / 2.0_f64.sqrt());
        // where a drift is declared and the medium cannot rest, its time passes in work
        let worked = match (drift, self.program) {
            (None, _) => least::WORK,
            (Some(drift), Some(program)) if !self.profile.facets.rest => drift.within / program.semantics().dt,
            _ => 0.0,
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of ticks, held below the most")]
        let worked = worked.min(1e9) as usize;
        if design.saturating_mul(2 * (least::AGES + AGAIN)).saturating_add(worked) > MOST || !self.is_chopped_shortly() {
            return 0;
        }
        let stages = design * (least::AGES + AGAIN);
        (if self.medium.flicker { stages } else { 3 * stages }) + worked * 9 / 10
    }

    /// Whether stages are as short as they can be: under noise like 1/f nothing counts before the program has come to rest, and how long that takes of
    /// what remembers decides whether a stage is begun.
    fn is_chopped_shortly(&self) -> bool {
        !self.medium.flicker || self.program.is_some_and(|program| forgets(program, self.profile, REST * self.medium.margin))
    }
}

/// Whether a program is at rest at once, whatever it came from.
fn forgets(program: &Program, profile: &Profile, size: f64) -> bool {
    let ([low, high], mut oracle) = (span(profile), Oracle::new(program, &Run::new()));
    [low, high, low].into_iter().all(|level| {
        let row = vec![narrow(level, low, high); program.input_channels()];
        come_to_rest(&mut oracle, &row, program.output_channels(), size) == Some(0)
    })
}
