//! `L2.settled`: what runs on gives the means of its program once it has settled.
//!
//! It proves that for a reference, both ends of the input range and two inputs that differ from channel to channel, held for the declared washout,
//! the mean of every output lies within the declared margin of that of the program, and its deviation is no more than declared within a resolution
//! of a quarter. The program goes through the same washout; its phase is nobody's promise, and is not compared. Stimuli follow each other in random
//! order, a washout before each look, so that visits are independent: two one-sided t-tests on their means, and the t-interval of their mean squares.
//! How many there are follows from a pilot. Two stages on fresh data; see `noisy` for the error rates.
//!
//! A program whose means go on, whose outputs are spikes or which hands its inputs on declares no mean. An output that the program moves by no more
//! than the margin shows nothing, for one that always says the same would be within it too.

use crate::agreement::{SAMPLES, SAYS_NOTHING};
use crate::bench::{Bench, advance};
use crate::law::{Law, Verdict, if_running_has_it};
use crate::noisy::{Rows, STAGES, STIMULI, Tally, Visits, failing, locate, together};
use crate::record::{Evidence, Level, Status};
use crate::settled::{RECORD, apart, means, swing, unsaid, valued, window, with_inputs};
use crate::statistics::equivalence::{FEWEST, Location};
use crate::statistics::spread::{RESOLUTION, Spread};
use crate::units::{self, told};
use isoform_core::error::Result;
use isoform_core::medium::Medium;
use isoform_core::profile::Profile;
use isoform_core::session::Blocking;
use isoform_core::substrate::Run;
use std::fmt::Write as _;

pub(super) const LAW: Law = Law {
    id: "L2.settled",
    title: "what runs on gives the means of its program once it has settled",
    level: Level::L2,
    needs: "a class that runs on, an input, a program whose means settle, and a declared washout",
    requirement: if_running_has_it,
    statistical: true,
    measure,
    judge,
};

/// How many times the washout a program is followed that has not settled within it.
const LATER: usize = 8;
/// Visits of the reference from which a stage is planned.
const PILOT: usize = 8;

/// Ticks that the pilot and a first stage take of a medium with a washout, with the fewest visits.
pub(crate) fn ticks(washout: usize) -> usize {
    let visits = washout.saturating_add(window(washout)).saturating_mul(PILOT + STIMULI.len() * FEWEST);
    visits.saturating_add(washout).saturating_add(RECORD)
}

/// Where the medium is taken, and what is looked at there.
struct Tour {
    session: Blocking,
    stimuli: Vec<Vec<f32>>,
    looked_at: Vec<usize>,
    outputs: usize,
    washout: usize,
    /// Ticks between two visits: the washout, and more where noise remembers for longer.
    apart: usize,
}

impl Tour {
    /// A record under the reference.
    fn record(&mut self) -> Result<Vec<f32>> {
        advance(&mut self.session, &self.stimuli[0].repeat(self.washout), self.washout)?;
        advance(&mut self.session, &self.stimuli[0].repeat(RECORD), RECORD)
    }

    fn visit(&mut self, stimulus: usize, visits: &mut Visits) -> Result<()> {
        let row = &self.stimuli[stimulus];
        advance(&mut self.session, &row.repeat(self.apart), self.apart)?;
        let ticks = window(self.washout);
        let rows = advance(&mut self.session, &row.repeat(ticks), ticks)?;
        visits.add(stimulus, &rows, self.outputs, &self.looked_at);
        Ok(())
    }

