//! Agreement with the definition: a substrate's run is recorded, and judged against the oracle from the record alone.
//!
//! Where the state is readable it is recorded before and after every tick, and each tick is judged from the substrate's own state
//! by a [`Witness`]: the tolerance is the rounding error that the profile's accuracy table allows in one tick. Where it is not
//! readable, [`blind`](crate::blind) compares the outputs alone.

use crate::bench::{Bench, advance};
use crate::blind;
use crate::checks::{self, first_difference};
use crate::law::{Verdict, repeats};
use crate::plan::Plan;
use crate::record::{Evidence, Status};
use crate::refusal::is_promised;
use crate::units::counted;
use isoform_core::bound::Accuracy;
use isoform_core::error::{Error, Result};
use isoform_core::profile::Profile;
use isoform_core::program::Program;
use isoform_core::session::Blocking;
use isoform_core::state::State;
use isoform_core::substrate::Run;
use isoform_core::witness::Witness;
use serde::{Deserialize, Serialize};

/// The fact of programs that were refused though no promise says that they are taken, each with the refusal.
pub(crate) const REFUSED: &str = "refused";
/// The fact of programs that were refused against the promises of the profile.
pub(crate) const UNKEPT: &str = "refused against the profile";

/// One recorded run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Trial {
    pub(crate) name: String,
    pub(crate) plan: Plan,
    pub(crate) batch: usize,
    pub(crate) seed: u64,
    pub(crate) ticks: usize,
    /// The tick at which the record begins.
    pub(crate) first: u64,
    /// Whether states were recorded.
    pub(crate) forced: bool,
    /// The accuracy that it is held to, where it is not that of the profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) accuracy: Option<Accuracy>,
}

/// What all trials of a law showed.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Tally {
    pub(crate) trials: usize,
    pub(crate) blind: usize,
    pub(crate) compared: usize,
    pub(crate) ambiguous: usize,
    /// The largest error in units of its bound.
    pub(crate) worst: f64,
    /// The first disagreement, in words.
    pub(crate) broken: Option<String>,
}

/// The numbers of all blocks of a state, one after the other.
pub(crate) fn flat(state: &State) -> Vec<f64> {
    state.blocks.iter().flat_map(|b| b.values.iter().copied()).collect()
}

/// A state from the numbers of all its blocks.
pub(crate) fn unflat(program: &Program, batch: usize, tick: u64, numbers: &[f64]) -> Option<State> {
    let mut state = State::initial(program, batch);
    state.tick = tick;
    let mut rest = numbers;
    for block in &mut state.blocks {
        let (own, others) = rest.split_at_checked(block.values.len())?;
        block.values.copy_from_slice(own);
        rest = others;
    }
    rest.is_empty().then_some(state)
}

/// Advances tick by tick and keeps the state before the first tick and after each, if it is readable.
pub(crate) fn follow(session: &mut Blocking, x: &[f32], ticks: usize, forced: bool) -> Result<(Vec<f32>, Vec<f64>)> {
    let row = x.len() / ticks.max(1);
    let (mut y, mut states) = (Vec::new(), Vec::new());
    if forced {
        states.extend(flat(&session.save()?));
    }
    for tick in 0..ticks {
        y.extend(advance(session, &x[tick * row..(tick + 1) * row], 1)?);
        if forced {
            states.extend(flat(&session.save()?));
        }
    }
    Ok((y, states))
}

impl Evidence {
    /// Adds a program to those that were refused, with the reason.
    pub(crate) fn refuse(&mut self, list: &str, name: &str, why: String) {
        let mut refused: Vec<[String; 2]> = self.fact(list).unwrap_or_default();
        refused.push([name.to_owned(), why]);
        self.note(list, refused);
    }
}

