//! Runs from the command line: outputs, probes, states, experiments, manifests.

mod common;

use common::{Folder, numbers};

const RUN: [&str; 10] = ["run", "lif.nir", "--input", "x.csv", "--dt", "1e-4", "--semantics", "norse", "--quiet", "--on"];

fn on(locator: &'static str, more: &[&'static str]) -> Vec<&'static str> {
    [&RUN[..], &[locator], more].concat()
}

/// The neuron by its equation: membrane and spike of every tick.
fn neuron(folder: &Folder) -> Vec<(f64, bool)> {
    let mut membrane = 0.0_f64;
    let step = |x: f64| {
        membrane += 0.04 * (x - membrane);
        let fired = membrane > 0.1;
        membrane *= f64::from(u8::from(!fired));
        (membrane, fired)
    };
    numbers(&folder.text("x.csv")).into_iter().flatten().map(step).collect()
}

#[test]
fn every_extension_holds_the_same_spikes() {
    let folder = Folder::new();
    for output in ["y.csv", "y.npy", "y.nir"] {
        let said = folder.isoform(&on("oracle:", &["--output", output]));
        assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, "", ""));
    }
    let spikes: Vec<f32> =
        numbers(&folder.text("y.csv")).into_iter().flatten().map(|v| if v > 0.0 { 1.0 } else { 0.0 }).collect();
    let expected: Vec<f32> = neuron(&folder).into_iter().map(|(_, fired)| if fired { 1.0 } else { 0.0 }).collect();
    assert_eq!(spikes, expected);
    assert_eq!(spikes.iter().sum::<f32>(), 22.0);
    for output in ["y.csv", "y.npy", "y.nir"] {
        let read = isoform::formats::signal::read(folder.path(output), &isoform::formats::signal::Options::default());
        let dense = read.expect("read").into_dense().expect("dense");
        assert_eq!((dense.ticks, dense.batch, dense.channels), (100, 1, 1));
        assert_eq!(dense.data, spikes, "{output}");
    }
    // what was written is an input again
    let again = folder.isoform(&["run", "lif.nir", "--input", "y.nir", "--dt", "2e-4", "--on", "oracle:", "--output", "z.csv"]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("was recorded with a time step of 0.0001 s, not 0.0002 s"), "{}", again.err);
    for input in ["y.nir", "y.nir:output:spikes"] {
        folder.succeeds(&["run", "lif.nir", "--input", input, "--dt", "1e-4", "--on", "oracle:", "--output", "z.csv"]);
    }
}

#[test]
fn recorded_data_goes_by_the_names_of_the_graph() {
    use isoform::formats::nir::{self, Compat, Graph, Input, Lif, NodeData, Observable, Output, Scale, Tensor, TensorData};
    let folder = Folder::new();
    let vector = |v: &[f32]| Tensor::vector(v.to_vec());
    let graph = Graph::new()
        .with_node("b", Input::new([2]))
        .with_node("a", Input::new([1]))
        .with_node("lif", Lif::new(vector(&[2e-3; 2]), vector(&[1.0; 2]), vector(&[0.0; 2]), vector(&[0.1; 2]), None))
        .with_node("scale", Scale::new(vector(&[2.0])))
        .with_node("fired", Output::new([2]))
        .with_node("real", Output::new([1]))
        .with_chain(&["b", "lif", "fired"])
        .with_chain(&["a", "scale", "real"]);
    nir::write(folder.path("two.nir"), &graph, Compat::Latest).expect("written");
    // the program has b before a; a recording has one column for each of their channels
    folder.put("x.csv", "1,0,0.25\n1,1,0.5\n0,1,0.75\n");
    let fixed = ["run", "two.nir", "--dt", "1e-3", "--on", "oracle:"];
    let run = |rest: &[&str]| folder.succeeds(&[&fixed[..], rest].concat());
    run(&["--input", "x.csv", "--output", "y.nir", "--probe", "lif=s.nir", "--probe", "lif:v=v.nir", "--probe", "scale=r.nir"]);
    let observed = |file: &str, node: &str, name: &str| {
        let data = nir::read_data(folder.path(file)).expect("read");
        let NodeData::Observables(all) = &data.nodes[node] else { panic!("a node") };
        let Observable::TimeGridded(grid) = &all[name] else { panic!("on a grid") };
        grid.data.data().clone()
    };
    assert_eq!(observed("y.nir", "real", "values"), TensorData::F32(vec![0.5, 1.0, 1.5]));
    let TensorData::Bool(spikes) = observed("y.nir", "fired", "spikes") else { panic!("spikes are booleans") };
    assert!(spikes.contains(&true) && spikes.contains(&false), "{spikes:?}");
    assert_eq!(observed("s.nir", "lif", "spikes"), TensorData::Bool(spikes));
    assert!(matches!(observed("v.nir", "lif", "v"), TensorData::F32(_)));
    assert!(matches!(observed("r.nir", "scale", "values"), TensorData::F32(_)));

    // a recording for each input stands for the columns, whatever the order of the file
    let recording = |node: &str, channels: usize, data: &[f32]| isoform::formats::signal::Recording {
        node: node.to_owned(),
        observable: "values".to_owned(),
        signal: isoform::formats::signal::Dense::new(3, 1, channels, data.to_vec()).expect("fits").into(),
        binary: false,
    };
    let inputs = [recording("a", 1, &[0.25, 0.5, 0.75]), recording("b", 2, &[1.0, 0.0, 1.0, 1.0, 0.0, 1.0])];
    isoform::formats::signal::write_recordings(folder.path("x.nir"), &inputs, 1e-3).expect("written");
    run(&["--input", "x.csv", "--output", "c.csv"]);
    run(&["--input", "x.nir", "--output", "n.csv"]);
    assert_eq!(folder.text("c.csv"), folder.text("n.csv"));
    folder.succeeds(&["compare", "two.nir", "--dt", "1e-3", "--on", "cpu:", "--input", "x.nir"]);
}