    /// Ticks of so many visits of each stimulus.
    fn ticks(&self, visits: usize) -> usize {
        visits.saturating_mul(self.stimuli.len()).saturating_mul(self.apart + window(self.washout))
    }
}

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let promised = bench.forgetting();
    let subjects = with_inputs(bench)?;
    if subjects.is_empty() {
        evidence.lacking("its programs have no inputs");
        return Ok(());
    }
    let (mut left_out, mut judged): (Vec<[String; 2]>, Vec<_>) = (Vec::new(), Vec::new());
    for (name, program) in subjects {
        match unsaid(&program) {
            Some(why) => left_out.push([name, why.to_owned()]),
            None => judged.push((name, program)),
        }
    }
    let mut chance = bench.chance();
    let mut tried = Vec::new();
    evidence.note("programs", judged.len());
    for (name, program) in judged {
        let (medium, washout) = match &promised {
            Ok((medium, washout)) => (medium, *washout),
            Err(why) => {
                evidence.note("not tried", why);
                return Ok(());
            }
        };
        if let Some(why) = unfit(bench, medium) {
            evidence.note("not tried", why);
            return Ok(());
        }
        let looked_at = valued(&program);
        let stimuli = bench.stimuli(program.input_channels(), &mut chance);
        let Some(said) = means(bench, &program, (&stimuli, &looked_at), washout, medium.margin) else {
            // whoever declares too short a washout does not get around the one law that looks at the function
            if means(bench, &program, (&stimuli, &looked_at), washout.saturating_mul(LATER), medium.margin).is_some() {
                let why = format!("the means of {name} settle, but not within the declared washout of {washout} ticks: declare a longer one");
                evidence.note("not tried", why);
                return Ok(());
            }
            left_out.push([name, String::from("its means go on after the declared washout")]);
            continue;
        };
        if (0..looked_at.len()).all(|output| swing(&said, looked_at.len(), output) == 0.0) {
            left_out.push([name, String::from("it says the same whatever comes in")]);
            continue;
        }
        let session = bench.open(&program, &Run::new().with_seed(bench.seed))?;
        let mut tour = Tour { session, stimuli, looked_at, outputs: program.output_channels(), apart: washout, washout };
        if let Some(why) = bench.unaffordable(ticks(washout), medium) {
            evidence.note("not tried", why);
            continue;
        }
        tour.apart = apart(&tour.record()?, tour.outputs, washout);
        let mut pilot = Visits::of(tour.looked_at.len());
        for _ in 0..PILOT {
            tour.visit(0, &mut pilot)?;
        }
        let planned = pilot.planned(1, medium);
        if let Some(why) = bench.unaffordable(tour.ticks(planned), medium) {
            evidence.note("not tried", why);
            continue;
        }
        let unit = units::common(&program);
        evidence.keep(&format!("{name}/program"), &unit, &[tour.stimuli.len(), tour.looked_at.len()], said.clone());
        evidence.note(&format!("outputs of {name}"), &tour.looked_at);
        let mut count = planned;
        for stage in STAGES {
            let mut order: Vec<usize> = (0..tour.stimuli.len()).flat_map(|k| std::iter::repeat_n(k, count)).collect();
            chance.shuffle(&mut order);
            let mut visits = Visits::of(tour.looked_at.len());
            for stimulus in order {
                tour.visit(stimulus, &mut visits)?;
            }
            let share = evidence.fact("programs").unwrap_or(1);
            let settled = checks(&visits, &said, medium, share).iter().all(|check| check.location == Location::Inside);
            let longer = visits.planned_again(tour.stimuli.len(), planned, medium);
            count = if bench.unaffordable(tour.ticks(longer), medium).is_some() { planned } else { longer };
            visits.keep(evidence, &format!("{name}/{stage}"), &unit);
            if settled {
                break;
            }
        }
        tried.push(name);
    }
    if tried.is_empty()
        && !evidence.facts.contains_key("not tried")
        && let Some([name, why]) = left_out.first()
    {
        evidence.lacking(&format!("none of its programs declares what its means are; of {name}: {why}"));
    }
    evidence.note("tried", tried);
    evidence.note("left out", left_out);
    Ok(())
}

/// Why visits of a medium say nothing, if they do not.
fn unfit(bench: &Bench<'_>, medium: &Medium) -> Option<&'static str> {
    if bench.profile.limits.spacing > 1 {
        return Some("the medium bears an input only now and then, so that none can be held");
    }
    medium.flicker.then_some("under noise like 1/f visits are not independent, however long the washout between them")
}

/// What is held against a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Mean,
    Noise,
}

/// One output under one stimulus.
struct Check {
    what: What,
    stimulus: usize,
    output: usize,
    location: Location,
    /// What its mean is off, or its deviation.
    found: f64,
}

/// Means and deviations beside the means of the program `[stimulus, output]`, of one of so many programs.
fn checks(visits: &Visits, said: &[f64], medium: &Medium, programs: usize) -> Vec<Check> {
    let outputs = said.len() / STIMULI.len();
    let fails = failing(2 * said.len() * programs);
    let both = |at: usize| {
        let (stimulus, output) = (at / outputs, at % outputs);
        let [means, squares] = visits.values(stimulus, output);
        let off: Vec<f64> = means.iter().map(|mean| mean - said[at]).collect();
        let (location, found) = locate((!off.is_empty()).then_some(&off), medium.margin, fails);
        let mean = Check { what: What::Mean, stimulus, output, location, found };
        let (location, found) =
            Spread::of_squares(&squares, fails).map_or((Location::Open, 0.0), |s| (s.beside(medium.noise), s.deviation));
        [mean, Check { what: What::Noise, stimulus, output, location, found }]
    };
    (0..said.len()).flat_map(both).collect()
}

/// A program as it was measured.
struct Measured {
    name: String,
    unit: String,
    /// Means of the program, `[stimulus, output]`, and the channels of its outputs.
    said: Vec<f64>,
    channels: Vec<usize>,
    first: Visits,
    again: Option<Visits>,
}

