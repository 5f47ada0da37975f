//! `L2.equivalence`: under noise, the means are those of the program.
//!
//! It proves that for a reference, both ends of the input range, two inputs that differ from channel to channel, and a pattern that moves every output
//! with its mirror image, the mean difference of
//! every output to the program lies within the margin that the profile declares: two one-sided t-tests on means of batches of ten
//! autocorrelation times, or, where the noise is like 1/f, on differences chopped against the reference. How long it is looked at follows from
//! the noise and the margin, and its price is known before the device is asked. Two stages on fresh data; see `noisy` for the error rates.
//! A margin within which an output would lie that always says the same is no promise of a function, and leaves the law inconclusive.

use crate::agreement;
use crate::bench::Bench;
use crate::law::{Law, Verdict, if_noisy};
use crate::noisy::{Order, STIMULI};
use crate::record::{Evidence, Level};
use isoform_core::error::Result;
use isoform_core::profile::Profile;

pub(super) const LAW: Law = Law {
    id: "L2.equivalence",
    title: "under noise, the means are those of the program",
    level: Level::L2,
    needs: "a class with noise, and a declared margin",
    requirement: if_noisy,
    statistical: true,
    measure,
    judge,
};

/// What the rows beside those of [`STIMULI`] are called.
const FURTHER: [&str; 2] = ["the pattern that moves every output", "its mirror image"];
/// How many there are with them.
pub(crate) const ROWS: usize = STIMULI.len() + FURTHER.len();

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    agreement::measure(bench, evidence, Order::Random, |bench, program, chance| {
        let levels = bench.stimuli(program.input_channels(), chance);
        levels.into_iter().chain(bench.moving(program, chance)).collect()
    }, |_, _, _, _| true)
}

fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    let verdict = agreement::judge(evidence, profile, |_, stimulus| STIMULI.iter().chain(&FURTHER).nth(stimulus).map_or_else(String::new, |&n| n.to_owned()));
    let (Ok(all), Some(medium)) = (agreement::measured(evidence), profile.medium) else { return verdict };
    let (margin, unit) = (medium.margin, agreement::unit(&all));
    let (swing, output) = agreement::swing(&all, margin);
    agreement::guarded(verdict, &format!("{output} is moved"), "always says the same", (swing, margin), unit)
}
