//! Trials of a noisy medium: what came out beside what the program says, kept as it came.
//!
//! Everything is a difference of an output to the oracle, which goes through the same inputs tick by tick; the laws judge means and spreads of
//! differences. **Colour first**: a pilot says how long the noise remembers, and whether its mean settles at all. Where it does, a stimulus is
//! held for as many ticks as the margin takes, in turns with others in random order. Where it does not, it is chopped against the first
//! stimulus in the order A B B A, and a value is the difference of the two halves of a cycle, which a slow wander leaves alone.
//!
//! **Error rates.** A law may alarm on a healthy substrate with a probability of its share of [`FALSE_ALARM`], split over its checks. A check
//! fails only if it fails twice, on fresh data, each time at the root of its share. It passes at [`PASS`] over both stages.

use crate::bench::{Bench, narrow};
use crate::chance::Chance;
use crate::law::{Law, Verdict};
use crate::laws::laws;
use crate::record::{Evidence, Requirement, Status};
use crate::statistics::equivalence::{self, FEWEST, Location};
use crate::statistics::series::{Series, moments};
use isoform_core::error::{Error, Result};
use isoform_core::medium::Medium;
use isoform_core::oracle::Oracle;
use isoform_core::profile::{Class, Profile};
use isoform_core::program::Program;
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::Run;
use serde::{Deserialize, Serialize};

/// What the probability of a false alarm of all statistical laws together is designed for.
pub(crate) const FALSE_ALARM: f64 = 5e-4;
/// The level of one stage of a test that passes; both together have that of the tables, 1e-3.
pub(crate) const PASS: f64 = 5e-4;
/// The probability with which a stage finds a mean of nought within its margin.
pub(crate) const POWER: f64 = 0.95;
/// More samples that means of sixteen batches take than single ones.
const BATCHED: f64 = 1.44;
/// Ticks between two looks at whether a program has come to rest, and the most looks.
const SETTLED: [usize; 2] = [500, 64];
/// The shortest and the longest pilot in ticks.
const PILOT: [usize; 2] = [400, 25_600];
/// The most ticks of one stage, where no budget of time ends it before.
const MOST: usize = 400_000;
/// Ticks of a quarter of a chopped cycle.
const CHOP: usize = 8;
/// The number of rows that no stimulus is judged by.
const SETTLING: usize = 1 << 20;
/// Turns that a stimulus has.
const TURNS: usize = 4;

/// The part of it that a law has: as many laws share it as the class with the most statistical ones owes.
fn share() -> f64 {
    let owed =
        |class: Class| laws().iter().filter(|law| law.statistical && (law.requirement)(class) != Requirement::Impossible).count();
    FALSE_ALARM / Class::ALL.iter().map(|&class| owed(class)).max().unwrap_or(1).max(1) as f64
}

/// The level at which one of so many checks of a law fails in one stage.
pub(crate) fn failing(checks: usize) -> f64 {
    (share() / checks.max(1) as f64).sqrt()
}

/// A program on the medium, with the oracle beside it.
#[derive(Debug)]
pub(crate) struct Stand {
    pub(crate) session: Blocking,
    oracle: Oracle,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    /// Samples that were clipped so far.
    pub(crate) clipped: u64,
}

/// In which order stimuli follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// In random order, anew for each stage.
    Random,
    /// As they are listed, again and again.
    Listed,
}

/// Successive rows of outputs and what the program says of them, with the number of the stimulus of each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    pub(crate) seen: Vec<f64>,
    pub(crate) said: Vec<f64>,
    pub(crate) stimulus: Vec<f64>,
}

impl Stand {
    pub(crate) fn open(bench: &Bench<'_>, program: &Program, seed: u64) -> Result<Self> {
        let run = Run::new().with_seed(seed);
        Ok(Self::on(bench.open(program, &run)?, program, &run))
    }

    /// The same in a session that was opened otherwise.
    pub(crate) fn on(session: Blocking, program: &Program, run: &Run) -> Self {
        let (inputs, outputs) = (program.input_channels(), program.output_channels());
        Self { session, oracle: Oracle::new(program, run), inputs, outputs, clipped: 0 }
    }

