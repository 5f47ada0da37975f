//! `L2.capacity`: the outputs hold as much of the inputs' past as those of the program.
//!
//! It proves that a linear readout of all outputs gets as much of the past inputs back as from the program (memory capacity), and that two
//! passes of one drive from different histories answer alike (consistency); see [`capacity`](crate::statistics::capacity) for both. A medium with
//! noise is held against the program with noise added: as much as the profile declares of noise and margin, in the direction in which it hurts the
//! most, which independent noise of `√N` times the size on each of `N` outputs covers. The limit is the lower end of the interval for one more such
//! record. Outputs that hold nothing of the inputs have a capacity and a consistency of nought: a limit that is not above that is one that no device
//! could fail, and is no check; where no program has another one the law is inconclusive. A program that itself holds nothing is not held against
//! anything. A line of twenty taps and an echo-state network of fifty units are tried where they are
//! taken: they read 20 and 50. Two stages on fresh data; see `noisy` for the error rates.

use crate::bench::{Bench, DT, narrow};
use crate::chance::Chance;
use crate::law::{Law, Verdict};
use crate::noisy::{Rows, STAGES, Stand, Tally, failing};
use crate::plan::{Plan, PlanNode, What};
use crate::record::{Evidence, Level, Requirement, Status};
use crate::statistics::capacity::{Capacity, Targets, consistency};
use crate::statistics::equivalence::{Location, quantile_t};
use crate::statistics::series::moments;
use isoform_core::draw::Key;
use isoform_core::error::Result;
use isoform_core::functions as library;
use isoform_core::profile::{Class, Profile};
use isoform_core::program::Program;
use isoform_core::semantics::Semantics;

pub(super) const LAW: Law = Law {
    id: "L2.capacity",
    title: "the outputs hold as much of the past as the program's",
    level: Level::L2,
    needs: "inputs that may change at every tick",
    requirement,
    statistical: true,
    measure,
    judge,
};

fn requirement(class: Class) -> Requirement {
    if class == Class::FreeRunning { Requirement::Impossible } else { Requirement::Required }
}

/// Ticks of a pass.
const TICKS: usize = 1200;
/// Ticks of something else between two passes of one drive.
const BETWEEN: usize = 64;
/// Ticks of a stage on one program.
pub(crate) const STAGE: usize = 2 * TICKS + BETWEEN;
/// Noisy programs from which a limit comes.
const COPIES: u64 = 16;
/// The most checks: two of each program.
const MOST: usize = 8;
/// What a capacity may lose where nothing is noisy: an ambiguous tick of a neuron, or rounding.
const SLACK: f64 = 0.01;
/// The most functions of past inputs that a degree is asked for.
const FUNCTIONS: usize = 200;

/// A program to try, and whether all inputs are driven alike.
struct Subject {
    name: String,
    program: Program,
    alike: bool,
}

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    if bench.profile.limits.spacing > 1 {
        evidence.note("not tried", "the medium bears an input only now and then");
        return Ok(());
    }
    let mut chance = bench.chance();
    let mut tried = Vec::new();
    for Subject { name, program, alike } in subjects(bench)? {
        if let Some(medium) = bench.profile.medium
            && let Some(why) = bench.too_dear(2 * TICKS, &medium)
        {
            evidence.note("not tried", why);
            continue;
        }
        let mut stand = Stand::open(bench, &program, bench.seed)?;
        let drives = if alike { 1 } else { stand.inputs };
        evidence.note(&format!("reach of {name}"), reach(drives, stand.outputs));
        for stage in STAGES {
            let inputs: Vec<f64> = (0..TICKS * drives).map(|_| chance.within(-1.0, 1.0)).collect();
            let mut rows = Rows::default();
            stand.play(&spread(bench, &inputs, drives, stand.inputs), TICKS, 0, &mut rows)?;
            let other = bench.drive(&mut chance, BETWEEN * stand.inputs);
            stand.play(&other, BETWEEN, 1, &mut rows)?;
            stand.play(&spread(bench, &inputs, drives, stand.inputs), TICKS, 2, &mut rows)?;
            rows.keep(evidence, &format!("{name}/{stage}"), &stand);
            evidence.keep(&format!("{name}/{stage}/drive"), "1", &[TICKS, drives], inputs);
            // the second stage is only for what does not hold
            let found = found(evidence, &bench.profile, &name, stage);
            if found.is_some_and(|f| f.holds().iter().all(|h| *h)) {
                break;
            }
        }
        tried.push(name);
    }
    evidence.note("tried", tried);
    Ok(())
}

/// Drives from −1 to 1 as inputs within the span of probes.
fn spread(bench: &Bench<'_>, drives: &[f64], width: usize, inputs: usize) -> Vec<f32> {
    let [low, high] = bench.span();
    let scaled = |v: f64| narrow(low + 0.5 * (v + 1.0) * (high - low), low, high);
    drives.chunks_exact(width.max(1)).flat_map(|row| (0..inputs).map(|i| scaled(row[i % width]))).collect()
}

