//! Trials of a noisy medium: what came out beside what the program says, kept as it came.
//!
//! Everything is a difference of an output to the oracle, which goes through the same inputs tick by tick; the laws judge means and spreads of
//! differences. **Colour first**: a pilot says how long the noise remembers, and whether its mean settles at all. Where it does, a stimulus is
//! held for as many ticks as the margin takes, in turns with others in random order. Where it does not, it is chopped against the first
//! stimulus in the order A B B A, and a value is the difference of the two halves of a cycle, which a slow wander leaves alone. What a program
//! remembers of the one half would hide its errors in the other, so that neither counts before the program has come to rest under it.
//!
//! Error rates are those of `tally`.

mod forecast;
mod patterns;
mod rest;
mod rows;
mod tally;
mod visits;

use crate::bench::Bench;
use crate::chance::Chance;
use crate::statistics::equivalence::{self, FEWEST};
use crate::statistics::series::Series;
use crate::units;
use isoform_core::error::{Error, ErrorKind, Integrity, Result};
use isoform_core::medium::Medium;
use isoform_core::oracle::Oracle;
use isoform_core::program::Program;
use isoform_core::session::Blocking;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::Run;
use rest::{LOOK, come_to_rest};
use serde::{Deserialize, Serialize};

pub use forecast::{Forecast, forecast};
pub(crate) use patterns::STIMULI;
pub(crate) use rest::{apart, pace, settled};
pub(crate) use rows::Rows;
pub(crate) use tally::{
    FALSE_ALARM, PASS, RESOLVED, SEPARATE, STAGES, Tally, decisive, failing, limits, locate, locate_within, normal, together,
    with_trials,
};
pub(crate) use visits::Visits;

/// The probability with which a stage finds a mean of nought within its margin.
pub(crate) const POWER: f64 = 0.95;
/// More samples that means of sixteen batches take than single ones.
const BATCHED: f64 = 1.44;
/// How many times as long as the first a second stage is: what the first left open for want of samples, because there are many checks or because the
/// pilot met less noise than the stimuli do, is decided by it.
pub(crate) const AGAIN: usize = 4;
/// Ticks between two looks at whether a program has come to rest, and the most looks.
const SETTLED: [usize; 2] = [500, 64];
/// The shortest and the longest pilot in ticks.
const PILOT: [usize; 2] = [400, 25_600];
/// The most ticks of one stage, where no budget of time ends it before.
pub(crate) const MOST: usize = 400_000;
/// Ticks of a quarter of a chopped cycle.
const CHOP: usize = 8;
/// The part of a margin beside which a program has come to rest.
pub(crate) const REST: f64 = 0.1;
/// The number of rows that no stimulus is judged by.
const SETTLING: usize = 1 << 20;
/// Ticks after which it is the turn of a realization beside another.
const TURN: usize = 8;
/// Turns that a stimulus has.
const TURNS: usize = 4;

/// A program on the medium, with the oracle beside it.
#[derive(Debug)]
pub(crate) struct Stand {
    pub(crate) session: Blocking,
    oracle: Oracle,
    /// Channels of all lanes.
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    /// What its outputs are measured in.
    pub(crate) unit: String,
    /// Samples that were clipped so far.
    pub(crate) clipped: u64,
    /// The ticks that are asked for at once, and a calibration that is over before their end is made anew; any number, and an error, where absent.
    pub(crate) renewing: Option<usize>,
    /// Another realization, which meets the same inputs taken from so much.
    neighbour: Option<(Blocking, f64)>,
}

/// In which order stimuli follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// In random order, anew for each stage.
    Random,
    /// As they are listed, again and again.
    Listed,
}

impl Stand {
    pub(crate) fn open(bench: &Bench<'_>, program: &Program, seed: u64) -> Result<Self> {
        let run = Run::new().with_seed(seed);
        Ok(Self::on(bench.open(program, &run)?, program, &run))
    }

    /// The same in a session that was opened otherwise.
    pub(crate) fn on(session: Blocking, program: &Program, run: &Run) -> Self {
        let (inputs, outputs) = (program.input_channels() * run.batch, program.output_channels() * run.batch);
        Self {
            session,
            oracle: Oracle::new(program, run),
            inputs,
            outputs,
            unit: units::common(program),
            clipped: 0,
            renewing: None,
            neighbour: None,
        }
    }

    /// The same beside another realization, which meets mirror images of the inputs: what they are short of a sum.
    pub(crate) fn beside(self, neighbour: Blocking, sum: f64) -> Self {
        Self { neighbour: Some((neighbour, sum)), ..self }
    }

    /// Holds a row of inputs and adds the rows that come.
    pub(crate) fn hold(&mut self, x: &[f32], ticks: usize, stimulus: usize, rows: &mut Rows) -> Result<()> {
        let input = x.repeat(ticks);
        self.play(&input, ticks, stimulus, rows)
    }

