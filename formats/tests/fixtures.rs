//! Files written by Python `nir`, read with the values that its scripts state.

use isoform_formats::nir::*;
use isoform_formats::signal::{self, Options, Signal, SignalErrorKind};

fn folder() -> &'static str {
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data")
}

fn f32s(values: &[f32]) -> Tensor {
    Tensor::vector(values.to_vec())
}

/// The graph of `recurrent_graph` in `python_roundtrip.py`.
fn recurrent(reset: Option<Tensor>) -> Graph {
    let lif = Lif::new(f32s(&[2e-3, 3e-3]), f32s(&[1.0, 2.0]), f32s(&[0.0, -0.5]), f32s(&[1.0, 0.75]), reset);
    let w = Tensor::new([2, 2], vec![0.0f64, 0.5, -0.25, 0.0]).unwrap();
    let mut cell = Graph::new()
        .with_node("input", Input::new([2]))
        .with_node("lif", lif)
        .with_node("w", Linear::new(w))
        .with_node("output", Output::new([2]))
        .with_chain(&["input", "lif", "w", "lif", "output"]);
    let metadata = &mut cell.annotations.metadata;
    metadata.insert("name".to_owned(), "cell".into());
    metadata.insert("year".to_owned(), Tensor::from(2024i64).into());
    let mut graph = Graph::new()
        .with_node("in", Input::new([2]))
        .with_node("srnn", cell)
        .with_node("out", Output::new([2]))
        .with_chain(&["in", "srnn", "out"]);
    let metadata = &mut graph.annotations.metadata;
    let mut nested = Map::new();
    nested.insert("dt".to_owned(), Tensor::from(1e-3f64).into());
    nested.insert("flags".to_owned(), Tensor::vector(vec![true, false]).into());
    metadata.insert("author".to_owned(), "fixture".into());
    metadata.insert("nested".to_owned(), nested.into());
    graph
}

#[test]
fn reads_what_1_0_4_wrote() {
    let graph = read(format!("{}/nested_1.0.4.nir", folder())).unwrap();
    assert_eq!(graph.version.as_deref(), Some("1.0.4"));
    assert!(graph.not_kept.is_empty());
    assert_eq!(Graph { version: None, ..graph }, recurrent(None));
}

#[test]
fn reads_what_1_0_8_wrote_compressed() {
    let graph = read(format!("{}/nested_1.0.8.nir", folder())).unwrap();
    assert_eq!(graph.version.as_deref(), Some("1.0.8"));
    let zero = Some(f32s(&[0.0, 0.0]));
    assert_eq!(Graph { version: None, ..graph }, recurrent(zero));
}

/// Collects the types of all nodes, in nested graphs too.
fn types(graph: &Graph, all: &mut Vec<&'static str>) {
    for node in graph.nodes.values() {
        all.push(node.type_name());
        if let Node::Graph(inner) = node {
            types(inner, all);
        }
    }
}

#[test]
fn reads_every_type_of_both_versions() {
    for (version, missing) in [("1.0.4", &["CubaLI", "Identity"][..]), ("1.0.8", &["Identity"])] {
        let graph = read(format!("{}/all_{version}.nir", folder())).unwrap();
        let mut found = Vec::new();
        types(&graph, &mut found);
        for name in Node::TYPES {
            assert_eq!(found.contains(name), !missing.contains(name), "{version}: {name}");
        }
        let back = from_bytes(&to_bytes(&graph, Compat::Latest).unwrap()).unwrap();
        let version = graph.version.clone();
        assert_eq!(Graph { version, ..back }, graph);
    }
}

#[test]
fn reads_all_kinds_of_metadata() {
    let graph = read(format!("{}/all_1.0.8.nir", folder())).unwrap();
    let metadata = &graph.annotations.metadata;
    let expected: &[(&str, Value)] = &[
        ("text", "grüße, 世界".into()),
        ("empty", "".into()),
        ("int", Tensor::from(3i64).into()),
        ("float", Tensor::from(0.1f64).into()),
        ("bool", Tensor::from(true).into()),
        ("list", Tensor::vector(vec![1i64, 2, 3]).into()),
        ("np_f32", Tensor::from(1.5f32).into()),
        ("big_endian", Tensor::vector(vec![1i32, -2]).into()),
        ("uints", Tensor::vector(vec![u64::MAX]).into()),
        ("no_entries", Map::new().into()),
        ("words", Value::Texts(Texts::new([3], ["a", "bc", "déf"].map(str::to_owned).to_vec()).unwrap())),
        ("half", Tensor::vector([0.5, -2.0, 65504.0].map(half::f16::from_f32).to_vec()).into()),
    ];
    for (name, value) in expected {
        assert_eq!(&metadata[*name], value, "{name}");
    }
    assert_eq!(metadata.len(), 18);
    let Value::Map(nested) = &metadata["nested"] else {
        panic!("{:?}", metadata["nested"]);
    };
    let Value::Map(deep) = &nested["deep"] else {
        panic!("{nested:?}");
    };
    assert_eq!(deep["deeper"], "x".into());
    assert_eq!(deep["n"], Tensor::new([2, 0], Vec::<f64>::new()).unwrap().into());
}

