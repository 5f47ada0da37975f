//! Recorded runs of other platforms, repeated from the command line. The data are found by ISOFORM_DATA.

mod common;

use common::{Folder, data, numbers};
use std::path::Path;

const SUBSTRATES: &[&str] = if cfg!(feature = "cpu") { &["oracle:", "cpu:", "cpu:?threads=2"] } else { &["oracle:"] };

/// Spikes and membrane of the single neuron.
fn single(data: &Path, preset: &str, locator: &str) -> (Vec<usize>, Vec<f64>) {
    let folder = Folder::new();
    let name = |file: &str| data.join(file).to_string_lossy().into_owned();
    let (model, input) = (name("lif_norse.nir"), name("lif_input.csv"));
    let run = ["run", &model, "--input", &input, "--dt", "1e-4", "--semantics", preset, "--on", locator];
    folder.succeeds(&[&run[..], &["--output", "y.csv", "--probe", "1:v=v.csv", "--quiet"]].concat());
    let column = |file: &str| numbers(&folder.text(file)).into_iter().flatten().collect::<Vec<f64>>();
    let spikes = column("y.csv").iter().enumerate().filter(|(_, v)| **v > 0.0).map(|(tick, _)| tick).collect();
    (spikes, column("v.csv"))
}

#[test]
fn one_neuron_fires_in_the_ticks_of_each_platform() {
    let Some(data) = data("the spikes of one neuron under ten presets") else { return };
    let (early, prompt, late) = ([450, 500, 710, 760], [460, 510, 710, 760], [461, 511, 711, 761]);
    for locator in SUBSTRATES {
        for (preset, ticks) in [
            ("events", prompt),
            ("norse", prompt),
            ("snntorch", prompt),
            ("nengo", prompt),
            ("spinnaker2", prompt),
            ("rockpool", early),
            ("sinabs", early),
            ("lava", late),
            ("loihi", late),
            ("spyx", late),
        ] {
            assert_eq!(single(&data, preset, locator).0, ticks, "{preset} on {locator}");
        }
    }
}

/// The largest difference of a membrane from a recorded column, in the units of the graph.
fn apart(membrane: &[f64], recorded: impl IntoIterator<Item = f64>) -> f64 {
    let recorded: Vec<f64> = recorded.into_iter().collect();
    assert_eq!((membrane.len(), recorded.len()), (1000, 1000));
    membrane.iter().zip(recorded).map(|(v, w)| (v - w).abs()).fold(0.0, f64::max)
}

#[test]
fn one_neuron_has_the_membrane_that_each_platform_recorded() {
    let Some(data) = data("the recorded membranes of five platforms") else { return };
    let column = |file: &str, unit: f64| {
        let text = std::fs::read_to_string(data.join(file)).expect("the data folder holds the file");
        numbers(&text).into_iter().map(move |row| row[1] * unit).collect::<Vec<f64>>()
    };
    for locator in SUBSTRATES {
        for (preset, file, unit, tolerance) in [
            ("norse", "lif_norse.csv", 1.0, 1e-7),
            ("snntorch", "lif_snntorch.csv", 0.04, 1e-7),
            ("nengo", "lif_nengo.csv", 0.1, 1e-7),
            ("lava", "lif_lava_cpu_float.csv", 1.0, 1e-7),
            ("events", "lif_exact.csv", 1.0, 1e-8),
        ] {
            let worst = apart(&single(&data, preset, locator).1, column(file, unit));
            eprintln!("{preset} on {locator}: largest difference {worst:.1e}");
            assert!(worst <= tolerance, "{preset} on {locator}: {worst:e}");
        }
    }
}

#[test]
fn one_neuron_has_the_membrane_of_the_published_formulas() {
    let Some(data) = data("the formulas of three platforms") else { return };
    let input = numbers(&std::fs::read_to_string(data.join("lif_input.csv")).expect("the data folder holds the file"));
    let input: Vec<f64> = input.into_iter().flatten().collect();
    let decays = (-0.04_f64).exp();
    let subtracting = |v: &mut f64, u: f64| {
        *v = decays * *v + 0.04 * u;
        *v -= if *v > 0.1 { 0.1 } else { 0.0 };
    };
    let spyx = |v: &mut f64, u: f64| *v = 0.96 * *v + 0.04 * u - if *v > 0.1 { 0.1 } else { 0.0 };
    let trace = |step: &dyn Fn(&mut f64, f64)| {
        let mut v = 0.0;
        input
            .iter()
            .map(|&u| {
                step(&mut v, u);
                v
            })
            .collect::<Vec<f64>>()
    };
    for locator in SUBSTRATES {
        for (preset, formula) in [("rockpool", trace(&subtracting)), ("sinabs", trace(&subtracting)), ("spyx", trace(&spyx))] {
            let worst = apart(&single(&data, preset, locator).1, formula);
            eprintln!("{preset} on {locator}: largest difference {worst:.1e}");
            assert!(worst <= 1e-7, "{preset} on {locator}: {worst:e}");
        }
    }
}

