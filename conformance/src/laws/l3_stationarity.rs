//! `L3.stationarity`: what runs on by itself stays what it was.
//!
//! It proves that the outputs at the beginning of a long run and at its end come from one distribution: windows with a washout between them, and more
//! where noise remembers for longer, so that they are nearly independent, early ones against late ones, judged by energy distance with 1999 permutations. There are two looks at each window:
//! at the means of outputs, which are rates where outputs are spikes, and at how much outputs fluctuate in it, each by itself and all together, so that
//! bursts show which leave rates as they are. What is lost between is counted in the report, and told. Two stages on fresh data; see `noisy` for the
//! error rates.

use crate::bench::{Bench, advance};
use crate::law::{Law, Verdict, if_running};
use crate::noisy::{STAGES, Tally, decisive, failing, together, with_trials};
use crate::output::plot::Plot;
use crate::record::{Evidence, Level};
use crate::settled::{RECORD, apart, window};
use crate::statistics::equivalence::Location;
use crate::statistics::permutation;
use crate::statistics::series::moments;
use crate::units;
use isoform_core::error::Result;
use isoform_core::profile::Profile;
use isoform_core::program::Program;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L3.stationarity",
    title: "what runs on by itself stays what it was",
    level: Level::L3,
    needs: "a class that runs on, and a declared washout",
    requirement: if_running,
    statistical: true,
    measure,
    judge,
};

/// Spikes of an output that make a histogram of intervals: a record with fewer goes on, for so many times its ticks.
const SPIKES: usize = 16;
const LONGER: usize = 8;
/// Windows of a stage.
const WINDOWS: usize = 60;
/// What is looked at in each, by the end of the name of a sample.
const LOOKS: [&str; 2] = ["means", "fluctuations"];

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let (medium, washout) = match bench.forgetting() {
        Ok(promised) => promised,
        Err(why) => {
            evidence.note("not tried", why);
            return Ok(());
        }
    };
    if medium.flicker {
        evidence.note("not tried", "under noise like 1/f what is early and what is late differ by their nature, however long the run");
        return Ok(());
    }
    let mut tried = Vec::new();
    for (name, program) in bench.subjects()? {
        let looks = window(washout);
        if let Some(why) = bench.unaffordable(WINDOWS * (looks + washout) + LONGER * RECORD, &medium) {
            evidence.note("not tried", why);
            continue;
        }
        let mut session = bench.open(&program, &Run::new().with_seed(bench.seed))?;
        let (inputs, outputs) = (program.input_channels(), program.output_channels());
        let still = bench.quiet(inputs);
        // what begins is not yet what runs on
        advance(&mut session, &still.repeat(washout), washout)?;
        let mut own = advance(&mut session, &still.repeat(RECORD), RECORD)?;
        while is_train(&own) && own.len() < LONGER * RECORD * outputs && own.iter().filter(|v| **v != 0.0).count() < SPIKES * outputs {
            own.extend(advance(&mut session, &still.repeat(RECORD), RECORD)?);
        }
        show(evidence, &name, &program, &own);
        let apart = apart(&own, outputs, washout);
        if let Some(why) = bench.unaffordable(WINDOWS * (looks + apart), &medium) {
            evidence.note("not tried", why);
            continue;
        }
        for stage in STAGES {
            let mut seen = LOOKS.map(|_| Vec::new());
            for _ in 0..WINDOWS {
                let rows = advance(&mut session, &still.repeat(looks), looks)?;
                look(&rows, outputs, &mut seen);
                advance(&mut session, &still.repeat(apart), apart)?;
            }
            let settled = seen.iter().all(|windows| p_value(windows, bench.seed) > failing(LOOKS.len()));
            for (what, windows) in LOOKS.iter().zip(seen) {
                evidence.keep(&format!("{name}/{stage}/{what}"), "1", &[WINDOWS, windows.len() / WINDOWS], windows);
            }
            if settled {
                break;
            }
        }
        tried.push(name);
    }
    evidence.note("seed", bench.seed);
    evidence.note("tried", tried);
    Ok(())
}