/// How far functions of each degree look back: as far as outputs could remember, or as there are functions.
fn reach(drives: usize, outputs: usize) -> Vec<usize> {
    let first = (3 * outputs.div_ceil(drives.max(1))).clamp(40, 150);
    let mut second = 0;
    while second < first && pairs((second + 1) * drives) <= FUNCTIONS {
        second += 1;
    }
    vec![first, second]
}

fn pairs(variables: usize) -> usize {
    variables * (variables + 1) / 2
}

fn subjects(bench: &Bench<'_>) -> Result<Vec<Subject>> {
    let own = bench.subjects()?.into_iter().map(|(name, program)| Subject { name, program, alike: false });
    let mut all: Vec<Subject> = own.filter(|s| s.program.input_channels() > 0 && s.program.output_channels() > 0).collect();
    let Ok(home) = bench.home() else { return Ok(all) };
    for (name, plan) in [("twenty taps", taps(20)), ("fifty units", echo(50, bench.gain()))] {
        let Ok(program) = plan.with_semantics(home.semantics).build() else { continue };
        if bench.channels(50) == 50 && bench.takes(&program)? {
            all.push(Subject { name: name.to_owned(), program, alike: true });
        }
    }
    Ok(all)
}

/// A line of delays by nought to `taps - 1` ticks.
fn taps(taps: usize) -> Plan {
    let seconds = (0..taps).map(|k| DT * k as f64).collect();
    Plan::single(What::Delay { seconds }, taps, Semantics::exact(DT))
}

/// A linear echo-state network: a ring of units, each with a weight of its own for the input.
fn echo(units: usize, gain: f64) -> Plan {
    let mut chance = Chance::new(0, "fifty units");
    let scale = (0..units).map(|_| gain / 3.0 * chance.within(0.5, 1.0)).collect();
    let mut sign = || if chance.happens(0.5) { 0.8 } else { -0.8 };
    let ring = (0..units).map(|i| (i, (i + units - 1) % units, sign())).collect();
    let weights = What::Neuron { function: library::SCALE.to_owned(), parameters: vec![(String::from("scale"), scale)] };
    let unit = What::Neuron { function: library::SCALE.to_owned(), parameters: vec![(String::from("scale"), vec![1.0])] };
    let mut plan = Plan::single(unit, units, Semantics::exact(DT));
    plan.nodes[0].from = vec![String::from("weights"), String::from("ring")];
    plan.nodes[0].shape = Some(vec![units]);
    plan.nodes.push(PlanNode::new("weights", weights, "x"));
    plan.nodes.push(PlanNode::new("late", What::Delay { seconds: vec![DT] }, "node"));
    plan.nodes[2].shape = Some(vec![units]);
    plan.nodes.push(PlanNode::new("ring", What::Sparse { rows: units, cols: units, entries: ring, bias: None }, "late"));
    plan
}

/// What one stage of one program showed, and the least that was due.
struct Found {
    name: String,
    capacity: Capacity,
    of_program: f64,
    consistency: f64,
    least: [f64; 2],
}

impl Found {
    /// Whether a device could fail the memory capacity and the consistency: the program holds something, and outputs that hold nothing of the
    /// inputs, which have nought of both, would not do.
    fn asked(&self) -> [bool; 2] {
        [self.of_program > 0.0 && self.least[0] > 0.0, self.least[1] > 0.0]
    }

    /// Whether the memory capacity and the consistency hold, as far as they are asked for.
    fn holds(&self) -> [bool; 2] {
        let [memory, consistency] = self.asked();
        [!memory || self.capacity.memory() >= self.least[0], !consistency || self.consistency >= self.least[1]]
    }

    /// Why nothing is asked of it.
    fn vacuous(&self) -> String {
        format!(
            "with the margin and the noise that are declared, outputs that hold nothing of the inputs would do: the consistency of {} has to be at \
             least {:.3}; such a promise says nothing; open it with a smaller margin and noise, where it has such options, or show a program that moves more",
            self.name, self.least[1]
        )
    }
}