#[test]
fn the_braille_network_gives_the_recorded_spikes_and_the_right_letter() {
    let Some(data) = data("the recorded activities of the Braille network") else { return };
    let name = |file: &str| data.join(file).to_string_lossy().into_owned();
    let (model, input) = (name("braille_noDelay_bias_zero.nir"), name("braille_input.csv"));
    for locator in SUBSTRATES {
        for preset in ["snntorch", "norse"] {
            let folder = Folder::new();
            let run = ["run", &model, "--input", &input, "--dt", "1e-4", "--semantics", preset, "--on", locator, "--quiet"];
            folder.succeeds(&[&run[..], &["--output", "y.csv", "--probe", "lif1.lif=hidden.npy"]].concat());
            let read = |path: &Path| {
                let read = isoform::formats::signal::read(path, &isoform::formats::signal::Options::default());
                read.expect("read").into_dense().expect("dense").data
            };
            let hidden = read(&folder.path("hidden.npy"));
            let recorded = read(&data.join(format!("{preset}_activity_noDelay_bias_zero.npy")));
            let differ = hidden.iter().zip(&recorded).filter(|(a, b)| a != b).count();
            assert_eq!((hidden.len(), recorded.len(), differ), (9728, 9728, 0), "{preset} on {locator}");
            assert!(recorded.iter().sum::<f32>() > 100.0, "the recording holds spikes");
            let mut counts = [0.0; 7];
            let rows = numbers(&folder.text("y.csv"));
            rows.iter().for_each(|row| counts.iter_mut().zip(row).for_each(|(sum, v)| *sum += v));
            eprintln!("{preset} on {locator}: 0 of 9728 differ, counts {counts:?}");
            let most = counts.iter().copied().fold(0.0, f64::max);
            assert_eq!(counts.iter().position(|&c| c == most), Some(1), "{preset} on {locator}: {counts:?}");
        }
    }
}

#[test]
fn the_convolutional_network_loads_runs_and_survives_writing() {
    let Some(data) = data("the convolutional network") else { return };
    let folder = Folder::new();
    let model = data.join("cnn_sinabs.nir").to_string_lossy().into_owned();
    let rows: String = (0..6_usize)
        .map(|t| (0..2312_usize).map(|c| if (c * 7 + t * 13) % 11 < 3 { "1" } else { "0" }).collect::<Vec<_>>().join(",") + "\n")
        .collect();
    folder.put("events.csv", rows);
    let digest = |file: &str| {
        let text = folder.succeeds(&["inspect", file, "--dt", "1", "--json"]);
        let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(report["inputs"][0]["channels"], 2312);
        assert_eq!(report["outputs"][0]["channels"], 10);
        assert_eq!(report["nodes"].as_array().map(Vec::len), Some(15));
        report["program"]["digest"].clone()
    };
    folder.succeeds(&["convert", &model, "again.nir"]);
    folder.succeeds(&["convert", &model, "old.nir", "--nir-compat", "1.0.4"]);
    assert_eq!(digest(&model), digest("again.nir"));
    assert_eq!(digest(&model), digest("old.nir"));
    let mut first: Option<[String; 2]> = None;
    for locator in SUBSTRATES {
        let run = ["run", &model, "--input", "events.csv", "--dt", "1", "--on", locator, "--quiet", "--output", "y.csv"];
        folder.succeeds(&[&run[..], &["--probe", "1=spikes.csv"]].concat());
        let found = [folder.text("y.csv"), folder.text("spikes.csv")];
        assert_eq!(numbers(&found[0]).len(), 6);
        assert!(found[1].contains('1'), "the first layer fires");
        assert_eq!(first.get_or_insert_with(|| found.clone()), &found, "{locator}");
        folder.succeeds(&["compare", &model, "--input", "events.csv", "--dt", "1", "--on", locator]);
    }
}
