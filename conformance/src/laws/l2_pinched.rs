//! `L2.pinched`: the fingerprints of a memristor.
//!
//! It proves of every program that the substrate shows of itself and that is one memristor (a function from volts to amperes whose id has the part
//! `memristor`), driven by a sine after a reset: the loop of current against voltage goes through the origin, its lobes shrink as the frequency
//! rises, and at the highest frequencies their area falls as one over it. Source: Chua 2011, *Resistance switching memories are memristors*, Appl.
//! Phys. A 102, 765, sections 3 and 4; Adhikari, Sah, Kim and Chua 2013, *Three fingerprints of memristor*, IEEE Trans. Circuits Syst. I 60, 3008.
//!
//! The sine has the largest voltage that the substrate takes, or that probes use where it takes any, and periods of 2048, 512 and 128 ticks.
//! Areas are means over loops, each from a reset on. A check fails at its share of the false alarms of a statistical law in one stage; see `noisy`.

use crate::bench::{Bench, narrow};
use crate::checks::not_claimed;
use crate::law::{Law, Verdict, where_claimed};
use crate::noisy::{Rows, Stand, Tally, failing, locate};
use crate::output::plot::Plot;
use crate::record::{Evidence, Level};
use crate::statistics::equivalence::Location;
use crate::statistics::series::moments;
use crate::units::counted;
use isoform_core::error::Result;
use isoform_core::profile::Profile;
use isoform_core::program::{NodeKind, Program};
use std::f64::consts::TAU;

pub(super) const LAW: Law = Law {
    id: "L2.pinched",
    title: "a memristor's loop is pinched, and shrinks as one over the frequency",
    level: Level::L2,
    needs: "an exemplar that is a memristor, and a reset",
    requirement: where_claimed,
    statistical: true,
    measure,
    judge,
};

/// Whoever takes more volts takes any.
const ANY: f64 = 1e3;
/// Ticks of a period, each a quarter of the one before.
const PERIODS: [usize; 3] = [2048, 512, 128];
/// How much the frequency rises from one to the next.
const RISE: f64 = 4.0;
/// Loops at each frequency: enough for intervals at the level of a failure.
const LOOPS: usize = 64;
/// Places of a loop that are drawn.
const PLACES: usize = 128;
/// The share of the largest current that may flow at a voltage of nought.
const PINCH: f64 = 0.01;
/// Standard errors that an area must be above nought for others to be held against it.
const CERTAIN: f64 = 10.0;
/// How far the fall of the area may be off that of one over the frequency, as a share.
const FALL: f64 = 0.25;

/// Whether a program is one memristor.
fn is_memristor(program: &Program) -> bool {
    let [node] = program.nodes() else { return false };
    let NodeKind::Dynamics { function, .. } = &node.kind else { return false };
    let signature = function.signature();
    let is = |units: Vec<&str>, unit: &str| units == [unit];
    signature.id.split(['.', '/']).any(|part| part == "memristor")
        && is(signature.inputs.iter().map(|i| i.quantity.unit).collect(), "V")
        && is(signature.outputs.iter().map(|o| o.quantity.unit).collect(), "A")
}

/// A period of the sine; nought is nought.
fn voltage(tick: usize, period: usize, high: f64) -> f64 {
    if (2 * tick).is_multiple_of(period) { 0.0 } else { high * (TAU * tick as f64 / period as f64).sin() }
}

fn measure(bench: &Bench<'_>, evidence: &mut Evidence) -> Result<()> {
    let shown = bench.shown()?;
    let mut tried = Vec::new();
    for (number, program) in shown.iter().filter(|p| is_memristor(p)).enumerate() {
        let name = format!("memristor {}", number + 1);
        let taken = bench.profile.limits.input;
        let [low, high] = if taken.iter().all(|v| v.abs() <= ANY) { taken } else { bench.span() };
        let high = high.min(-low);
        let mut stand = Stand::open(bench, program, bench.seed)?;
        for period in PERIODS {
            let mut rows = Rows::default();
            let input: Vec<f32> = (0..=period)
                .flat_map(|t| std::iter::repeat_n(narrow(voltage(t, period, high), low, high), stand.inputs))
                .collect();
            for _ in 0..LOOPS {
                stand.reset()?;
                stand.play(&input, period + 1, 0, &mut rows)?;
            }
            let outputs = stand.outputs;
            let first: Vec<f64> = rows.seen.iter().step_by(outputs.max(1)).copied().collect();
            evidence.keep(&format!("{name}/{period} ticks"), "A", &[LOOPS, period + 1], first);
        }
        evidence.note(&format!("voltage of {name}"), high);
        draw(evidence, &name, program.semantics().dt, high);
        tried.push(name);
    }
    if tried.is_empty() {
        evidence.lacking("it shows no memristor");
    }
    evidence.note("tried", tried);
    Ok(())
}