#[test]
fn recorded_data_is_a_signal() {
    let path = format!("{}/data_1.0.8.nir", folder());
    let pick = |node: &str, name: &str| Options::default().with_node(node).with_observable(name);
    let Signal::Dense(spikes) = signal::read(&path, &pick("grid", "spikes")).unwrap() else {
        panic!("gridded data is dense");
    };
    assert_eq!((spikes.ticks, spikes.batch, spikes.channels), (5, 2, 3));
    assert_eq!(spikes.dt, Some(1e-3));
    assert!(spikes.data.iter().all(|&v| v == 0.0 || v == 1.0));

    let options = pick("events", "spikes").with_dt(5e-4);
    let Signal::Events(events) = signal::read(&path, &options).unwrap() else {
        panic!("events stay events");
    };
    assert_eq!((events.ticks, events.batch, events.channels), (10, 2, 3));
    let places: Vec<_> = events.list.iter().map(|e| (e.tick, e.sample, e.channel)).collect();
    assert_eq!(places, [(0, 0, 0), (2, 0, 2), (2, 1, 1), (5, 0, 1), (8, 1, 0)]);

    let error = signal::read(&path, &Options::default()).unwrap_err();
    assert!(matches!(error.kind(), SignalErrorKind::Choice { known, .. } if known.len() == 4));
    let error = signal::read(&path, &pick("valued", "currents")).unwrap_err();
    assert!(matches!(error.kind(), SignalErrorKind::NoTimeStep));
    assert!(matches!(read(&path).unwrap_err().kind(), NirErrorKind::RecordedData));
}

/// The files that come with the task, where they are.
#[test]
fn reads_the_files_of_the_nir_paper() {
    let Some(data) = std::env::var_os("ISOFORM_DATA") else {
        eprintln!("NOT RUN: reads_the_files_of_the_nir_paper needs ISOFORM_DATA");
        return;
    };
    let path = |name: &str| std::path::Path::new(&data).join("nir").join(name);

    let lif = read(path("lif_norse.nir")).unwrap();
    assert_eq!(lif.version.as_deref(), Some("0.1.1"));
    let expected = Lif::new(f32s(&[0.0025]), f32s(&[1.0]), f32s(&[0.0]), f32s(&[0.1]), None);
    assert_eq!(lif.nodes["1"], expected.into());
    assert_eq!(lif.edges.len(), 3);

    let braille = read(path("braille_noDelay_bias_zero.nir")).unwrap();
    let Node::CubaLif(hidden) = &braille.nodes["lif1.lif"] else {
        panic!("{:?}", braille.nodes["lif1.lif"]);
    };
    assert_eq!(hidden.tau_mem, Tensor::vector(vec![0.0009999997615814777f64; 38]));
    assert_eq!(common_shape(&braille.nodes["lif2"]), Some(vec![7]));
    assert!(braille.edges.contains(&("lif1.w_rec".to_owned(), "lif1.lif".to_owned())));

    let cnn = read(path("cnn_sinabs.nir")).unwrap();
    let Node::Conv2d(first) = &cnn.nodes["0"] else {
        panic!("{:?}", cnn.nodes["0"]);
    };
    assert_eq!(first.weight.shape(), [16, 2, 5, 5]);
    assert_eq!(first.stride.pair(), Some([2, 2]));
    assert_eq!((cnn.nodes.len(), cnn.edges.len()), (15, 14));

    for graph in [lif, braille, cnn] {
        let version = graph.version.clone();
        for compat in [Compat::Latest, Compat::V1_0_4] {
            let back = from_bytes(&to_bytes(&graph, compat).unwrap()).unwrap();
            assert_eq!(Graph { version: version.clone(), ..back }, graph);
        }
    }

    let options = Options::default();
    let shapes = [("lif_input.csv", 1000, 1, 1), ("braille_input.csv", 256, 1, 12), ("lif_norse.csv", 1000, 1, 3)];
    for (name, ticks, batch, channels) in shapes {
        let dense = signal::read(path(name), &options).unwrap().into_dense().unwrap();
        assert_eq!((dense.ticks, dense.batch, dense.channels), (ticks, batch, channels), "{name}");
    }
    let spikes = signal::read(path("snntorch_activity_noDelay_bias_zero.npy"), &options).unwrap();
    let spikes = spikes.into_dense().unwrap();
    assert_eq!((spikes.ticks, spikes.batch, spikes.channels), (256, 1, 38));
    assert_eq!(spikes.data.iter().sum::<f32>(), 119.0);
}