    /// Plays rows of inputs, `[tick, lane, channel]`, and adds the rows that come.
    #[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
    pub(crate) fn play(&mut self, input: &[f32], ticks: usize, stimulus: usize, rows: &mut Rows) -> Result<()> {
        let turn = self.neighbour.as_ref().map(|_| TURN);
        if let Some(most) = self.renewing.into_iter().chain(turn).min().filter(|most| *most < ticks) {
            let mut parts = input.chunks(most * self.inputs.max(1));
            return (0..ticks)
                .step_by(most)
                .try_for_each(|from| self.play(parts.next().unwrap_or_default(), most.min(ticks - from), stimulus, rows));
        }
        let mut y = vec![0.0; ticks * self.outputs];
        let report = match self.session.advance(Signal::Dense(input), SignalMut::Dense(&mut y), ticks) {
            Err(e) if self.renewing.is_some() && e.kind() == ErrorKind::Calibration && e.state() == Integrity::Intact => {
                self.session.calibrate()?;
                self.session.advance(Signal::Dense(input), SignalMut::Dense(&mut y), ticks)?
            }
            report => report?,
        };
        if report.ticks != ticks {
            return Err(Error::fault(format!("an advance of {ticks} ticks that nobody cancelled reports {}", report.ticks)));
        }
        self.clipped += report.clipped;
        if let Some((neighbour, sum)) = &mut self.neighbour {
            let mirrored: Vec<f32> = input.iter().map(|&v| (*sum - f64::from(v)) as f32).collect();
            neighbour.advance(Signal::Dense(&mirrored), SignalMut::Dense(&mut vec![0.0; ticks * self.outputs]), ticks)?;
        }
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

    /// Holds a row of inputs for as long as the program alone takes to come to rest beside a size, if it does.
    fn come_to_rest(&mut self, x: &[f32], size: f64) -> Result<()> {
        let rest = come_to_rest(&mut self.oracle.clone(), x, self.outputs, size);
        self.hold(x, rest.unwrap_or(0), 0, &mut Rows::default())
    }

    /// Ticks after which the program is at rest beside a size, when a stimulus takes the place of the first and when the first comes back; of the
    /// program alone, from where it is. None if an output goes on and on.
    fn rest(&self, stimuli: &[Vec<f32>], size: f64) -> Option<usize> {
        let mut oracle = self.oracle.clone();
        let mut longest = 0;
        for k in 1..stimuli.len() {
            for x in [&stimuli[k], &stimuli[0]] {
                longest = longest.max(come_to_rest(&mut oracle, x, self.outputs, size)?);
            }
        }
        Some(longest)
    }

    /// Resets what can be reset: what a state came to under one input is not what another leads to.
    pub(crate) fn begin_anew(&mut self) -> Result<()> {
        match self.reset() {
            Err(e) if e.kind() == ErrorKind::Unsupported => Ok(()),
            done => done,
        }
    }

    pub(crate) fn reset(&mut self) -> Result<()> {
        self.session.reset()?;
        self.oracle.restart();
        Ok(())
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
    /// Ticks in which the program comes to rest, where stimuli are chopped; [`NEVER`] if it does not.
    #[serde(default)]
    pub(crate) rest: usize,
}

/// The rest of a program whose outputs go on and on.
const NEVER: usize = usize::MAX;

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
        let mut design = Self { tau, sigma, coloured, settled: series.iter().all(Series::is_settled), ticks: 0, rest: 0 };
        design.ticks = design.ticks_for(medium.margin);
        design
    }

    /// Ticks in which a stage finds a mean of nought within a margin; more than the most if no number does.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held below a number of ticks")]
    pub(crate) fn ticks_for(&self, margin: f64) -> usize {
        if self.coloured {
            // a value is the difference of two means over a half cycle each; chopping leaves white noise of no more than that spread, unless the
            // halves lie apart, where it leaves up to that of a sample
            let averaged = if self.rest == 0 { CHOP as f64 } else { 1.0 };
            let needed = self.needed(margin * averaged.sqrt());
            return needed.map_or(MOST + 1, |n| n.clamp(2 * FEWEST, MOST).saturating_mul(self.cycle()));
        }
        let least = 10.0 * FEWEST as f64 * self.tau;
        let wanted = self.needed(margin).map_or(f64::INFINITY, |n| BATCHED * n as f64 * self.tau);
        // batches that do not fit end nowhere
        (1.1 * least.max(wanted)).ceil().min(MOST as f64 + 1.0) as usize
    }

    /// Ticks of a chopped cycle.
    fn cycle(&self) -> usize {
        self.rest.saturating_mul(2).saturating_add(4 * CHOP)
    }

    /// The design of a second stage for a margin, where the first showed a deviation.
    fn again(self, deviation: f64, margin: f64) -> Self {
        let noisier = Self { sigma: self.sigma.max(deviation), ..self };
        Self { ticks: noisier.ticks_for(margin).max(self.ticks).saturating_mul(AGAIN), ..self }
    }

    /// Why means cannot be chopped, if they cannot.
    pub(crate) fn restless(&self) -> Option<String> {
        (self.rest == NEVER).then(|| {
            format!(
                "an output of the program goes on and on under a stimulus that is held for {} ticks, and under noise like 1/f only means at rest \
                 can be told from the noise",
                LOOK[1]
            )
        })
    }