/// Keeps mean loops at places that all frequencies share, and asks for their picture.
fn draw(evidence: &mut Evidence, name: &str, dt: f64, high: f64) {
    let mut curves = Vec::new();
    for period in PERIODS {
        let Some(found) = loops(evidence, name, period) else { continue };
        let stride = period / PLACES;
        let mean = |place: usize| moments(&found.iter().map(|l| l[place * stride]).collect::<Vec<_>>()).0;
        let curve = format!("{name} at {}", hertz(1.0 / (period as f64 * dt)));
        evidence.keep(&curve, "A", &[PLACES + 1], (0..=PLACES).map(mean).collect());
        curves.push(curve);
    }
    let x = format!("{name}, voltage");
    evidence.keep(&x, "V", &[PLACES + 1], (0..=PLACES).map(|p| voltage(p, PLACES, high)).collect());
    let names: Vec<&str> = curves.iter().map(String::as_str).collect();
    Plot::lines(format!("Pinched loop, {name}"), &names)
        .with_x(x)
        .with_labels("voltage", "current")
        .with_caption("The mean of loops from a reset on: they go through the origin, and narrow to a line as the frequency rises.")
        .attach(evidence);
}

/// A frequency with its prefix.
fn hertz(frequency: f64) -> String {
    match frequency {
        f if f >= 1e6 => format!("{:.2} MHz", f / 1e6),
        f if f >= 1e3 => format!("{:.2} kHz", f / 1e3),
        f => format!("{f:.2} Hz"),
    }
}

/// The loops at one frequency, each of a period and the first tick of the next.
fn loops(evidence: &Evidence, name: &str, period: usize) -> Option<Vec<Vec<f64>>> {
    let kept = evidence.sample(&format!("{name}/{period} ticks"))?;
    (kept.values.len() == LOOPS * (period + 1)).then(|| kept.values.chunks_exact(period + 1).map(<[f64]>::to_vec).collect())
}

/// The areas of both lobes of a loop in watts, `∫ i dv` over each half of the period, with the direction in which it is gone around.
fn lobes(current: &[f64], high: f64) -> [f64; 2] {
    let period = current.len() - 1;
    let v: Vec<f64> = (0..=period).map(|t| voltage(t, period, high)).collect();
    let half = |from: usize, to: usize| (from..to).map(|t| (current[t] + current[t + 1]) / 2.0 * (v[t + 1] - v[t])).sum();
    [half(0, period / 2), half(period / 2, period)]
}

/// The area of each loop: that of both lobes, each as it is gone around at the lowest frequency. Of noise nothing is left in the mean.
fn areas(loops: &[Vec<f64>], directions: [f64; 2], high: f64) -> Vec<f64> {
    loops.iter().map(|l| lobes(l, high).iter().zip(directions).map(|(area, way)| area * way).sum()).collect()
}

/// In which direction both lobes are gone around, in the mean.
fn directions(loops: &[Vec<f64>], high: f64) -> [f64; 2] {
    let all: Vec<[f64; 2]> = loops.iter().map(|l| lobes(l, high)).collect();
    [0, 1].map(|lobe| moments(&all.iter().map(|l| l[lobe]).collect::<Vec<_>>()).0.signum())
}

/// A mean area that others can be held against; none where it is lost in the noise, or in what rounding leaves.
fn known(areas: &[f64], rounding: f64) -> Option<f64> {
    let (mean, deviation) = moments(areas);
    (mean > rounding.max(CERTAIN * deviation / (areas.len() as f64).sqrt())).then_some(mean)
}

/// Why nothing is held against a loop without an area.
fn flat(name: &str, period: usize, high: f64) -> String {
    format!(
        "{name}: at a period of {period} ticks the loop has no area beside its noise, so that nothing can be told of lobes: at ±{high} V it hardly \
         switches, and a substrate that takes more volts is driven by more"
    )
}

