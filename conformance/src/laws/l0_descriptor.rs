//! `L0.descriptor`: the profile is a value.
//!
//! It proves that the profile can be written down and read back without change, that it is the same every time it is asked for, and
//! that its limits contradict neither each other nor the class. It needs nothing but the profile, and compares for equality, so
//! that no tolerance is involved. Since the tolerances of all other laws are derived from the accuracy table, that of the class exact-digital
//! must be one: at least the eleven digits of half precision, and functions within a thousand spacings and a hundredth.

use crate::bench::Bench;
use crate::checks;
use crate::law::{Law, always};
use crate::record::{Evidence, Level};
use isoform_core::bound::Precision;
use isoform_core::error::Result;
use isoform_core::profile::{Class, Profile};

pub(super) const LAW: Law = Law {
    id: "L0.descriptor",
    title: "the profile survives being written down, and is the same every time",
    level: Level::L0,
    needs: "a profile",
    requirement: always,
    statistical: false,
    measure,
    judge: checks::judge,
};

/// Half the spacing of half-precision numbers just above one.
const LEAST_DIGITS: f64 = 1.0 / 2048.0;
/// Spacings that a function may be off: more than any library or graphics interface declares.
const MOST_ULP: f64 = 1024.0;
/// What a function may be off beside that: sixteen times what graphics interfaces declare for the sine.
const MOST_ABSOLUTE: f64 = 1.0 / 128.0;

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let first = bench.substrate.profile();
    let written = serde_json::to_string(&*first).unwrap_or_else(|e| e.to_string());
    evidence.note("profile", &*first);
    let read = match serde_json::from_str::<Profile>(&written) {
        Ok(read) if read == *first => String::from("equal"),
        Ok(_) => String::from("another profile"),
        Err(e) => e.to_string(),
    };
    evidence.check("the profile, written and read back", &["equal"], read);
    // a session in between must not change the answer
    let program = bench.program()?;
    drop(bench.open(&program, &isoform_core::substrate::Run::new())?);
    let again = if *bench.substrate.profile() == *first { "equal" } else { "another profile" };
    evidence.check("the profile, asked for again", &["equal"], again);
    sound(&first, evidence);
    Ok(())
}

fn sound(profile: &Profile, evidence: &mut Evidence) {
    let answer = |holds: bool| if holds { "yes" } else { "no" };
    let limits = &profile.limits;
    evidence.check("it has a name and a version", &["yes"], answer(!profile.name.is_empty() && !profile.version.is_empty()));
    let [low, high] = limits.input;
    evidence.check("the range of inputs is not empty", &["yes"], answer(low < high && !low.is_nan() && !high.is_nan()));
    let room = [limits.ticks, limits.batch, limits.channels, limits.realizations];
    evidence.check("it has room for a tick, a lane, a channel and a realization", &["yes"], answer(room.iter().all(|&n| n > 0)));
    let a = &profile.accuracy;
    let sound = a.unit_roundoff > 0.0 && a.unit_roundoff < 1.0 && a.smallest_normal > 0.0 && a.largest > a.spacing(0.0);
    evidence.check("the accuracy table describes a number format", &["yes"], answer(sound));
    if profile.class == Class::ExactDigital {
        let close = |p: Precision| (0.0..=MOST_ULP).contains(&p.ulp) && (0.0..=MOST_ABSOLUTE).contains(&p.absolute);
        let bounded = [a.division, a.sqrt, a.exp, a.ln, a.tanh, a.sin, a.cos].into_iter().all(close);
        evidence.check("the format has the digits of half precision", &["yes"], answer(a.unit_roundoff <= LEAST_DIGITS));
        evidence.check("functions err by no more than a thousand spacings", &["yes"], answer(bounded));
    }
}
