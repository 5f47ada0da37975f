//! `L2.pinched`: the fingerprints of a memristor.
//!
//! It proves of every program that the substrate shows of itself and that is one memristor (a function from volts to amperes whose id has the part
//! `memristor`), driven by a sine after a reset: the loop of current against voltage goes through the origin, its lobes shrink as the frequency
//! rises, and at the highest frequencies their area falls as one over it. Source: Chua 2011, *Resistance switching memories are memristors*, Appl.
//! Phys. A 102, 765, sections 3 and 4; Adhikari, Sah, Kim and Chua 2013, *Three fingerprints of memristor*, IEEE Trans. Circuits Syst. I 60, 3008.
//!
//! The sine has the largest voltage that the substrate takes, or that probes use where it takes any, and periods of 2048, 512 and 128 ticks.
//! Lobes shrink above a frequency of the device, which hangs on the voltage: below it the state comes to an end of its range within a period, and
//! stays there. Where the program by itself does so, and its lobes do not shrink, its ticks are made shorter until they do; where the substrate does not
//! take such ticks, what follows is left open. Areas are means over loops, each from a reset on.
//!
//! These are ratios, which a film keeps that moves at half its speed. Where a margin is declared, the loop itself is held against that of the program:
//! the mean current of each sixteenth of it within the margin, and the area within what currents that are off by the margin change it by, `4 V` times
//! the margin, the way of the voltage. Of a margin in amperes that is wide beside the lobes this tells nothing of them; figures say how wide it is.
//! A check fails at its share of the false alarms of a statistical law in one stage; see `noisy`.

mod beside;

use crate::bench::{Bench, narrow};
use crate::checks::not_claimed;
use crate::law::{Law, Verdict, where_claimed};
use crate::noisy::{Rows, Stand, Tally, failing, locate};
use crate::output::plot::Plot;
use crate::record::{Evidence, Level};
use crate::statistics::equivalence::Location;
use crate::statistics::series::moments;
use crate::units::{counted, told};
use isoform_core::error::Result;
use isoform_core::oracle::Oracle;
use isoform_core::profile::Profile;
use isoform_core::program::{NodeKind, Program};
use isoform_core::substrate::Run;
use beside::{Own, STRETCHES};
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
/// By how much a tick is made shorter, and how often at the most.
const SHORTER: [usize; 2] = [4, 12];
/// The part of the range of a state that counts as its end.
const END: f64 = 1e-3;
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

/// Ticks of all loops of a program; none of one that is no memristor.
pub(crate) fn ticks(program: &Program) -> usize {
    if is_memristor(program) { LOOPS * PERIODS.iter().map(|period| period + 1).sum::<usize>() } else { 0 }
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
        let input = |period: usize, inputs: usize| -> Vec<f32> {
            (0..=period).flat_map(|t| std::iter::repeat_n(narrow(voltage(t, period, high), low, high), inputs)).collect()
        };
        let (program, is_switched) = fast(bench, program, high, |period| input(period, program.input_channels()))?;
        evidence.note(&format!("{name} switches fully"), is_switched);
        let mut stand = Stand::open(bench, &program, bench.seed)?;
        for period in PERIODS {
            let mut rows = Rows::default();
            let input = input(period, stand.inputs);
            for _ in 0..LOOPS {
                stand.reset()?;
                stand.play(&input, period + 1, 0, &mut rows)?;
            }
            let outputs = stand.outputs;
            let first: Vec<f64> = rows.seen.iter().step_by(outputs.max(1)).copied().collect();
            evidence.keep(&format!("{name}/{period} ticks"), "A", &[LOOPS, period + 1], first);
            let said: Vec<f64> = rows.said.iter().step_by(outputs.max(1)).take(period + 1).copied().collect();
            evidence.keep(&said_at(&name, period), "A", &[period + 1], said);
        }
        evidence.note(&format!("voltage of {name}"), high);
        evidence.note(&format!("tick of {name}"), program.semantics().dt);
        draw(evidence, &name, program.semantics().dt, high);
        tried.push(name);
    }
    if tried.is_empty() {
        evidence.lacking("it shows no memristor");
    }
    evidence.note("tried", tried);
    Ok(())
}