/// Where a mean lies, if what is declared may add `allowed` to it: a fault that the device owns up to is none, and no proof either.
fn placed(values: Option<&[f64]>, limit: f64, allowed: f64, fails: f64) -> (Location, f64) {
    let (location, mean) = locate(values, limit, fails);
    let is_declared = location == Location::Outside && locate(values, limit + allowed, fails).0 != Location::Outside;
    (if is_declared { Location::Open } else { location }, mean)
}

fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    if let Some(verdict) = not_claimed(evidence) {
        return verdict;
    }
    let tried: Vec<String> = evidence.fact("tried").unwrap_or_default();
    let mut tally = Tally::default();
    let fails = failing(6 * tried.len()).powi(2);
    let margin = profile.medium.map_or(0.0, |medium| medium.margin);
    let (mut leak, mut falls) = (0.0_f64, Vec::new());
    for name in &tried {
        let all: Option<Vec<_>> = PERIODS.iter().map(|&period| loops(evidence, name, period)).collect();
        let (Some(all), Some(high)) = (all, evidence.fact::<f64>(&format!("voltage of {name}"))) else {
            return Verdict::error(format!("the loops of {name} are missing or do not fit"));
        };
        let ways = directions(&all[0], high);
        let areas: Vec<Vec<f64>> = all.iter().map(|loops| areas(loops, ways, high)).collect();
        let peak = |loops: &[Vec<f64>]| loops.iter().flatten().fold(0.0_f64, |p, i| p.max(i.abs()));
        // along the way of the voltage, up and down and back, every current is rounded
        let rounding = f64::from(f32::EPSILON) * all.iter().map(|l| peak(l)).fold(0.0, f64::max) * 4.0 * high;
        let known = |areas: &[f64]| known(areas, rounding);
        for (loops, period) in all.iter().zip(PERIODS) {
            let peak = peak(loops);
            let crossing: Vec<f64> = loops.iter().flat_map(|l| [l[0], l[period / 2]]).collect();
            let (mean, _) = moments(&crossing);
            let share = if peak > 0.0 { mean.abs() / peak } else { 0.0 };
            leak = leak.max(share);
            let location = if peak > 0.0 { placed(Some(&crossing), PINCH * peak, margin, fails).0 } else { Location::Open };
            tally.add(location, share / PINCH, || {
                format!("{name}: at a period of {period} ticks a voltage of nought gives {mean:.3e} A, {share:.3} of the largest current")
            });
        }
        // of both loops, each over the way that the voltage goes
        let share = |slow: f64| 2.0 * margin * 4.0 * high / slow;
        for (pair, period) in areas.windows(2).zip(PERIODS) {
            // each value is what a loop is short of being smaller than the mean of the slower ones
            let ratios = known(&pair[0]).map(|slow| pair[1].iter().map(|fast| fast / slow).collect::<Vec<_>>());
            let (location, ratio) = placed(ratios.as_deref(), 1.0, known(&pair[0]).map_or(0.0, share), fails);
            tally.add(location, ratio, || match known(&pair[0]) {
                None => flat(name, period, high),
                Some(_) => format!("{name}: the lobes do not shrink when the period of {period} ticks becomes a quarter: they keep {ratio:.3} of their area"),
            });
        }
        let off = known(&areas[1]).map(|slow| areas[2].iter().map(|fast| RISE * fast / slow - 1.0).collect::<Vec<_>>());
        let (location, mean) = placed(off.as_deref(), FALL, known(&areas[1]).map_or(0.0, |slow| RISE * share(slow)), fails);
        falls.push(1.0 + mean);
        tally.add(location, mean.abs() / FALL, || match known(&areas[1]) {
            None => flat(name, PERIODS[1], high),
            Some(_) => format!("{name}: at four times the frequency the lobes have {:.3} of the area that one over the frequency leaves", 1.0 + mean),
        });
    }
    let fall = falls.into_iter().fold(1.0, |worst: f64, f| if (f - 1.0).abs() > (worst - 1.0).abs() { f } else { worst });
    tally
        .verdict(evidence, |checks| format!("{} there, of {}", counted(checks, "fingerprint", ["is", "are"]), tried.join(", ")))
        .with_limit("current at a voltage of nought over the largest", leak, "1", PINCH)
        .with_figure("area at the highest frequency over that of one over the frequency", fall, "1")
}