fn found(evidence: &Evidence, profile: &Profile, name: &str, stage: &str) -> Option<Found> {
    let (rows, outputs) = Rows::kept(evidence, &format!("{name}/{stage}"))?;
    let drive = evidence.sample(&format!("{name}/{stage}/drive"))?;
    let reach: Vec<usize> = evidence.fact(&format!("reach of {name}"))?;
    let &[ticks, drives] = drive.shape.as_slice() else { return None };
    let fits = drive.values.len() == ticks * drives
        && rows.stimulus.len() == 2 * ticks + BETWEEN
        && drives > 0
        && reach.len() == 2
        && reach.iter().all(|&r| r < ticks && r * drives * outputs <= 1 << 20)
        && pairs(reach[1] * drives) <= FUNCTIONS;
    if !fits {
        return None;
    }
    // what was there before is still on its way out at the beginning of the second pass
    let settling = reach[0].min(ticks / 2);
    let (linear, all) = (Targets::new(&drive.values, drives, &reach[..1]), Targets::new(&drive.values, drives, &reach));
    let both = |rows: &[f64], targets: &Targets| {
        let passes = [&rows[..ticks * outputs], &rows[(ticks + BETWEEN) * outputs..]];
        let alike = consistency(&passes[0][settling * outputs..], &passes[1][settling * outputs..], outputs);
        (targets.capacity(passes[0], outputs), alike)
    };
    let (of_program, alike) = both(&rows.said, &linear);
    let size = profile.medium.map_or(0.0, |m| (m.noise * m.noise + m.margin * m.margin).sqrt()) * (outputs as f64).sqrt();
    let least = if size > 0.0 {
        let (mut memories, mut alikes) = (Vec::new(), Vec::new());
        for copy in 0..COPIES {
            let mut draws = vec![0.0_f32; rows.said.len()];
            Key::new(copy, 0x6361_7061).fill_normal(0, 0, 0, &mut draws);
            let noisy: Vec<f64> = rows.said.iter().zip(&draws).map(|(s, &d)| s + size * f64::from(d)).collect();
            let (capacity, alike) = both(&noisy, &linear);
            memories.push(capacity.memory());
            alikes.push(alike);
        }
        // noise below what single precision rounds off leaves no room by itself
        [lowest(&memories).min(of_program.memory() * (1.0 - SLACK)), lowest(&alikes).min(alike - SLACK)]
    } else {
        [of_program.memory() * (1.0 - SLACK), alike - SLACK]
    };
    let (capacity, consistency) = both(&rows.seen, &all);
    Some(Found { name: name.to_owned(), capacity, of_program: of_program.memory(), consistency, least })
}

/// The lower end of the interval for one more value of those given.
fn lowest(values: &[f64]) -> f64 {
    let (mean, deviation) = moments(values);
    let n = values.len() as f64;
    quantile_t(1.0 - failing(MOST), n - 1.0).map_or(f64::NEG_INFINITY, |t| mean - t * deviation * (1.0 + 1.0 / n).sqrt())
}

fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    let mut tally = Tally::default();
    let mut figures = Vec::new();
    for name in evidence.fact::<Vec<String>>("tried").unwrap_or_default() {
        let Some(first) = found(evidence, profile, &name, STAGES[0]) else {
            return Verdict::error(Rows::missing(&name));
        };
        let second = found(evidence, profile, &name, STAGES[1]);
        let again = second.as_ref().map(Found::holds);
        for (k, holds) in first.holds().into_iter().enumerate().filter(|(k, _)| first.asked()[*k]) {
            let location = match (holds, again) {
                (true, _) => Location::Inside,
                (false, Some(again)) if again[k] => Location::Inside,
                (false, Some(_)) => Location::Outside,
                (false, None) => Location::Open,
            };
            let (what, value) = [("memory capacity", first.capacity.memory()), ("consistency", first.consistency)][k];
            tally.add(location, if holds { 0.0 } else { 1.0 }, || {
                format!("{name}: the {what} is {value:.3}, where {:.3} is the least", first.least[k])
            });
        }
        figures.push(first);
    }
    let is_vacuous = tally.checks == 0;
    let told = |f: &Found| format!("{} {:.1} of {:.1}", f.name, f.capacity.memory(), f.of_program);
    let mut verdict = tally.verdict(evidence, |_| {
        format!("memory capacity and that of the program: {}", figures.iter().map(told).collect::<Vec<_>>().join(", "))
    });
    if is_vacuous
        && !evidence.facts.contains_key("not tried")
        && let Some(why) = figures.first().map(Found::vacuous)
    {
        verdict = Verdict { status: Status::Inconclusive, reason: why, ..verdict };
    }
    for found in figures {
        let asked = found.asked();
        let Found { name, capacity, consistency, least, .. } = found;
        for (k, (what, value)) in [("memory capacity", capacity.memory()), ("consistency", consistency)].into_iter().enumerate() {
            verdict = match asked[k] {
                true => verdict.with_limit(&format!("{what} of {name}, at least"), value, "1", least[k]),
                false => verdict.with_figure(&format!("{what} of {name}"), value, "1"),
            };
        }
        verdict = verdict
            .with_limit(
                &format!("information processing capacity of {name} to the second degree, at most"),
                capacity.total(),
                "1",
                capacity.most,
            );
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_no_device_could_fail_is_no_check() {
        let found = |of_program: f64, least: [f64; 2]| Found {
            name: String::from("program"),
            capacity: Capacity { independent: 1, degrees: vec![0.0], most: 1.0 },
            of_program,
            consistency: 0.0,
            least,
        };
        let of = |f: Found| (f.asked(), f.holds());
        assert_eq!(of(found(1.0, [0.9, 0.8])), ([true, true], [false, false]));
        // declared noise leaves nothing to ask for, and what it leaves is asked for all the same
        assert_eq!(of(found(1.0, [-0.013, 0.8])), ([false, true], [true, false]));
        assert_eq!(of(found(1.0, [0.9, -0.008])), ([true, false], [false, true]));
        assert_eq!(of(found(0.0, [0.0, 0.8])), ([false, true], [true, false]));
    }

    #[test]
    fn the_networks_of_the_textbook_are_programs() {
        for plan in [taps(20), echo(50, 1.0)] {
            let program = plan.build().expect("a program");
            assert_eq!(program.input_channels(), program.output_channels());
        }
    }
}
