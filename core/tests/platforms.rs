//! Traces that other platforms recorded, reproduced by the oracle under their presets.

use isoform_core::functions::lif;
use isoform_core::linear::Dense;
use isoform_core::oracle::Oracle;
use isoform_core::program::Program;
use isoform_core::semantics::{Preset, Semantics};
use isoform_core::substrate::Run;
use isoform_core::tensor::Tensor;

/// The single neuron of the NIR paper: its parameters are single-precision numbers.
fn single_lif(semantics: Semantics) -> Program {
    let mut net = Program::builder();
    let x = net.input("input", [1]);
    let weight = Tensor::single([1, 1], [1.0]).expect("fits");
    let drive = net.node("0", Dense::new(weight, None).expect("valid"), x);
    let tau = f64::from(0.0025_f32);
    let spikes = net.node("1", lif().with("tau", tau).with("v_threshold", f64::from(0.1_f32)), drive);
    net.output("output", spikes);
    net.build(semantics).expect("valid")
}

fn columns(text: &str) -> Vec<Vec<f64>> {
    text.lines().map(|line| line.split(',').map(|cell| cell.trim().parse().expect("a number")).collect()).collect()
}

fn data(name: &str) -> Option<Vec<Vec<f64>>> {
    let Ok(folder) = std::env::var("ISOFORM_DATA") else {
        eprintln!("NOT RUN: {name} is not compared, since ISOFORM_DATA is not set");
        return None;
    };
    let path = std::path::Path::new(&folder).join("nir").join(name);
    Some(columns(&std::fs::read_to_string(&path).expect("the data folder holds the file")))
}

/// Membrane and spikes, in the units of the graph.
fn run(preset: Preset, input: &[Vec<f64>]) -> (Vec<f64>, Vec<usize>) {
    let program = single_lif(preset.semantics(1e-4));
    let mut oracle = Oracle::new(&program, &Run::new());
    let (mut membrane, mut spikes) = (Vec::new(), Vec::new());
    for (tick, x) in input.iter().enumerate() {
        let mut y = [0.0];
        oracle.step(x, &mut y);
        membrane.push(oracle.state().block("1", "v").expect("has a membrane").values[0]);
        if y[0] > 0.0 {
            spikes.push(tick);
        }
    }
    (membrane, spikes)
}

fn agrees(preset: Preset, file: &str, unit: f64, tolerance: f64) {
    let (Some(input), Some(recorded)) = (data("lif_input.csv"), data(file)) else { return };
    let (membrane, _) = run(preset, &input);
    let worst = membrane.iter().zip(&recorded).map(|(v, row)| (v - row[1] * unit).abs()).fold(0.0, f64::max);
    eprintln!("{preset}: largest difference of the membrane {worst:.2e}");
    assert!(worst <= tolerance, "{preset}: {worst:e}");
}

#[test]
fn spikes_fall_into_the_ticks_of_the_platforms() {
    let Some(input) = data("lif_input.csv") else { return };
    let early = [450, 500, 710, 760];
    let prompt = [460, 510, 710, 760];
    let late = [461, 511, 711, 761];
    for (preset, expected) in [
        (Preset::Events, prompt),
        (Preset::Norse, prompt),
        (Preset::Snntorch, prompt),
        (Preset::Nengo, prompt),
        (Preset::Spinnaker2, prompt),
        (Preset::Rockpool, early),
        (Preset::Sinabs, early),
        (Preset::Lava, late),
        (Preset::Loihi, late),
        (Preset::Spyx, late),
    ] {
        assert_eq!(run(preset, &input).1, expected, "{preset}");
    }
}

#[test]
fn norse() {
    agrees(Preset::Norse, "lif_norse.csv", 1.0, 1e-7);
}

#[test]
fn snntorch() {
    agrees(Preset::Snntorch, "lif_snntorch.csv", 0.04, 1e-7);
}

#[test]
fn nengo() {
    agrees(Preset::Nengo, "lif_nengo.csv", 0.1, 1e-7);
}

#[test]
fn lava() {
    agrees(Preset::Lava, "lif_lava_cpu_float.csv", 1.0, 1e-7);
}

#[test]
fn located_events() {
    agrees(Preset::Events, "lif_exact.csv", 1.0, 1e-8);
}
