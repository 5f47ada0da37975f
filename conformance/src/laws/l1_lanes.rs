//! `L1.lanes`: lanes are isolated.
//!
//! It proves that other input in one lane leaves every other lane as it was, to the bit, and that hundreds of lanes, or as
//! many as there are, follow the definition, within the bounds of a state-forced comparison (see `trial`). A profile of one lane has nothing to
//! isolate, and the evidence says so.

use crate::bench::{Bench, advance};
use crate::law::{Law, if_taken};
use crate::record::{Evidence, Level};
use crate::sizes::Axis;
use isoform_core::error::Result;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L1.lanes",
    title: "lanes do not influence each other",
    level: Level::L1,
    needs: "a class that repeats itself",
    requirement: if_taken,
    statistical: false,
    measure,
    judge: crate::trial::judge_with_trials,
};

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    const TICKS: usize = 40;
    let batch = bench.batch(4);
    evidence.note("lanes", batch);
    if batch == 1 {
        evidence.lacking("the profile offers one lane, which no other can influence");
        return Ok(());
    }
    for (name, plan) in bench.houses()? {
        let program = plan.build()?;
        let run = Run::new().with_batch(batch).with_seed(bench.seed);
        let mut chance = bench.chance();
        let (row, width) = (program.input_channels(), program.output_channels());
        let x = bench.drive(&mut chance, row * batch * TICKS);
        let base = advance(&mut bench.open(&program, &run)?, &x, TICKS)?;
        for lane in 0..batch {
            let mut other = x.clone();
            for tick in 0..TICKS {
                let at = (tick * batch + lane) * row;
                other[at..at + row].copy_from_slice(&bench.drive(&mut chance, row));
            }
            let y = advance(&mut bench.open(&program, &run)?, &other, TICKS)?;
            let others = |y: &[f32]| -> Vec<f32> {
                y.chunks_exact(width)
                    .enumerate()
                    .filter(|(i, _)| i % batch != lane)
                    .flat_map(|(_, c)| c.iter().copied())
                    .collect()
            };
            evidence.twins(
                format!("the other lanes when lane {lane} gets other input"),
                [&format!("{name}/all but {lane}"), &format!("{name}/all but {lane}, disturbed")],
                [&others(&base), &others(&y)],
            );
        }
    }
    bench.wide(evidence, Axis::Lanes)
}
