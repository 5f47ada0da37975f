//! `L2.cross-talk`: channels of an element-wise node are isolated.
//!
//! It proves that each channel follows its undriven course, to the bit, whatever enters the others. A profile of one channel has
//! nothing to isolate, and the evidence says so.

use crate::bench::{Bench, advance};
use crate::checks;
use crate::law::{Law, if_taken};
use crate::record::{Evidence, Level};
use isoform_core::error::Result;
use isoform_core::substrate::Run;

pub(super) const LAW: Law = Law {
    id: "L2.cross-talk",
    title: "a channel that is driven leaves the others alone",
    level: Level::L2,
    needs: "a class that repeats itself and more than one channel",
    requirement: if_taken,
    statistical: false,
    measure,
    judge: checks::judge,
};

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    const TICKS: usize = 40;
    let mut chance = bench.chance();
    for (name, plan) in bench.houses()?.into_iter().filter(|(_, plan)| plan.nodes.len() == 1) {
        let program = plan.build()?;
        let channels = program.input_channels();
        if channels == 1 || program.output_channels() != channels {
            continue;
        }
        let run = Run::new().with_seed(bench.seed);
        let mut base = bench.drive(&mut chance, channels * TICKS);
        for driven in 0..channels {
            let quiet = advance(&mut bench.open(&program, &run)?, &base, TICKS)?;
            let fresh = bench.drive(&mut chance, TICKS);
            base.iter_mut().skip(driven).step_by(channels).zip(&fresh).for_each(|(to, &v)| *to = v);
            let loud = advance(&mut bench.open(&program, &run)?, &base, TICKS)?;
            let others = |y: &[f32]| -> Vec<f32> {
                y.iter().enumerate().filter(|(i, _)| i % channels != driven).map(|(_, &v)| v).collect()
            };
            let names = [format!("{name}/all but {driven}"), format!("{name}/all but {driven}, driven otherwise")];
            evidence.twins(
                format!("the others when channel {driven} is driven otherwise"),
                [&names[0], &names[1]],
                [&others(&quiet), &others(&loud)],
            );
        }
    }
    if evidence.samples.is_empty() {
        evidence.lacking("no element-wise node has more than one channel");
    }
    Ok(())
}
