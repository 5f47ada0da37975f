//! A layer of a spiking network on an ageing crossbar of phase-change cells: what its decisions and its spikes come to in a second, an hour, a day
//! and a year, without a correction of the drift and with one.
//!
//! ```text
//! ISOFORM_DATA=FOLDER cargo run --release -p isoform-physics --example crossbar [CHIPS [SAMPLES]]
//! ```
//! With the folder of data, the layer is the first of the network that reads Braille, and the rest of that network listens to it; without, it is
//! the matrix `weights.csv` beside this file. Each sample goes through the layer on the crossbar and through exact weights; neurons, recurrence
//! and read-out are digital. *Agreement* is the share of samples that end in the same class, a proxy of accuracy for which no label is needed.
//! The spikes of the hidden neurons differ by a latency, the shift at which most coincide, and what is left then is the distance of van Rossum
//! (2001, Neural Comput. 13, 751; τ of 5 ticks; one spike more or less is one half) for each spike of the exact network.

use isoform_core::builder::Builder;
use isoform_core::draw::Key;
use isoform_core::functions::cuba_lif;
use isoform_core::linear::{Dense, LinearMap};
use isoform_core::locator::Locator;
use isoform_core::neuron::Neuron;
use isoform_core::oracle::Oracle;
use isoform_core::program::{NodeKind, Program};
use isoform_core::semantics::{Preset, Semantics};
use isoform_core::session::Blocking;
use isoform_core::substrate::Run;
use isoform_core::tensor::Tensor;
use isoform_formats::nir;
use isoform_formats::program::from_nir;
use isoform_physics::crossbar;
use std::path::Path;
use std::sync::Arc;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const DT: f64 = 1e-4;
/// The time constant of the distance of van Rossum, in ticks.
const TAU: f64 = 5.0;
/// The largest latency that is looked for, in ticks.
const REACH: i64 = 20;
const AGES: [(&str, f64); 4] = [("1 s", 1.0), ("1 h", 3600.0), ("1 day", 86_400.0), ("1 year", 31_557_600.0)];

/// A layer, and the neurons behind it: currents in, classes and hidden spikes out.
struct Network {
    layer: Program,
    rest: Program,
    hidden: usize,
    /// Samples `[tick, channel]`.
    samples: Vec<Vec<f32>>,
}

fn layer(map: Dense) -> Outcome<Program> {
    let inputs = map.cols();
    Ok(Program::single("layer", map, [inputs], Semantics::exact(DT))?)
}

/// The neurons behind a layer, with the recurrence that there is.
fn rest(hidden: usize, neurons: [Neuron; 2], back: Option<Dense>, out: Dense) -> Outcome<Program> {
    let [first, second] = neurons;
    let mut net = Builder::new();
    let mut drive = net.input("x", [hidden]);
    if let Some(back) = back {
        let echo = net.later("hidden");
        drive = drive + net.node("back", back, echo);
    }
    let spikes = net.node("hidden", first, drive);
    let read = net.node("out", out, spikes.clone());
    let classes = net.node("classes", second, read);
    net.output("classes", classes);
    net.output("spikes", spikes);
    Ok(net.build(Preset::Snntorch.semantics(DT))?)
}