impl Measured {
    fn read(evidence: &Evidence, name: &str) -> Option<Self> {
        let said = evidence.sample(&format!("{name}/program"))?;
        let channels: Vec<usize> = evidence.fact(&format!("outputs of {name}"))?;
        let stage = |stage: &str| Visits::kept(evidence, &format!("{name}/{stage}"), channels.len());
        let fits = !channels.is_empty()
            && said.values.len() == STIMULI.len() * channels.len()
            && said.values.iter().all(|v| v.is_finite());
        let (first, again) = (stage(STAGES[0])?, stage(STAGES[1]));
        fits.then(|| Self { name: name.to_owned(), unit: said.unit.clone(), said: said.values.clone(), channels, first, again })
    }

    /// The channels that say nothing of a function, since the program moves them no further than a margin.
    fn silent(&self, margin: f64) -> Vec<usize> {
        let outputs = self.channels.len();
        let is_silent = |output: &usize| swing(&self.said, outputs, *output) <= margin;
        (0..outputs).filter(is_silent).map(|output| self.channels[output]).collect()
    }

    fn tally(&self, tally: &mut Tally, medium: &Medium, programs: usize) -> f64 {
        let of = |visits: &Visits| checks(visits, &self.said, medium, programs);
        let again = self.again.as_ref().map(of);
        let mut loudest = 0.0_f64;
        for (k, check) in of(&self.first).into_iter().enumerate() {
            let other = again.as_ref().and_then(|all| all.get(k));
            let Check { what, stimulus, output, location, found } = check;
            let share = if what == What::Mean { found.abs() / medium.margin } else { 0.0 };
            if what == What::Noise {
                loudest = loudest.max(found);
            }
            tally.add(together(location, other.map(|c| c.location)), share, || {
                let [a, b] = [found, other.map_or(found, |c| c.found)].map(|v| told(v, &self.unit));
                let place = format!("{}: under {} output {}", self.name, STIMULI[stimulus], self.channels[output]);
                match what {
                    What::Mean => {
                        let margin = told(medium.margin, &self.unit);
                        format!("{place} is off by {a} in the mean and again by {b}, where {margin} is declared")
                    }
                    What::Noise => {
                        let noise = told(medium.noise, &self.unit);
                        format!("{place} has a deviation of {a} and again of {b}, where {noise} is declared")
                    }
                }
            });
        }
        loudest
    }
}

fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    if let Some(verdict) = crate::checks::not_claimed(evidence) {
        return verdict;
    }
    let medium = profile.medium.unwrap_or(Medium::new(f64::NAN, f64::NAN));
    let (margin, noise) = (medium.margin, medium.noise);
    let programs = evidence.fact("programs").unwrap_or(1);
    let mut all = Vec::new();
    for name in evidence.fact::<Vec<String>>("tried").unwrap_or_default() {
        match Measured::read(evidence, &name) {
            Some(measured) => all.push(measured),
            None => return Verdict::error(Rows::missing(&name)),
        }
    }
    let unit = units::shared(all.iter().map(|m| m.unit.as_str()));
    let mut tally = Tally::default();
    let loudest = all.iter().map(|m| m.tally(&mut tally, &medium, programs)).fold(0.0, f64::max);
    let visits = all.iter().map(|m| m.first.count()).max().unwrap_or(0);
    let means: usize = all.iter().map(|m| m.said.len()).sum();
    let verdict = tally.verdict(evidence, |_| {
        let [margin, noise] = [margin, noise].map(|v| told(v, unit));
        let mut said = format!(
            "after the washout {means} means lie within {margin} of the program, and no deviation is more than {noise}, within a quarter"
        );
        for (m, channel) in all.iter().flat_map(|m| m.silent(medium.margin).into_iter().map(move |channel| (m, channel))) {
            let _ = write!(said, "; output {channel} of {} shows nothing, since the program moves it by no more to either side", m.name);
        }
        for [name, why] in evidence.fact::<Vec<[String; 2]>>("left out").unwrap_or_default() {
            let _ = write!(said, "; {name} is left out: {why}");
        }
        said
    });
    let verdict = match all.iter().find(|m| m.silent(margin).len() == m.channels.len()) {
        Some(m) if verdict.status == Status::Pass => {
            let why = format!(
                "{}: the program moves no output by more than {} to either side, so that a device that always says the same would pass: \
                 {SAYS_NOTHING}",
                m.name,
                told(margin, unit)
            );
            Verdict { status: Status::Inconclusive, reason: why, ..verdict }
        }
        _ => verdict,
    };
    // a washout lies between two visits, so that each is a sample
    verdict.with_limit("largest standard deviation", loudest, unit, noise * RESOLUTION).with_figure(SAMPLES, visits as f64, "1")
}