#[test]
fn counts_add_up_what_ticks_say() {
    let folder = Folder::new();
    folder.succeeds(&on("oracle:", &["--output", "y.csv"]));
    folder.succeeds(&on("oracle:", &["--output", "n.csv", "--counts"]));
    let sum: f64 = numbers(&folder.text("y.csv")).into_iter().flatten().sum();
    assert_eq!(numbers(&folder.text("n.csv")), [[sum]]);
}

#[test]
fn probes_record_what_the_equations_say() {
    let folder = Folder::new();
    folder.succeeds(&on("oracle:", &["--output", "y.csv", "--probe", "lif:v=v.csv", "--probe", "weight=w.csv"]));
    let (x, v) = (numbers(&folder.text("x.csv")), numbers(&folder.text("v.csv")));
    assert_eq!(numbers(&folder.text("w.csv")), x);
    for (tick, ((membrane, _), v)) in neuron(&folder).into_iter().zip(&v).enumerate() {
        assert!((membrane - v[0]).abs() < 1e-7, "tick {tick}: {membrane} {}", v[0]);
    }
}

#[test]
fn a_state_goes_on_where_it_was_saved() {
    let folder = Folder::new();
    let rows = folder.text("x.csv");
    let rows: Vec<&str> = rows.lines().collect();
    folder.put("a.csv", rows[..37].join("\n"));
    folder.put("b.csv", rows[37..].join("\n"));
    folder.succeeds(&on("oracle:", &["--output", "y.csv", "--state-out", "whole.json"]));
    for state in ["s.npz", "s.json"] {
        let part = |input: &'static str, rest: &[&'static str]| {
            let fixed = ["run", "lif.nir", "--on", "oracle:", "--dt", "1e-4", "--semantics", "norse", "--input", input];
            folder.succeeds(&[&fixed[..], rest].concat());
        };
        part("a.csv", &["--output", "ya.csv", "--state-out", state]);
        part("b.csv", &["--output", "yb.csv", "--state-in", state, "--state-out", "end.json"]);
        assert_eq!(folder.text("ya.csv") + &folder.text("yb.csv"), folder.text("y.csv"), "{state}");
        assert_eq!(folder.json("end.json"), folder.json("whole.json"), "{state}");
    }
}