    /// Holds a row of inputs and adds the rows that come.
    pub(crate) fn hold(&mut self, x: &[f32], ticks: usize, stimulus: usize, rows: &mut Rows) -> Result<()> {
        let input = x.repeat(ticks);
        self.play(&input, ticks, stimulus, rows)
    }

    /// Plays rows of inputs and adds the rows that come.
    pub(crate) fn play(&mut self, input: &[f32], ticks: usize, stimulus: usize, rows: &mut Rows) -> Result<()> {
        let mut y = vec![0.0; ticks * self.outputs];
        let report = self.session.advance(Signal::Dense(input), SignalMut::Dense(&mut y), ticks)?;
        if report.ticks != ticks {
            return Err(Error::fault(format!("an advance of {ticks} ticks that nobody cancelled reports {}", report.ticks)));
        }
        self.clipped += report.clipped;
        rows.seen.extend(y.iter().map(|&v| f64::from(v)));
        let (mut wide, mut said) = (vec![0.0; self.inputs], vec![0.0; self.outputs]);
        for tick in 0..ticks {
            wide.iter_mut().zip(&input[tick * self.inputs..]).for_each(|(w, &v)| *w = f64::from(v));
            self.oracle.step(&wide, &mut said);
            rows.said.extend_from_slice(&said);
        }
        rows.stimulus.extend(std::iter::repeat_n(stimulus as f64, ticks));
        Ok(())
    }

    /// Holds a row of inputs until the program has come to rest beside a size, or for long enough.
    pub(crate) fn settle(&mut self, x: &[f32], size: f64) -> Result<()> {
        for _ in 0..SETTLED[1] {
            let mut rows = Rows::default();
            self.hold(x, SETTLED[0], 0, &mut rows)?;
            let (first, last) = (&rows.said[..self.outputs], &rows.said[rows.said.len() - self.outputs..]);
            if first.iter().zip(last).all(|(a, b)| (a - b).abs() <= size) {
                break;
            }
        }
        Ok(())
    }

    pub(crate) fn reset(&mut self) -> Result<()> {
        self.session.reset()?;
        self.oracle.restart();
        Ok(())
    }
}

impl Rows {
    /// Keeps the rows under a name.
    pub(crate) fn keep(self, evidence: &mut Evidence, name: &str, outputs: usize) {
        let ticks = self.stimulus.len();
        evidence.keep(&format!("{name}/output"), "1", &[ticks, outputs], self.seen);
        evidence.keep(&format!("{name}/program"), "1", &[ticks, outputs], self.said);
        evidence.keep(&format!("{name}/stimulus"), "1", &[ticks], self.stimulus);
    }

    /// The rows that were kept under a name.
    pub(crate) fn kept(evidence: &Evidence, name: &str) -> Option<(Self, usize)> {
        let part = |what: &str| evidence.sample(&format!("{name}/{what}"));
        let (seen, said, stimulus) = (part("output")?, part("program")?, part("stimulus")?);
        let fits = seen.shape == said.shape
            && seen.shape.first() == Some(&stimulus.values.len())
            && seen.values.len() == said.values.len();
        let &[_, outputs] = seen.shape.as_slice() else { return None };
        (fits && seen.values.len() == outputs * stimulus.values.len())
            .then(|| (Self { seen: seen.values.clone(), said: said.values.clone(), stimulus: stimulus.values.clone() }, outputs))
    }

    /// The differences of one output, whatever the stimulus.
    pub(crate) fn differences(&self, outputs: usize, output: usize) -> Vec<f64> {
        let of = |values: &[f64]| values.iter().skip(output).step_by(outputs.max(1)).copied().collect::<Vec<_>>();
        // what single precision rounds off is no difference
        let differ = |(seen, said): (&f64, f64)| {
            let difference = seen - said;
            if difference.abs() <= said.abs() * f64::from(f32::EPSILON) { 0.0 } else { difference }
        };
        of(&self.seen).iter().zip(of(&self.said)).map(differ).collect()
    }

    /// What the program says of one output under a stimulus, in the mean.
    pub(crate) fn mean_said(&self, outputs: usize, output: usize, stimulus: usize) -> Option<f64> {
        let is = |tick: &usize| self.stimulus[*tick].to_bits() == (stimulus as f64).to_bits();
        let said: Vec<f64> = (0..self.stimulus.len()).filter(is).map(|t| self.said[t * outputs + output]).collect();
        (!said.is_empty()).then(|| moments(&said).0)
    }