/// The program with ticks so short that its lobes shrink as the frequency rises, as far as the substrate takes such, and whether its state still
/// comes to an end of its range without shrinking lobes.
fn fast(bench: &Bench<'_>, program: &Program, high: f64, input: impl Fn(usize) -> Vec<f32>) -> Result<(Program, bool)> {
    let mut program = program.clone();
    let [shorter, most] = SHORTER;
    for _ in 0..most {
        if !is_switched(&program, high, &input) {
            return Ok((program, false));
        }
        let dt = program.semantics().dt / shorter as f64;
        let Ok(next) = program.with_semantics(program.semantics().with_dt(dt)) else { break };
        if !bench.takes(&next)? {
            break;
        }
        program = next;
    }
    let still = is_switched(&program, high, &input);
    Ok((program, still))
}

/// Whether the state of the program by itself comes to an end of its range within the longest period, and its lobes do not shrink as one over the
/// frequency.
fn is_switched(program: &Program, high: f64, input: impl Fn(usize) -> Vec<f32>) -> bool {
    let NodeKind::Dynamics { function, .. } = &program.nodes()[0].kind else { return false };
    let (inputs, outputs) = (program.input_channels(), program.output_channels());
    let [low_end, high_end] = function.signature().states.first().map_or([f64::NAN; 2], |state| state.quantity.range);
    let near = END * (high_end - low_end);
    let mut is_at_end = false;
    let mut area = |period: usize| {
        let mut oracle = Oracle::new(program, &Run::new());
        let mut y = vec![0.0; outputs];
        let mut current = Vec::with_capacity(period + 1);
        for row in input(period).chunks_exact(inputs.max(1)) {
            oracle.step(&row.iter().map(|&v| f64::from(v)).collect::<Vec<_>>(), &mut y);
            current.push(y[0]);
            if period == PERIODS[0]
                && let Some(state) = oracle.state().blocks.first().and_then(|block| block.values.first().copied())
            {
                is_at_end |= state <= low_end + near || state >= high_end - near;
            }
        }
        lobes(&current, high)
    };
    let all = PERIODS.map(&mut area);
    let ways = all[0].map(f64::signum);
    let [slow, middle, quick] = all.map(|lobes| lobes[0] * ways[0] + lobes[1] * ways[1]);
    let shrinks = middle < slow && quick < middle && (RISE * quick / middle - 1.0).abs() < FALL / 2.0;
    is_at_end && !shrinks
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
        .with_caption(
            "The mean of loops from a reset on: they go through the origin, and the ways up and down close on each other as the frequency rises: to a line where a \
             current at rest is linear in the voltage, to a curve where it bends.",
        )
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

/// The name of the loop that the program by itself goes at a frequency.
fn said_at(name: &str, period: usize) -> String {
    format!("{name}/{period} ticks of the program")
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
fn flat(name: &str, period: usize, high: f64, areas: &[f64]) -> String {
    // the spread of what rounding leaves is as small as that
    let (mean, deviation) = moments(areas);
    let beside = if deviation > mean.abs() * f64::from(f32::EPSILON) { "noise" } else { "rounding" };
    format!(
        "{name}: at a period of {period} ticks the loop has no area beside its {beside}, so that nothing can be told of lobes: at ±{high} V it hardly \
         switches, and a substrate that takes more volts is driven by more"
    )
}

/// Where a mean lies, and in words why that is left open, if it is: what is declared may add `allowed` to it, and a fault that the device owns up to is
/// none, and no proof either.
fn placed(values: Option<&[f64]>, limit: f64, allowed: f64, fails: f64) -> (Location, f64, &'static str) {
    let (location, mean) = locate(values, limit, fails);
    match location {
        Location::Outside if locate(values, limit + allowed, fails).0 != Location::Outside => {
            (Location::Open, mean, ", which the declared margin explains")
        }
        Location::Open => (location, mean, ", which the noise does not tell from the limit"),
        _ => (location, mean, ""),
    }
}

fn judge(evidence: &Evidence, profile: &Profile) -> Verdict {
    if let Some(verdict) = not_claimed(evidence) {
        return verdict;
    }
    let tried: Vec<String> = evidence.fact("tried").unwrap_or_default();
    let mut tally = Tally { because: Some("in one stage"), ..Tally::default() };
    let fails = failing((6 + PERIODS.len() * (STRETCHES + 1)) * tried.len()).powi(2);
    let (mut ratios, mut allows) = (Vec::new(), f64::INFINITY);
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
            let (location, _, why) = match peak > 0.0 {
                true => placed(Some(&crossing), PINCH * peak, margin, fails),
                false => (Location::Open, 0.0, ""),
            };
            tally.add(location, share / PINCH, || {
                let mean = told(mean, "A");
                format!("{name}: at a period of {period} ticks a voltage of nought gives {mean}, {share:.3} of the largest current{why}")
            });
        }
        if let Some(medium) = &profile.medium {
            let mut is_first = true;
            for ((loops, areas), period) in all.iter().zip(&areas).zip(PERIODS) {
                let said = evidence.sample(&said_at(name, period)).filter(|said| said.values.len() == period + 1);
                let Some(said) = said else {
                    return Verdict::error(format!("the loops of the program of {name} are missing or do not fit"));
                };
                let own = Own { loops, areas, said: &said.values, ways, high, rounding };
                own.add(&mut tally, medium, fails, &format!("{name}: at a period of {period} ticks"));
                // the largest area is known best
                if known(areas).is_some() && std::mem::take(&mut is_first) {
                    let [ratio, allowed] = [moments(areas).0 / own.area(), own.allowed(medium) / own.area().abs()];
                    ratios.push(ratio);
                    allows = allows.min(allowed);
                }
            }
        }
        // of both loops, each over the way that the voltage goes
        let share = |slow: f64| 2.0 * margin * 4.0 * high / slow;
        // below the frequency of the device nothing is known of the areas
        let is_switched = evidence.fact::<bool>(&format!("{name} switches fully")).unwrap_or(false);
        let switched = "; the program itself switches fully within a period, and the substrate takes no shorter ticks";
        let known_above = |found: (Location, f64, &'static str)| match found {
            (Location::Outside, mean, _) if is_switched => (Location::Open, mean, switched),
            found => found,
        };
        for (pair, period) in areas.windows(2).zip(PERIODS) {
            // each value is what a loop is short of being smaller than the mean of the slower ones
            let ratios = known(&pair[0]).map(|slow| pair[1].iter().map(|fast| fast / slow).collect::<Vec<_>>());
            let found = placed(ratios.as_deref(), 1.0, known(&pair[0]).map_or(0.0, share), fails);
            let (location, ratio, why) = known_above(found);
            tally.add(location, ratio, || match known(&pair[0]) {
                None => flat(name, period, high, &pair[0]),
                Some(_) => format!(
                    "{name}: the lobes do not shrink when the period of {period} ticks becomes a quarter: they keep {ratio:.3} of their area{why}"
                ),
            });
        }
        let off = known(&areas[1]).map(|slow| areas[2].iter().map(|fast| RISE * fast / slow - 1.0).collect::<Vec<_>>());
        let found = placed(off.as_deref(), FALL, known(&areas[1]).map_or(0.0, |slow| RISE * share(slow)), fails);
        let (location, mean, why) = known_above(found);
        falls.push(1.0 + mean);
        tally.add(location, mean.abs() / FALL, || match known(&areas[1]) {
            None => flat(name, PERIODS[1], high, &areas[1]),
            Some(_) => format!(
                "{name}: at four times the frequency the lobes have {:.3} of the area that one over the frequency leaves{why}",
                1.0 + mean
            ),
        });
    }
    let furthest = |all: Vec<f64>| all.into_iter().fold(1.0, |worst: f64, f| if (f - 1.0).abs() > (worst - 1.0).abs() { f } else { worst });
    let verdict = tally
        .verdict(evidence, |_| {
            let fingerprints = format!("{} there, of {}", counted(6 * tried.len(), "fingerprint", ["is", "are"]), tried.join(", "));
            match profile.medium {
                Some(_) => format!("{fingerprints}; currents lie within {} of the program", told(margin, "A")),
                None => fingerprints,
            }
        })
        .with_limit("current at a voltage of nought over the largest", leak, "1", PINCH)
        .with_figure("area at the highest frequency over that of one over the frequency", furthest(falls), "1");
    if ratios.is_empty() {
        return verdict;
    }
    verdict
        .with_figure("area at the lowest frequency over that of the program", furthest(ratios), "1")
        .with_figure("what the declared margin lets that area be off by, over it, at the least", allows, "1")
}