#[test]
fn the_manifest_says_what_was_done() {
    let folder = Folder::new();
    folder.succeeds(&on("oracle:", &["--output", "y.csv", "--seed", "5", "--probe", "lif:v=v.npy", "--state-out", "s.npz"]));
    let manifest = folder.json("y.csv.manifest.json");
    assert_eq!(manifest["schema"], 1);
    assert_eq!(manifest["locator"], "oracle:");
    assert_eq!((&manifest["seed"], &manifest["ticks"], &manifest["batch"]), (&5.into(), &100.into(), &1.into()));
    assert_eq!(manifest["semantics"]["preset"], "norse");
    for (question, answer) in [("decay", "euler"), ("order", "staged"), ("cycle", "entering-event"), ("test", "after-flow")] {
        assert_eq!(manifest["semantics"][question], answer);
    }
    let digest = |name: &str| isoform::files::sha256(&folder.path(name)).expect("read");
    assert_eq!(manifest["model"]["sha256"], digest("lif.nir"));
    assert_eq!(manifest["inputs"][0]["sha256"], digest("x.csv"));
    let outputs: Vec<(&str, &str)> =
        ["output", "probe lif:v", "state-out"].into_iter().zip(["y.csv", "v.npy", "s.npz"]).collect();
    for (place, (role, file)) in outputs.into_iter().enumerate() {
        assert_eq!(manifest["outputs"][place]["role"], role);
        assert_eq!(manifest["outputs"][place]["sha256"], digest(file));
    }
    assert_eq!(manifest["report"]["ticks"], 100);
    let command: Vec<&str> = manifest["command"].as_array().expect("a list").iter().filter_map(|word| word.as_str()).collect();
    assert_eq!(command[1..4], ["run", "lif.nir", "--input"]);
    let printed = folder.succeeds(&on("oracle:", &["--output", "y.csv", "--json"]));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&printed).expect("JSON")["locator"], "oracle:");
}

#[test]
fn an_experiment_runs_on_all_that_it_names() {
    let folder = Folder::new();
    let text = "[model]\nfile = \"lif.nir\"\ndt = 1e-4\nsemantics = { preset = \"norse\", reset = \"subtract\" }\n\
        [input]\nfile = \"x.csv\"\n[run]\non = [\"oracle:\", \"quantise:?on=(oracle:)&step=1\"]\nseeds = [3, 4]\n\
        [output]\nfile = \"out/{substrate}-{seed}.csv\"\nstate = \"out/{substrate}-{seed}.npz\"\n\
        probes = { \"lif\" = \"out/{substrate}-{seed}-lif.npy\" }\n";
    folder.put("e.toml", text);
    let printed = folder.succeeds(&["run", "e.toml", "--json", "--on", "oracle:"]);
    let printed: serde_json::Value = serde_json::from_str(&printed).expect("JSON");
    assert_eq!((&printed[0]["seed"], &printed[1]["seed"], &printed[2]), (&3.into(), &4.into(), &serde_json::Value::Null));
    assert!(folder.path("out/oracle-3.npz").exists() && folder.path("out/oracle-4-lif.npy").exists());
    let manifest = folder.json("out/oracle-3.csv.manifest.json");
    assert_eq!(
        (&manifest["semantics"]["reset"], &manifest["semantics"]["preset"]),
        (&"subtract".into(), &serde_json::Value::Null)
    );
    assert_eq!(folder.text("out/oracle-3.csv"), folder.text("out/oracle-4.csv"));
}

#[test]
fn what_is_converted_means_the_same() {
    let folder = Folder::new();
    for version in ["1.0.4", "latest"] {
        folder.succeeds(&["convert", "lif.nir", "other.nir", "--nir-compat", version]);
        let digest = |file: &str| {
            let text = folder.succeeds(&["inspect", file, "--dt", "1e-4", "--json"]);
            serde_json::from_str::<serde_json::Value>(&text).expect("JSON")["program"]["digest"].clone()
        };
        assert!(digest("lif.nir").is_string());
        assert_eq!(digest("lif.nir"), digest("other.nir"), "{version}");
    }
}

#[test]
fn comparing_tells_agreement_from_difference() {
    let folder = Folder::new();
    let compare =
        |locator: &str| folder.isoform(&["compare", "lif.nir", "--input", "x.csv", "--dt", "1e-4", "--json", "--on", locator]);
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
    let same = compare("oracle:");
    let found = parse(&same.out);
    assert_eq!((same.code, &found["substrates"][0]["verdict"]), (0, &"agrees".into()));
    assert_eq!(found["substrates"][0]["forced"]["ticks"], 100);
    assert_eq!(found["substrates"][0]["free"]["spikes"]["different"], 0);
    // what declares noise is not judged by a bound on rounding
    for noisy in ["noise:?on=(oracle:)&sigma=0.1", "quantise:?on=(oracle:)&step=5"] {
        assert_eq!(compare(noisy).code, 3, "{noisy}");
    }
}

#[test]
fn a_substrate_that_is_too_late_exits_with_four() {
    let folder = Folder::new();
    let late = folder.isoform(&on("timeout:?on=(oracle:)&seconds=1e-9", &["--output", "y.csv"]));
    assert_eq!((late.code, late.err.lines().count()), (4, 1), "{}", late.err);
    assert!(late.err.contains("no answer within") && !folder.path("y.csv").exists(), "{}", late.err);
}