impl Bench<'_> {
    /// Records a run of a program: tick by tick with states, and, where the class repeats itself, once more as a whole. False if
    /// the substrate refuses the program as unsupported, which is noted, and fails the law where the profile promises to take it.
    pub(crate) fn trial(&self, evidence: &mut Evidence, name: &str, plan: &Plan, batch: usize, x: &[f32]) -> Result<bool> {
        let program = plan.build()?;
        let run = Run::new().with_batch(batch).with_seed(self.seed);
        let ticks = x.len() / run.input(&program, 1).len().max(1);
        let mut session = match self.try_open(&program, &run)? {
            Ok(session) => session,
            Err(why) => {
                // what is promised and refused breaks the law; what is refused for its size alone is only noted
                let list = if is_promised(&self.profile, &program, &run) { UNKEPT } else { REFUSED };
                evidence.refuse(list, name, why);
                return Ok(false);
            }
        };
        self.resume(evidence, name, plan, &mut session, x)?;
        drop(session);
        if repeats(self.profile.class) {
            let whole = advance(&mut self.open(&program, &run)?, x, ticks)?;
            evidence.keep_single(&format!("{name}/whole"), "1", &[ticks, batch, program.output_channels()], &whole);
        }
        Ok(true)
    }

    /// Records the ticks that a session does from where it is. Without a readable state it must stand at its beginning.
    pub(crate) fn resume(
        &self,
        evidence: &mut Evidence,
        name: &str,
        plan: &Plan,
        session: &mut Blocking,
        x: &[f32],
    ) -> Result<()> {
        self.resume_as(evidence, (name, plan), session, x, None)
    }

    /// The same for a session of whoever, held to an accuracy of its own; its state must then be readable.
    pub(crate) fn resume_as(
        &self,
        evidence: &mut Evidence,
        (name, plan): (&str, &Plan),
        session: &mut Blocking,
        x: &[f32],
        accuracy: Option<Accuracy>,
    ) -> Result<()> {
        let program = plan.build()?;
        // what keeps nothing is readable without a facet
        let kept = !program.schedule().memory.is_empty();
        let forced = !kept || accuracy.is_some() || self.profile.facets.memory;
        let batch = session.session().run().batch;
        let ticks = x.len() / (program.input_channels() * batch).max(1);
        let first = if forced && kept { session.save()?.tick } else { 0 };
        let (y, states) = follow(session, x, ticks, forced && kept)?;
        let (name, plan) = (name.to_owned(), plan.clone());
        let trial = Trial { name: name.clone(), plan, batch, seed: self.seed, ticks, first, forced, accuracy };
        let mut trials: Vec<serde_json::Value> = evidence.fact("trials").unwrap_or_default();
        trials.push(serde_json::to_value(trial).map_err(|e| Error::fault("a trial cannot be written down").with_source(e))?);
        evidence.note("trials", trials);
        let channels = |n: usize| [ticks, batch, n];
        evidence.keep_single(&format!("{name}/input"), "1", &channels(program.input_channels()), x);
        evidence.keep_single(&format!("{name}/substrate"), "1", &channels(program.output_channels()), &y);
        if forced {
            let width = states.len() / (ticks + 1);
            evidence.keep(&format!("{name}/state"), "1", &[ticks + 1, width], states);
        }
        Ok(())
    }
}

/// Judges all trials of a law.
///
/// # Errors
/// With a reason, if the evidence cannot be read.
pub(crate) fn tally(evidence: &Evidence, profile: &Profile) -> Result<Tally, String> {
    let trials: Vec<Trial> = evidence.fact("trials").unwrap_or_default();
    let mut tally = Tally::default();
    for trial in &trials {
        tally.trials += 1;
        judge_trial(evidence, trial, profile, &mut tally).map_err(|why| format!("{}: {why}", trial.name))?;
    }
    Ok(tally)
}

fn judge_trial(evidence: &Evidence, trial: &Trial, profile: &Profile, tally: &mut Tally) -> Result<(), String> {
    let program = trial.plan.build().map_err(|e| e.to_string())?;
    let accuracy = trial.accuracy.as_ref().unwrap_or(&profile.accuracy);
    let values = |what: &str| {
        let found = evidence.sample(&format!("{}/{what}", trial.name));
        found.map(|s| s.values.as_slice()).ok_or_else(|| format!("the record \"{what}\" is missing"))
    };
    let (x, y) = (single(values("input")?), single(values("substrate")?));
    let run = Run::new().with_batch(trial.batch).with_seed(trial.seed);
    if x.len() != run.input(&program, trial.ticks).len() || y.len() != run.output(&program, trial.ticks).len() {
        return Err(String::from("the records do not fit the program"));
    }
    let mut broken = |why: String| {
        let all = || format!("{}: {why}", trial.name);
        tally.broken.get_or_insert_with(all);
    };
    if let Ok(whole) = values("whole")
        && let Some(difference) = first_difference(whole, values("substrate")?)
    {
        broken(format!("one chunk of {} ticks and {0} chunks of one tick differ: {difference}", trial.ticks));
    }
    if !trial.forced {
        tally.blind += 1;
        let seen = blind::compare(&program, &run, accuracy, &x, &y);
        tally.compared += seen.compared;
        tally.ambiguous += seen.ambiguous;
        tally.worst = tally.worst.max(seen.worst);
        if let Some(why) = seen.broken {
            let why = format!("{}: {why}", trial.name);
            tally.broken.get_or_insert(why);
        }
        return Ok(());
    }
    let states = values("state")?;
    let width = states.len() / (trial.ticks + 1);
    let mut witness = Witness::new(&program, &run, accuracy);
    let (input, output) = (x.len() / trial.ticks.max(1), y.len() / trial.ticks.max(1));
    for tick in 0..trial.ticks {
        let state = |t: usize| {
            let numbers =
                states.get(t * width..(t + 1) * width).and_then(|n| unflat(&program, trial.batch, trial.first + t as u64, n));
            numbers.ok_or_else(|| String::from("the states do not fit the program"))
        };
        let rows = (&x[tick * input..(tick + 1) * input], &y[tick * output..(tick + 1) * output]);
        let judged = witness.judge(&state(tick)?, rows.0, rows.1, &state(tick + 1)?).map_err(|e| e.to_string())?;
        tally.compared += judged.compared;
        tally.ambiguous += judged.ambiguous;
        let over = judged.mismatches.iter().map(|m| (m.seen - m.expected).abs() / m.bound);
        tally.worst = over.fold(tally.worst.max(if judged.mismatches.is_empty() { judged.worst } else { 0.0 }), worse);
        if let Some(m) = judged.mismatches.first() {
            let why = format!(
                "{}: tick {tick}, {} {} of lane {}, channel {}: {} where the definition gives {} within {:e}",
                trial.name, m.node, m.what, m.lane, m.channel, m.seen, m.expected, m.bound
            );
            tally.broken.get_or_insert(why);
            return Ok(());
        }
    }
    Ok(())
}

