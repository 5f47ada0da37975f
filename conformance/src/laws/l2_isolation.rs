//! `L2.isolation`: under noise, an input reaches the outputs that the program leads it to, and no others.
//!
//! It proves that with one input driven and all others quiet, the mean difference of every output to the program lies within the declared margin:
//! what leaks from channel to channel shows where the program says nought. Where an input alone moves no output by more than the margin, so that nobody
//! could tell whether it is heard, it is driven together with as few others as it takes. The tests are those of `L2.equivalence`.

use crate::agreement::{self, Measured, UNMOVED, half_span};
use crate::bench::{Bench, narrow};
use crate::law::{Law, Verdict, if_noisy};
use crate::noisy::{Design, Order, STAGES, apart, settled};
use crate::output::plot::Plot;
use crate::record::{Evidence, Level, Status};
use crate::units::counted;
use isoform_core::error::Result;
use isoform_core::profile::Profile;
use isoform_core::program::Program;

pub(super) const LAW: Law = Law {
    id: "L2.isolation",
    title: "under noise, an input reaches its own outputs alone",
    level: Level::L2,
    needs: "a class with noise, and a declared margin",
    requirement: if_noisy,
    statistical: true,
    measure,
    judge,
};

/// Inputs that are driven, each in its turn.
const DRIVEN: usize = 8;
/// Inputs of which some are driven with another.
const OTHERS: usize = 32;

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let margin = bench.medium().map_or(0.0, |medium| medium.margin);
    let rows = |bench: &Bench<'_>, program: &Program, _: &mut _| rows(bench, program, margin);
    agreement::measure(bench, evidence, Order::Random, rows, |_, _, _, _| true)?;
    let tried: Vec<String> = evidence.fact("tried").unwrap_or_default();
    if let (Ok(medium), false) = (bench.medium(), tried.is_empty()) {
        evidence.keep("margin", "1", &[1], vec![medium.margin]);
    }
    for name in tried {
        let part = |what: &str| format!("{name}/{}/{what}", STAGES[0]);
        let map = Plot::error_map(format!("Error of each entry, {name}"), part("output"), part("program"), part("stimulus"))
            .with_bound("margin");
        let what = "The magnitude of the mean difference to the program, with one input at its largest, or as few as move an output by more than the margin, and the others quiet";
        let chopped = evidence.fact::<Design>(&format!("design of {name}")).is_some_and(|d| d.coloured);
        match chopped {
            true => map.with_reference().with_caption(format!("{what}, less that of quiet inputs, since the noise is like 1/f.")),
            false => map.with_caption(format!("{what}.")),
        }
        .attach(evidence);
    }
    Ok(())
}

/// How many stimuli a program with so many inputs has.
pub(crate) fn stimuli(inputs: usize) -> usize {
    1 + inputs.min(DRIVEN)
}

/// Quiet inputs, and one row for each input that is driven.
fn rows(bench: &Bench<'_>, program: &Program, margin: f64) -> Vec<Vec<f32>> {
    let inputs = program.input_channels();
    let [low, high] = bench.span();
    let level = |value: f64| narrow(value, low, high);
    let quiet = bench.quiet(inputs);
    let still = settled(program, &quiet);
    let moves = |row: &[f32]| apart(&settled(program, row), &still);
    let one = |input: usize| {
        let mut row = quiet.clone();
        row[input] = level(high);
        let moved = moves(&row);
        let Some((output, mut most)) = moved.into_iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b)) else { return row };
        while most > UNMOVED * margin && most <= 2.0 * margin {
            let free = (0..inputs.min(OTHERS)).filter(|&other| row[other].to_bits() == quiet[other].to_bits());
            let with = free.flat_map(|other| [low, high].map(|end| {
                let mut row = row.clone();
                row[other] = level(end);
                (moves(&row)[output], row)
            }));
            match with.max_by(|(a, _), (b, _)| a.total_cmp(b)) {
                Some((further, with)) if further > most => (most, row) = (further, with),
                _ => break,
            }
        }
        row
    };
    std::iter::once(quiet.clone()).chain((0..inputs.min(DRIVEN)).map(one)).collect()
}

/// The inputs that a stimulus drives.
fn driven(rows: &[Vec<f64>], stimulus: usize) -> Vec<usize> {
    let (Some(quiet), Some(row)) = (rows.first(), rows.get(stimulus)) else { return Vec::new() };
    (0..row.len()).filter(|&input| row[input].to_bits() != quiet[input].to_bits()).collect()
}

/// What is said of a row of inputs.
fn word(rows: &[Vec<f64>], stimulus: usize) -> String {
    let driven: Vec<String> = driven(rows, stimulus).iter().map(usize::to_string).collect();
    match driven.as_slice() {
        [] => String::from("quiet inputs"),
        [one] => format!("input {one} alone"),
        [several @ .., last] => format!("inputs {} and {last} alone", several.join(", ")),
    }
}

/// How far a device that does not hear a row of inputs is off at the least, of the row that moves the program least, and which that is. One that moves
/// nothing is rightly not heard.
fn unheard(all: &[Measured], margin: f64) -> Option<(f64, String)> {
    let of = |m: &Measured| -> Vec<(f64, String)> {
        let half = |stimulus: usize, output: usize| {
            half_span([0, stimulus].into_iter().filter_map(|row| m.rows.mean_said(m.outputs, output, row)))
        };
        let most = |stimulus: usize| {
            let half = (0..m.outputs).map(|output| half(stimulus, output)).fold(0.0, f64::max);
            (half, format!("{} of {}", word(&m.inputs, stimulus), m.name))
        };
        (1..m.stimuli).map(most).filter(|(half, _)| *half > UNMOVED * margin).collect()
    };
    all.iter().flat_map(of).min_by(|(a, _), (b, _)| a.total_cmp(b))
}

fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    let verdict = agreement::judge(evidence, profile, |measured, stimulus| word(&measured.inputs, stimulus));
    let (Ok(all), Some(medium)) = (agreement::measured(evidence), profile.medium) else { return verdict };
    let (margin, unit) = (medium.margin, agreement::unit(&all));
    let verdict = match unheard(&all, margin) {
        Some((half, row)) => {
            agreement::guarded(verdict, &format!("outputs are moved under {row}"), "does not hear what is driven", (half, margin), unit)
        }
        None => verdict,
    };
    let drowned = all.iter().map(|m| (1..m.stimuli).filter(|&row| driven(&m.inputs, row).len() > 1).count()).sum::<usize>();
    let verdict = if verdict.status == Status::Pass && drowned > 0 {
        let why = format!("; {} driven with others, since one alone, if it were deaf, would be within the margin", counted(drowned, "input", ["is", "are"]));
        Verdict { reason: verdict.reason + &why, ..verdict }
    } else {
        verdict
    };
    verdict.with_figure("inputs that nobody could tell from deaf ones", drowned as f64, "1")
}