    fn needed(&self, margin: f64) -> Option<usize> {
        if self.sigma > 0.0 { equivalence::samples(margin / self.sigma, PASS, POWER) } else { Some(FEWEST) }
    }
}

/// The stimuli whose sums are furthest above and below that of the first.
fn furthest(stimuli: &[Vec<f32>]) -> Vec<usize> {
    let sum = |k: &usize| stimuli[*k].iter().map(|&v| f64::from(v)).sum::<f64>();
    let ends = [
        (0..stimuli.len()).max_by(|a, b| sum(a).total_cmp(&sum(b))),
        (0..stimuli.len()).min_by(|a, b| sum(a).total_cmp(&sum(b))),
    ];
    ends.into_iter().flatten().filter(|k| *k > 0).collect()
}

/// The longest washout that is waited for, in ticks.
const LONGEST: u64 = 1 << 20;

impl Bench<'_> {
    /// What the medium promises, or why nothing can be held against it.
    pub(crate) fn medium(&self) -> Result<Medium, String> {
        let medium = self.profile.medium.ok_or_else(|| String::from("the profile declares no margin and no noise"))?;
        medium.check().map_err(|e| e.to_string())?;
        Ok(medium)
    }

    /// The same with the ticks after which it has forgotten, of which no more are waited for than any suite can.
    pub(crate) fn forgetting(&self) -> Result<(Medium, usize), String> {
        let medium = self.medium()?;
        let washout = medium.washout.ok_or_else(|| String::from("the profile declares no washout"))?;
        Ok((medium, washout.min(LONGEST) as usize))
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

    /// Looks at the noise under the reference, the first of the stimuli, and under those that are furthest from it to either side, where noise that grows
    /// with what it is on is loudest and remembers longest; a design allows for the worst of them. The rows are those of the reference.
    pub(crate) fn pilot(&self, stand: &mut Stand, stimuli: &[Vec<f32>], medium: &Medium) -> Result<(Rows, Design)> {
        let (rows, mut design) = self.look(stand, stimuli, 0, medium)?;
        let size = REST * medium.margin;
        for k in furthest(stimuli) {
            if design.coloured {
                break;
            }
            let found = self.look(stand, stimuli, k, medium)?.1;
            design.sigma = design.sigma.max(found.sigma);
            // what a state is on its way to there makes an error wander, which is no noise: L1.noise looks at the colour of that
            if !found.coloured {
                design.tau = design.tau.max(found.tau);
                design.settled &= found.settled;
            }
            stand.begin_anew()?;
            stand.come_to_rest(&stimuli[0], size)?;
        }
        if design.coloured {
            design.rest = stand.rest(stimuli, size).unwrap_or(NEVER);
        }
        design.ticks = design.ticks_for(medium.margin);
        Ok((rows, design))
    }

    /// Holds a stimulus until the record is long enough for its autocorrelation time, or too long.
    fn look(&self, stand: &mut Stand, stimuli: &[Vec<f32>], stimulus: usize, medium: &Medium) -> Result<(Rows, Design)> {
        let held = stimuli.get(stimulus).map_or(&[][..], Vec::as_slice);
        if medium.flicker || stimulus > 0 {
            // an error that follows a program on its way to rest is no noise
            stand.come_to_rest(held, REST * medium.margin)?;
        }
        let mut rows = Rows::default();
        let mut ticks = PILOT[0];
        loop {
            let more = ticks - rows.stimulus.len();
            stand.hold(held, more, 0, &mut rows)?;
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
        let (first, times) = if design.coloured { (1, design.ticks.div_ceil(design.cycle())) } else { (0, TURNS) };
        let mut turns: Vec<usize> = (0..times).flat_map(|_| first..stimuli.len()).collect();
        if order == Order::Random {
            chance.shuffle(&mut turns);
        }
        if design.coloured {
            stand.hold(&stimuli[0], design.rest, SETTLING, &mut rows)?;
        }
        for k in turns {
            if design.coloured {
                stand.hold(&stimuli[0], CHOP, 0, &mut rows)?;
                stand.hold(&stimuli[k], design.rest, SETTLING, &mut rows)?;
                stand.hold(&stimuli[k], 2 * CHOP, k, &mut rows)?;
                stand.hold(&stimuli[0], design.rest, SETTLING, &mut rows)?;
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
            return Some(format!(
                "a stage takes more than {MOST} ticks, because the noise is large beside the margin or the program slow to come to rest"
            ));
        }
        self.unaffordable(ticks, medium)
    }

    /// The design of a second stage of so many stimuli for a margin, where the first showed a deviation: that of the first where it would be too dear.
    pub(crate) fn again(&self, design: &Design, deviation: f64, (stimuli, margin): (usize, f64), medium: &Medium) -> Design {
        let longer = design.again(deviation, margin);
        let ticks = longer.ticks.saturating_mul(stimuli);
        if ticks > AGAIN * MOST || self.unaffordable(ticks, medium).is_some() { *design } else { longer }
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