/// The larger of two errors; one that is no number is the largest.
pub(crate) fn worse(a: f64, b: f64) -> f64 {
    if b.is_nan() { f64::INFINITY } else { a.max(b) }
}

#[expect(clippy::cast_possible_truncation, reason = "the records were in single precision")]
pub(crate) fn single(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&v| v as f32).collect()
}

/// Judges a law that has nothing but trials.
pub(crate) fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    if let Some(verdict) = checks::not_claimed(evidence) {
        return verdict;
    }
    match tally(evidence, profile) {
        Err(why) => Verdict::error(why),
        Ok(tally) => verdict(&tally, evidence),
    }
}

/// Judges a law that has checks, and trials where there is something to try.
pub(crate) fn judge_with_trials(evidence: &Evidence, profile: &Profile) -> Verdict {
    let tried = ["trials", UNKEPT].iter().any(|list| evidence.facts.contains_key(*list));
    if tried { judge_with_checks(evidence, profile) } else { checks::judge(evidence, profile) }
}

/// Judges a law that has checks and trials.
pub(crate) fn judge_with_checks(evidence: &Evidence, profile: &Profile) -> Verdict {
    let checks = checks::judge(evidence, profile);
    if checks.status != Status::Pass {
        return checks;
    }
    let mut verdict = judge(evidence, profile);
    verdict.reason = format!("{}; {}", checks.reason, verdict.reason);
    verdict
}

pub(crate) fn verdict(tally: &Tally, evidence: &Evidence) -> Verdict {
    let refused: Vec<[String; 2]> = evidence.fact(REFUSED).unwrap_or_default();
    let unkept: Vec<[String; 2]> = evidence.fact(UNKEPT).unwrap_or_default();
    let verdict = match (&tally.broken, unkept.first()) {
        (Some(why), _) => Verdict::fail(why.clone()),
        (None, Some([name, why])) => Verdict::fail(format!("{name}: the profile admits it, but it is refused: {why}")),
        _ if tally.trials == 0 => match refused.first() {
            Some([name, why]) => Verdict::new(
                Status::NotClaimed,
                format!("{} as unsupported; {name}: {why}", counted(refused.len(), "program", ["is refused", "are refused"])),
            ),
            None => Verdict::new(Status::NotClaimed, "the profile admits none of the programs of this law"),
        },
        _ => {
            let how = if tally.blind == 0 {
                "state-forced"
            } else {
                "by outputs alone, because the state is not readable: trains of spikes at latency nought, values within accumulated rounding"
            };
            let also = refused.first().map_or_else(String::new, |[name, why]| {
                let refused = counted(refused.len(), "program", ["was refused", "were refused"]);
                format!("; {refused} as unsupported, the first, {name}, so: {why}")
            });
            let agree = counted(tally.trials, "program", ["agrees", "agree"]);
            Verdict::pass(format!("{agree} with the definition, compared {how}{also}"))
        }
    };
    let verdict = verdict
        .with_figure("programs", tally.trials as f64, "1")
        .with_figure("programs refused", (refused.len() + unkept.len()) as f64, "1")
        .with_figure("numbers compared", tally.compared as f64, "1")
        .with_figure("ambiguous jumps", tally.ambiguous as f64, "1");
    // an error where none is allowed, or a number that is none, has no ratio
    if tally.worst.is_finite() { verdict.with_limit("largest error over its bound", tally.worst, "1", 1.0) } else { verdict }
}