    /// Values of one output under a stimulus that are nearly independent, with what the design says of the noise.
    pub(crate) fn values(&self, outputs: usize, output: usize, stimulus: usize, design: &Design) -> Option<Vec<f64>> {
        let all = self.differences(outputs, output);
        let is = |tick: usize| self.stimulus[tick].to_bits() == (stimulus as f64).to_bits();
        if !design.coloured {
            let own: Vec<f64> = (0..all.len()).filter(|&t| is(t)).map(|t| all[t]).collect();
            return equivalence::batches(&own, design.tau);
        }
        // cycles of the reference, the stimulus twice as long, and the reference
        let mut values = Vec::new();
        let mut tick = 0;
        while tick + 4 * CHOP <= all.len() {
            if is(tick + CHOP) {
                let mean = |from: usize| moments(&all[tick + from * CHOP..tick + (from + 1) * CHOP]).0;
                values.push((mean(1) + mean(2) - mean(0) - mean(3)) / 2.0);
            }
            tick += 4 * CHOP;
        }
        (values.len() >= FEWEST).then_some(values)
    }
}

/// What a pilot said of the noise, and how long a stage is to be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Design {
    /// The autocorrelation time of the worst output, in ticks.
    pub(crate) tau: f64,
    /// The largest standard deviation of a difference.
    pub(crate) sigma: f64,
    /// Whether stimuli are chopped.
    pub(crate) coloured: bool,
    /// Whether a longer pilot says nothing new.
    pub(crate) settled: bool,
    /// Ticks of a stimulus in a stage.
    pub(crate) ticks: usize,
}

impl Design {
    /// Reads a design off the rows of a pilot.
    pub(crate) fn of(pilot: &Rows, outputs: usize, medium: &Medium) -> Self {
        let series: Vec<Series> = (0..outputs).map(|o| Series::of(&pilot.differences(outputs, o))).collect();
        let sigma = series.iter().map(|s| s.deviation).fold(0.0, f64::max);
        // what hardly moves a mean has no colour that matters
        let series: Vec<Series> = series.into_iter().filter(|s| !s.is_slight(medium.margin)).collect();
        let tau = series.iter().map(|s| s.tau).fold(1.0, f64::max);
        let coloured = medium.flicker || (series.iter().any(Series::is_coloured) && pilot.stimulus.len() >= PILOT[1]);
        let coloured = coloured || (series.iter().all(Series::is_settled) && series.iter().any(Series::is_coloured));
        let mut design = Self { tau, sigma, coloured, settled: series.iter().all(Series::is_settled), ticks: 0 };
        design.ticks = design.ticks_for(medium.margin);
        design
    }

    /// Ticks in which a stage finds a mean of nought within a margin; more than the most if no number does.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held below a number of ticks")]
    pub(crate) fn ticks_for(&self, margin: f64) -> usize {
        if self.coloured {
            // a value is the difference of two means over a half cycle each; chopping leaves white noise of no more than that spread
            let needed = self.needed(margin * (CHOP as f64).sqrt());
            return needed.map_or(MOST + 1, |n| n.clamp(2 * FEWEST, MOST) * 4 * CHOP);
        }
        let least = 10.0 * FEWEST as f64 * self.tau;
        let wanted = self.needed(margin).map_or(f64::INFINITY, |n| BATCHED * n as f64 * self.tau);
        // batches that do not fit end nowhere
        (1.1 * least.max(wanted)).ceil().min(MOST as f64 + 1.0) as usize
    }

    fn needed(&self, margin: f64) -> Option<usize> {
        if self.sigma > 0.0 { equivalence::samples(margin / self.sigma, PASS, POWER) } else { Some(FEWEST) }
    }
}