/// The network that reads Braille, and its recorded sample with a fifth of the spikes left out, others each time.
fn braille(folder: &Path, samples: usize) -> Outcome<Network> {
    let graph = nir::read(folder.join("braille_noDelay_bias_zero.nir"))?;
    let program = from_nir(&graph, Preset::Snntorch.semantics(DT))?;
    let kind = |name: &str| Ok::<_, Box<dyn std::error::Error>>(&program.nodes()[program.node(name)?.0].kind);
    let map = |name: &str| match kind(name)? {
        NodeKind::Linear(map) => match map.as_ref() {
            LinearMap::Dense(dense) => Ok(dense.clone()),
            _ => Err(format!("{name} is no dense map").into()),
        },
        _ => Err::<Dense, Box<dyn std::error::Error>>(format!("{name} is no map").into()),
    };
    let neuron = |name: &str| match kind(name)? {
        NodeKind::Dynamics { function, parameters } => {
            let named = function.signature().parameters.iter().zip(parameters);
            Ok(named.fold(Neuron::of(Arc::clone(function)), |neuron, (p, value)| neuron.with(p.quantity.name, value.clone())))
        }
        _ => Err::<_, Box<dyn std::error::Error>>(format!("{name} is no neuron").into()),
    };
    let first = map("fc1")?;
    let hidden = first.rows();
    let behind = rest(hidden, [neuron("lif1.lif")?, neuron("lif2")?], Some(map("lif1.w_rec")?), map("fc2")?)?;
    let text = std::fs::read_to_string(folder.join("braille_input.csv"))?;
    let recorded =
        text.split([',', '\n']).filter(|v| !v.trim().is_empty()).map(|v| v.trim().parse()).collect::<Result<Vec<f32>, _>>()?;
    let thinned = |sample: usize| {
        let mut drawn = vec![1.0; recorded.len()];
        if sample > 0 {
            Key::new(sample as u64, 0).fill_uniform(0, 0, 0, &mut drawn);
        }
        recorded.iter().zip(drawn).map(|(&x, u)| if u > 0.2 { x } else { 0.0 }).collect()
    };
    Ok(Network { layer: layer(first)?, rest: behind, hidden, samples: (0..samples).map(thinned).collect() })
}

/// The shipped matrix, four groups of neurons that each prefer three channels, and samples of which each favours a group.
fn shipped(samples: usize) -> Outcome<Network> {
    const TICKS: usize = 256;
    let rows: Vec<&str> = include_str!("weights.csv").lines().collect();
    let weights = rows.iter().flat_map(|row| row.split(',')).map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    let (hidden, inputs) = (rows.len(), weights.len() / rows.len());
    let groups = 4;
    let votes: Vec<f64> =
        (0..groups * hidden).map(|k| if k % hidden * groups / hidden == k / hidden { 0.5 } else { 0.0 }).collect();
    let neuron = || cuba_lif().with("tau_syn", 2e-4).with("tau_mem", 1e-3).with("r", 10.0).with("w_in", 2.0);
    let behind = rest(hidden, [neuron(), neuron()], None, Dense::new(Tensor::new([groups, hidden], votes)?, None)?)?;
    let sample = |sample: usize| {
        let mut drawn = vec![0.0; TICKS * inputs];
        Key::new(sample as u64, 1).fill_uniform(0, 0, 0, &mut drawn);
        let rate = |channel: usize| if channel * groups / inputs == sample % groups { 0.06 } else { 0.045 };
        drawn.iter().enumerate().map(|(k, &u)| f32::from(u8::from(u < rate(k % inputs)))).collect()
    };
    let first = layer(Dense::new(Tensor::new([hidden, inputs], weights)?, None)?)?;
    Ok(Network { layer: first, rest: behind, hidden, samples: (0..samples).map(sample).collect() })
}

/// What came of a sample: its class, and the ticks at which each hidden neuron spiked.
struct Answer {
    class: usize,
    trains: Vec<Vec<i64>>,
}

fn answer(network: &Network, currents: &[f32]) -> Answer {
    let y = Oracle::new(&network.rest, &Run::new()).run(currents);
    let wide = network.rest.output_channels();
    let classes = wide - network.hidden;
    let count = |class: usize| y.iter().skip(class).step_by(wide).sum::<f64>();
    // the first of those with the most spikes
    let class = (0..classes).fold(0, |best, class| if count(class) > count(best) { class } else { best });
    let train = |neuron: usize| {
        let values = y.iter().skip(classes + neuron).step_by(wide);
        values.zip(0..).filter(|(v, _)| **v != 0.0).map(|(_, tick)| tick).collect()
    };
    Answer { class, trains: (0..network.hidden).map(train).collect() }
}