/// The fewest ticks of a record and a stage on a medium with a washout.
pub(crate) fn ticks(washout: usize) -> usize {
    window(washout).saturating_add(washout).saturating_mul(WINDOWS).saturating_add(washout).saturating_add(RECORD)
}

/// Whether outputs are spikes, one a tick at most.
fn is_train(rows: &[f32]) -> bool {
    rows.iter().all(|v| *v == 0.0 || *v == 1.0)
}

/// Keeps a part of what runs on after its washout, and asks for its picture.
fn show(evidence: &mut Evidence, name: &str, program: &Program, rows: &[f32]) {
    let outputs = program.output_channels();
    if rows.is_empty() {
        return;
    }
    let record = format!("{name}/record");
    let what = units::outputs(program).first().map_or_else(|| String::from("output"), |[what, _]| what.clone());
    evidence.keep_single(&record, &units::common(program), &[rows.len() / outputs, outputs], rows);
    let plot = if is_train(rows) {
        Plot::spikes(format!("Spikes by themselves, {name}"), record)
    } else {
        Plot::lines(format!("Output 0 by itself, {name}"), &[&record]).with_labels("time after the washout", what)
    };
    plot.with_tick(program.semantics().dt).with_caption("From the end of the declared washout on, under inputs that rest.").attach(evidence);
}

/// The mean of each output over a window, and its deviation from tick to tick, with that of the mean of all outputs behind them.
fn look(rows: &[f32], outputs: usize, [means, fluctuations]: &mut [Vec<f64>; 2]) {
    for output in 0..outputs {
        let (mean, deviation) = moments(&rows.iter().skip(output).step_by(outputs).map(|&v| f64::from(v)).collect::<Vec<_>>());
        means.push(mean);
        fluctuations.push(deviation);
    }
    let together = |row: &[f32]| row.iter().map(|&v| f64::from(v)).sum::<f64>() / outputs as f64;
    fluctuations.push(moments(&rows.chunks_exact(outputs.max(1)).map(together).collect::<Vec<_>>()).1);
}

fn p_value(windows: &[f64], seed: u64) -> f64 {
    let width = windows.len() / WINDOWS;
    let (early, late) = windows.split_at(WINDOWS / 2 * width);
    permutation::same(&[early, late], width, seed)
}

fn judge(evidence: &Evidence, _: &Profile) -> Verdict {
    let seed = evidence.fact("seed").unwrap_or_default();
    let mut tally = Tally::default();
    let mut least = 1.0_f64;
    let tried = evidence.fact::<Vec<String>>("tried").unwrap_or_default();
    let fails = failing(LOOKS.len() * tried.len());
    for (name, what) in tried.iter().flat_map(|name| LOOKS.map(|what| (name, what))) {
        let p = |stage: &str| {
            let found = evidence.sample(&format!("{name}/{stage}/{what}"))?;
            (found.values.len() >= WINDOWS).then(|| p_value(&found.values, seed))
        };
        let Some(first) = p(STAGES[0]) else { return Verdict::error(format!("the records of {name} are missing or do not fit")) };
        let locate = |p: f64| if p <= fails { Location::Outside } else { Location::Inside };
        let again = p(STAGES[1]);
        least = least.min(decisive(first, again));
        tally.add(together(locate(first), again.map(locate)), 0.0, || {
            let again = again.unwrap_or(first);
            format!("{name}: the {what} of late windows differ from those of early ones, p = {first:.4} and again {again:.4}")
        });
    }
    let verdict = tally
        .verdict(evidence, |_| format!("late windows do not differ from early ones, neither in means nor in fluctuations, p = {least:.3}"))
        .with_figure("p-value", least, "1");
    with_trials(verdict, [WINDOWS / 2, WINDOWS], 2, fails)
}