impl Bench<'_> {
    /// What the medium promises, or why nothing can be held against it.
    pub(crate) fn medium(&self) -> Result<Medium, String> {
        let medium = self.profile.medium.ok_or_else(|| String::from("the profile declares no margin and no noise"))?;
        medium.check().map_err(|e| e.to_string())?;
        Ok(medium)
    }

    /// Programs whose outputs show an error as large as it is: those that the substrate shows of itself, or a graded one of the library.
    pub(crate) fn subjects(&self) -> Result<Vec<(String, Program)>> {
        let shown = self.shown()?;
        if !shown.is_empty() {
            return Ok(shown.into_iter().enumerate().map(|(i, p)| (format!("exemplar {}", i + 1), p)).collect());
        }
        let houses = self.houses()?;
        let graded = houses.iter().find(|(name, _)| *name == "graded").or_else(|| houses.first());
        graded.map(|(name, plan)| Ok(vec![((*name).to_owned(), plan.build()?)])).unwrap_or_else(|| Ok(Vec::new()))
    }

    /// Rows of inputs: a reference in the middle of the range, both ends, and two that differ from channel to channel.
    pub(crate) fn stimuli(&self, inputs: usize, chance: &mut Chance) -> Vec<Vec<f32>> {
        let [low, high] = self.span();
        let level = |share: f64| vec![narrow(low + share * (high - low), low, high); inputs];
        let mut mixed = || (0..inputs).map(|_| narrow(chance.within(low, high), low, high)).collect::<Vec<_>>();
        let (one, other) = (mixed(), mixed());
        vec![level(0.5), level(0.0), level(1.0), one, other]
    }

    /// Holds the reference until the record is long enough for its autocorrelation time, or too long.
    pub(crate) fn pilot(&self, stand: &mut Stand, reference: &[f32], medium: &Medium) -> Result<(Rows, Design)> {
        let mut rows = Rows::default();
        let mut ticks = PILOT[0];
        loop {
            let more = ticks - rows.stimulus.len();
            stand.hold(reference, more, 0, &mut rows)?;
            let design = Design::of(&rows, stand.outputs, medium);
            if design.settled || design.coloured || ticks >= PILOT[1] {
                return Ok((rows, design));
            }
            ticks *= 2;
        }
    }

    /// One stage: every stimulus for the ticks of the design, in turns in random order, or chopped against the first.
    pub(crate) fn stage(
        &self,
        stand: &mut Stand,
        stimuli: &[Vec<f32>],
        design: &Design,
        order: Order,
        chance: &mut Chance,
    ) -> Result<Rows> {
        let mut rows = Rows::default();
        let (first, times) = if design.coloured { (1, design.ticks.div_ceil(4 * CHOP)) } else { (0, TURNS) };
        let mut turns: Vec<usize> = (0..times).flat_map(|_| first..stimuli.len()).collect();
        if order == Order::Random {
            chance.shuffle(&mut turns);
        }
        for k in turns {
            if design.coloured {
                stand.hold(&stimuli[0], CHOP, 0, &mut rows)?;
                stand.hold(&stimuli[k], 2 * CHOP, k, &mut rows)?;
                stand.hold(&stimuli[0], CHOP, 0, &mut rows)?;
            } else {
                // what is on its way to where the stimulus leads it says little of where that is
                let ticks = design.ticks.div_ceil(TURNS);
                stand.hold(&stimuli[k], ticks.div_ceil(2), SETTLING, &mut rows)?;
                stand.hold(&stimuli[k], ticks, k, &mut rows)?;
            }
        }
        Ok(rows)
    }

    /// Why a stage of so many ticks is not begun, if it is not.
    pub(crate) fn too_dear(&self, ticks: usize, medium: &Medium) -> Option<String> {
        if ticks > MOST {
            return Some(format!("a stage takes more than {MOST} ticks, because the noise is large beside the margin"));
        }
        self.unaffordable(ticks, medium)
    }

    /// Why the budget of time does not allow for so many ticks, if it does not.
    pub(crate) fn unaffordable(&self, ticks: usize, medium: &Medium) -> Option<String> {
        let seconds = ticks as f64 * medium.price.seconds;
        match self.time_left() {
            Some(left) if seconds > left => {
                Some(format!("a stage takes {seconds:.3} s of the device, and {left:.3} s of the budget are left"))
            }
            _ => None,
        }
    }
}

/// What two stages say of one check.
pub(crate) fn together(first: Location, second: Option<Location>) -> Location {
    match (first, second) {
        (Location::Inside, _) | (_, Some(Location::Inside)) => Location::Inside,
        (Location::Outside, Some(Location::Outside)) => Location::Outside,
        _ => Location::Open,
    }
}