/// The shift of the first trains against the second at which most spikes coincide, and the distance of van Rossum that is left.
fn distance(a: &[Vec<i64>], b: &[Vec<i64>]) -> (i64, f64) {
    let coincide = |shift: i64| -> usize {
        a.iter().zip(b).map(|(a, b)| a.iter().filter(|t| b.binary_search(&(**t - shift)).is_ok()).count()).sum()
    };
    let shifts = std::iter::once(0).chain((1..=REACH).flat_map(|s| [s, -s]));
    let latency = shifts.fold(0, |best, shift| if coincide(shift) > coincide(best) { shift } else { best });
    let overlap = |a: &[i64], b: &[i64], shift: i64| -> f64 {
        a.iter().flat_map(|t| b.iter().map(move |u| (-((t - u - shift).abs() as f64) / TAU).exp())).sum()
    };
    let one =
        |(a, b): (&Vec<i64>, &Vec<i64>)| 0.5 * (overlap(a, a, 0) + overlap(b, b, 0) - 2.0 * overlap(a, b, latency)).max(0.0);
    (latency, a.iter().zip(b).map(one).sum())
}

/// Agreement, mean latency in ticks, and distance for each spike.
fn trial(network: &Network, chip: &mut Blocking, exact: &[Answer]) -> Outcome<[f64; 3]> {
    let (mut agree, mut late, mut far, mut spikes) = (0, 0, 0.0, 0);
    for (sample, exact) in network.samples.iter().zip(exact) {
        let found = answer(network, &chip.run(sample)?);
        let (latency, distance) = distance(&found.trains, &exact.trains);
        agree += usize::from(found.class == exact.class);
        late += latency;
        far += distance;
        spikes += exact.trains.iter().map(Vec::len).sum::<usize>();
    }
    let count = exact.len() as f64;
    Ok([agree as f64 / count, late as f64 / count, far / spikes.max(1) as f64])
}

/// A mean over chips and its standard error.
fn summary(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0).max(1.0) / n).sqrt())
}

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1).map(|a| a.parse::<usize>());
    let chips = arguments.next().transpose()?.unwrap_or(8).max(1);
    let samples = arguments.next().transpose()?.unwrap_or(16).max(1);
    let folder = std::env::var_os("ISOFORM_DATA").map(|folder| Path::new(&folder).join("nir"));
    let network = match folder.filter(|folder| folder.join("braille_noDelay_bias_zero.nir").exists()) {
        Some(folder) => {
            println!("THE LAYER: the first of the Braille network, from {}", folder.display());
            braille(&folder, samples)?
        }
        None => {
            println!(
                "THE LAYER: NOT that of the Braille network, but weights.csv of this example; ISOFORM_DATA names no folder with it"
            );
            shipped(samples)?
        }
    };
    let exact: Vec<Answer> = network
        .samples
        .iter()
        .map(|x| answer(&network, &Oracle::new(&network.layer, &Run::new()).run(x).iter().map(|&v| v as f32).collect::<Vec<_>>()))
        .collect();
    println!("{chips} chips, {samples} samples; mean over chips ± standard error\n");
    println!("{:>8} {:>12} {:>16} {:>18} {:>18}", "age", "compensated", "agreement", "latency in ticks", "distance a spike");
    for (name, seconds) in AGES {
        for compensate in ["none", "global"] {
            let mut found = [const { Vec::new() }; 3];
            for seed in 0..chips {
                let text = format!("twin:crossbar?seed={seed}&compensate={compensate}&margin=1e3&noise=1e3&drift=1e3");
                let locator: Locator = text.parse()?;
                let substrate = crossbar::open(&mut locator.reader())?;
                let mut chip = Blocking::open(&*substrate, &network.layer, &Run::new())?;
                chip.rest(seconds)?;
                if compensate == "global" {
                    chip.calibrate()?;
                }
                found.iter_mut().zip(trial(&network, &mut chip, &exact)?).for_each(|(all, one)| all.push(one));
            }
            let [agreement, latency, distance] = found.each_ref().map(|values| summary(values));
            let cell = |(mean, error): (f64, f64)| format!("{mean:.3} ± {error:.3}");
            println!("{name:>8} {compensate:>12} {:>16} {:>18} {:>18}", cell(agreement), cell(latency), cell(distance));
        }
    }
    println!(
        "\nDrift takes a third of the currents in a day and half in a year. One factor for the whole layer brings their mean back, and with it most of what\n\
         spikes moved by; what it cannot bring back is the spread of the cells, which grows with their age, and the noise of reading, which it\n\
         amplifies. Agreement on a few samples tells little of it: look at its error."
    );
    Ok(())
}