/// Where a mean lies in one stage: inside by the level that passes, outside by that which fails.
pub(crate) fn locate(values: Option<&[f64]>, margin: f64, fails: f64) -> (Location, f64) {
    let Some(values) = values else { return (Location::Open, 0.0) };
    let passing = equivalence::test(values, margin, PASS);
    let location = match passing.location {
        Location::Inside => Location::Inside,
        _ if equivalence::test(values, margin, fails).location == Location::Outside => Location::Outside,
        _ => Location::Open,
    };
    (location, passing.mean)
}

/// The figure that tells how many trials a permutation is made of, which lie apart.
pub(crate) const SEPARATE: &str = "separate trials of a stage";

/// The names of the two stages of a test.
pub(crate) const STAGES: [&str; 2] = ["stage 1", "stage 2"];

/// What the checks of a law came to, each after one stage or two.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) checks: usize,
    pub(crate) open: usize,
    /// The first of those, in words.
    pub(crate) doubt: Option<String>,
    /// The first that failed, in words.
    pub(crate) broken: Option<String>,
    /// The largest magnitude beside its limit.
    pub(crate) worst: f64,
}

impl Tally {
    /// Adds a check.
    pub(crate) fn add(&mut self, location: Location, share: f64, say: impl FnOnce() -> String) {
        self.checks += 1;
        self.worst = self.worst.max(share);
        match location {
            Location::Inside => {}
            Location::Open => {
                self.open += 1;
                self.doubt.get_or_insert_with(say);
            }
            Location::Outside => {
                self.broken.get_or_insert_with(say);
            }
        }
    }

    /// The verdict, with the error rates behind it.
    pub(crate) fn verdict(self, evidence: &Evidence, holds: impl FnOnce(usize) -> String) -> Verdict {
        let Self { checks, open, doubt, broken, worst } = self;
        let verdict = match (broken, evidence.fact::<String>("not tried")) {
            (Some(why), _) => Verdict::fail(why),
            (None, Some(why)) => Verdict::new(Status::Inconclusive, why),
            (None, None) if checks == 0 => Verdict::new(Status::Inconclusive, "nothing was compared"),
            (None, None) if open > 0 => {
                let first = doubt.unwrap_or_default();
                let why = format!(
                    "{open} of {checks} checks could not be decided in two stages, for the noise is too large so near to the limit: {first}"
                );
                Verdict::new(Status::Inconclusive, why)
            }
            (None, None) => Verdict::pass(holds(checks)),
        };
        verdict
            .with_limit("largest deviation over what was declared", worst, "1", 1.0)
            .with_figure("checks", checks as f64, "1")
            .with_figure("probability of a false alarm of this law, at most", share(), "1")
    }
}

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

/// The forecast for a profile and the laws that are to be tried; none where nothing is declared that noise could be held against.
#[must_use]
pub fn forecast(profile: &Profile, tried: &[&Law]) -> Option<Forecast> {
    let medium = profile.medium.filter(|m| m.check().is_ok())?;
    let washout = usize::try_from(medium.washout.unwrap_or(0)).unwrap_or(usize::MAX);
    let ticks = if profile.class == Class::FreeRunning {
        // trials of L1.washout, L2.response and L3.stationarity
        washout.saturating_mul(120 + 80 + 61)
    } else {
        let design = |margin: f64| {
            let white = Design { tau: 1.0, sigma: medium.noise, coloured: medium.flicker, settled: true, ticks: 0 };
            white.ticks_for(margin)
        };
        let held = design(medium.margin).saturating_mul(3) / 2;
        let drifting = design(medium.drift.map_or(medium.margin, |d| d.most) / 2.0_f64.sqrt());
        // stimuli of L2.equivalence, L2.isolation and L2.transfer, the pattern of L2.course, the ladder of L3.drift, pilots and L1
        let ticks = held.saturating_mul(5 + 9 + 19).saturating_add(design(medium.margin).saturating_mul(16));
        ticks.saturating_add(drifting.saturating_mul(2 * 2 * 5)).saturating_add(7 * PILOT[0] + 2000 + 120 * 34)
    };
    let price = medium.price;
    Some(Forecast {
        ticks,
        seconds: ticks as f64 * price.seconds,
        joules: ticks as f64 * price.joules,
        writes: price.writes.saturating_mul(tried.iter().map(|law| law.programs()).sum()),
    })
}
