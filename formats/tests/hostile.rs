//! Damaged and hostile files give a typed error: no panic, no unbounded memory.
//!
//! The library may turn a panic of the HDF5 library into an error; here that counts as a failure.

use std::alloc::System;
use std::path::PathBuf;

use cap::Cap;
use hdf5_pure::{Datatype, FileBuilder, GroupBuilder};
use isoform_formats::nir::{self, Compat, Graph, Map, NirErrorKind, Node, Scale, Tensor, Value};
use isoform_formats::signal::{self, Options};

#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, usize::MAX);

/// What all tests here together may take, though files declare terabytes.
///
/// Compressed data may grow 1040-fold by the rules of deflate, so 100 kB may honestly become 100 MB.
const MEMORY_BOUND: usize = 200 << 20;

/// Files that ship with the crate.
fn shipped() -> Vec<(PathBuf, Vec<u8>)> {
    let folder = |name| format!("{}/tests/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> = ["data", "hostile"]
        .into_iter()
        .flat_map(|name| std::fs::read_dir(folder(name)).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 20, "{files:?}");
    files.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// Small integers from a counter (Steele, Lea, Flood 2014: splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    /// A damaged copy: cut, flipped bytes, spliced pieces, or a field of extreme bytes.
    fn damage(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            match self.below(6) {
                0 => bytes.truncate(at),
                1 => {
                    let (from, len) = (self.below(bytes.len()), self.below(64));
                    let piece: Vec<u8> = bytes.iter().skip(from).take(len).copied().collect();
                    bytes.splice(at..at, piece);
                }
                2 => {
                    let len = [2, 4, 8][self.below(3)];
                    let byte = [0x00, 0xff, 0x7f, 0x01][self.below(4)];
                    bytes.iter_mut().skip(at).take(len).for_each(|b| *b = byte);
                }
                3 => {
                    let (from, len) = (self.below(bytes.len()), 1 + self.below(64));
                    let piece: Vec<u8> = bytes.iter().skip(from).take(len).copied().collect();
                    bytes.iter_mut().skip(at).zip(piece).for_each(|(b, p)| *b = p);
                }
                _ => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte ^= 1 << self.below(8);
                    }
                }
            }
        }
        bytes
    }
}

fn check(result: Result<Graph, nir::NirError>) -> bool {
    match result {
        Ok(graph) => {
            nir::validate(&graph).expect("the reader checks what it returns");
            true
        }
        Err(error) => {
            assert!(!matches!(error.kind(), NirErrorKind::Panicked(_)), "{error}");
            assert!(!error.to_string().contains('\n'), "{error}");
            false
        }
    }
}

#[test]
fn damaged_files_are_refused_or_read() {
    let rounds = 100;
    let mut random = Random(20_240_917);
    let (mut accepted, mut refused) = (0, 0);
    let before = MEMORY.allocated();
    for (path, bytes) in shipped() {
        for _ in 0..rounds {
            let damaged = random.damage(&bytes);
            match check(nir::from_bytes(&damaged)) {
                true => accepted += 1,
                false => refused += 1,
            }
            match nir::data_from_bytes(&damaged) {
                Ok(_) => accepted += 1,
                Err(error) => assert!(!matches!(error.kind(), NirErrorKind::Panicked(_)), "{path:?}: {error}"),
            }
            let _ = signal::from_bytes("nir", &damaged, &Options::default().with_dt(1e-3));
        }
    }
    let most = MEMORY.max_allocated() - before;
    eprintln!("{accepted} read, {refused} refused, at most {} MiB", most >> 20);
    assert!(accepted > 100 && refused > 100, "{accepted} read, {refused} refused");
    assert!(most < MEMORY_BOUND, "{} MiB", most >> 20);
}

#[test]
fn every_truncation_is_refused_or_read() {
    for (_, bytes) in shipped() {
        let step = (bytes.len() / 400).max(1);
        for len in (0..bytes.len()).step_by(step).chain(0..256) {
            let cut = bytes.get(..len).unwrap();
            check(nir::from_bytes(cut));
            assert!(nir::from_bytes(cut.get(..len / 2).unwrap()).is_err());
        }
    }
}

#[test]
fn damaged_signals_are_refused_or_read() {
    let mut random = Random(7);
    let npy = {
        let mut bytes = b"\x93NUMPY\x01\x00\x46\x00".to_vec();
        bytes.extend_from_slice(b"{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2, 2), }         \n");
        bytes.extend_from_slice(&[0x3f; 48]);
        bytes
    };
    assert!(signal::from_bytes("npy", &npy, &Options::default()).is_ok());
    let csv = b"a,b,\"c\"\n1,2.5,-3e2\n# note\nnan,inf,0\n".to_vec();
    assert!(signal::from_bytes("csv", &csv, &Options::default()).is_ok());
    for (extension, bytes) in [("npy", npy), ("csv", csv)] {
        for _ in 0..20_000 {
            let damaged = random.damage(&bytes);
            if let Ok(signal) = signal::from_bytes(extension, &damaged, &Options::default()) {
                let dense = signal.into_dense().unwrap();
                assert_eq!(dense.data.len(), dense.ticks * dense.batch * dense.channels);
            }
        }
    }
}

/// A file with the given entries in its root graph.
fn file(fill: impl FnOnce(&mut GroupBuilder)) -> Vec<u8> {
    let mut file = FileBuilder::new();
    let mut node = file.create_group("node");
    fill(&mut node);
    file.add_group(node.finish());
    file.finish().unwrap()
}

fn text(group: &mut GroupBuilder, name: &str, text: &str) {
    group.create_dataset(name).with_vlen_strings(&[text]).with_shape(&[]);
}

/// A root graph with one node, whose entries are given.
fn one_node(name: &str, fill: impl FnOnce(&mut GroupBuilder)) -> Vec<u8> {
    file(|root| {
        text(root, "type", "NIRGraph");
        root.create_dataset("edges").with_f64_data(&[]).with_shape(&[0]);
        let mut nodes = root.create_group("nodes");
        let mut node = nodes.create_group(name);
        fill(&mut node);
        nodes.add_group(node.finish());
        root.add_group(nodes.finish());
    })
}

fn message(bytes: &[u8]) -> String {
    nir::from_bytes(bytes).expect_err("the file is refused").to_string()
}

#[test]
fn errors_name_the_node_and_what_is_wrong() {
    assert_eq!(
        message(&one_node("a", |n| text(n, "type", "Wobble"))).split(';').next().unwrap(),
        "node \"a\": unknown node type \"Wobble\""
    );
    assert_eq!(
        message(&one_node("a", |n| {
            text(n, "type", "LI");
            n.create_dataset("tau").with_f32_data(&[1.0]);
            n.create_dataset("r").with_f32_data(&[1.0]);
        })),
        "node \"a\": \"v_leak\" is missing; a node of type LI has tau, r, v_leak"
    );
    assert_eq!(
        message(&one_node("a", |n| {
            text(n, "type", "Scale");
            text(n, "scale", "big");
        })),
        "node \"a\": \"scale\" is the text \"big\", expected an array of numbers"
    );
    assert_eq!(
        message(&one_node("a", |n| {
            text(n, "type", "Input");
            n.create_dataset("shape").with_f32_data(&[1.0]);
        })),
        "node \"a\": \"shape\" is float32 [1], expected an array of integers"
    );
    assert_eq!(
        message(&one_node("a", |n| {
            text(n, "type", "Input");
            n.create_dataset("shape").with_i64_data(&[1 << 40, 1 << 40]);
        })),
        "node \"a\": \"shape\" is [1099511627776, 1099511627776], expected no negative number and at most 268435456 elements"
    );
    assert_eq!(
        message(&one_node("a", |n| {
            text(n, "type", "LI");
            n.create_dataset("tau").with_f32_data(&[1.0; 2]);
            n.create_dataset("r").with_f32_data(&[1.0; 3]);
            n.create_dataset("v_leak").with_f32_data(&[1.0; 2]);
        })),
        "node \"a\": \"r\" does not fit the other parameters: tau [2], r [3], v_leak [2]"
    );
    assert_eq!(message(&one_node("a", |_| {})), "node \"a\": \"type\" is missing; every node names its type");
    assert_eq!(
        message(&file(|root| text(root, "type", "NIRGraph"))),
        "root graph: \"nodes\" is missing; a graph has nodes and edges"
    );
    assert_eq!(
        message(&file(|root| {
            text(root, "type", "Scale");
            root.create_dataset("scale").with_f32_data(&[1.0]);
        })),
        "root graph: \"/node\" is a single node of type Scale, expected a node of type NIRGraph"
    );
    assert!(message(b"not hdf5").starts_with("not a readable HDF5 file"));
    assert!(message(b"").starts_with("not a readable HDF5 file"));
}

/// The HDF5 library follows nested datatypes by recursion; a small file must not exhaust the stack.
#[test]
fn nested_datatypes_do_not_exhaust_the_stack() {
    let build = || {
        let mut datatype = hdf5_pure::make_f32_type();
        for _ in 0..8000 {
            datatype = Datatype::VariableLength { is_string: false, padding: None, charset: None, base_type: Box::new(datatype) };
        }
        one_node("a", |n| {
            text(n, "type", "Scale");
            n.create_dataset("scale").with_raw_data(datatype, vec![0; 16], 1);
        })
    };
    // Building the file takes stack as well.
    let builder = std::thread::Builder::new().stack_size(1 << 30);
    let bytes = builder.spawn(build).unwrap().join().unwrap();
    assert!(bytes.len() < 100_000);
    assert!(message(&bytes).starts_with("node \"a\": \"scale\" has the datatype list of variable length"));
}

/// Deflate may shrink noughts a thousandfold, and a byte becomes a number of eight.
#[test]
fn what_a_weight_becomes_is_bounded_by_the_file() {
    let weight = |bytes: bool| {
        one_node("a", |n| {
            text(n, "type", "Linear");
            let weight = n.create_dataset("weight");
            let weight = if bytes { weight.with_i8_data(&vec![0; 4 << 20]) } else { weight.with_f32_data(&vec![0.0; 4 << 20]) };
            weight.with_shape(&[2048, 2048]).with_chunks(&[512, 512]).with_deflate(9);
        })
    };
    let refusal = message(&weight(true));
    assert!(refusal.contains("dataset \"weight\" in double precision declares 33554432 bytes, more than the "), "{refusal}");
    assert!(nir::from_bytes(&weight(false)).is_ok(), "single precision stays as it is");
}

#[test]
fn edges_must_lead_somewhere() {
    let scale = || Scale::new(Tensor::from(1.0f32));
    let graph = Graph::new().with_node("a", scale()).with_edge("a", "b");
    assert_eq!(
        nir::to_bytes(&graph, Compat::Latest).unwrap_err().to_string(),
        "root graph: edge \"a\" -> \"b\" refers to \"b\", which is not a node of this graph; its nodes are a"
    );
    let twice = Graph::new().with_node("a", scale()).with_edge("a", "a").with_edge("a", "a");
    let outer = Graph::new().with_node("inner", twice);
    assert_eq!(nir::validate(&outer).unwrap_err().to_string(), "node \"inner\": edge \"a\" -> \"a\" is listed twice; remove one");
}

#[test]
fn unknown_entries_are_kept_and_not_written() {
    let bytes = one_node("a", |n| {
        text(n, "type", "Scale");
        n.create_dataset("scale").with_f32_data(&[1.0]);
        n.create_dataset("color").with_i32_data(&[3]);
    });
    let graph = nir::from_bytes(&bytes).unwrap();
    let extra = &graph.nodes["a"].annotations().extra;
    assert_eq!(extra["color"], Value::from(Tensor::vector(vec![3i32])));
    assert_eq!(
        nir::to_bytes(&graph, Compat::Latest).unwrap_err().to_string(),
        "node \"a\": the unknown entry \"color\" cannot be written for nir 1.0.8; move it to the metadata or remove it"
    );
}

#[test]
fn names_that_hdf5_cannot_hold_are_refused() {
    for name in ["", ".", "a/b", "a\0b"] {
        let graph = Graph::new().with_node(name, Scale::new(Tensor::from(1.0f32)));
        let error = nir::to_bytes(&graph, Compat::Latest).unwrap_err();
        assert!(matches!(error.kind(), NirErrorKind::Name(found) if found == name), "{error}");
    }
    let mut graph = Graph::new();
    graph.annotations.metadata.insert("a".to_owned(), "b\0c".into());
    assert!(nir::to_bytes(&graph, Compat::Latest).is_err());
}

#[test]
fn deep_nesting_is_refused() {
    let mut graph = Graph::new();
    for _ in 0..200 {
        graph = Graph::new().with_node("g", graph);
    }
    let error = nir::to_bytes(&graph, Compat::Latest).unwrap_err();
    assert!(matches!(error.kind(), NirErrorKind::TooDeep { .. }), "{error}");

    fn nest(group: &mut GroupBuilder, depth: usize) {
        text(group, "type", "NIRGraph");
        group.create_dataset("edges").with_f64_data(&[]).with_shape(&[0]);
        let mut nodes = group.create_group("nodes");
        if depth > 0 {
            let mut inner = nodes.create_group("g");
            nest(&mut inner, depth - 1);
            nodes.add_group(inner.finish());
        }
        group.add_group(nodes.finish());
    }
    assert!(message(&file(|root| nest(root, 100))).contains("nested deeper than 32 levels"));
    assert!(nir::from_bytes(&file(|root| nest(root, 20))).is_ok());

    let mut metadata = Map::new();
    for _ in 0..100 {
        metadata = Map::from_iter([("m".to_owned(), metadata.into())]);
    }
    let mut graph = Graph::new();
    graph.annotations.metadata = metadata;
    let error = nir::to_bytes(&graph, Compat::Latest).unwrap_err();
    assert!(matches!(error.kind(), NirErrorKind::TooDeep { .. }), "{error}");
}

/// Files of h5py that aim at the reader; `make_hostile.py` says how.
#[test]
fn hostile_files_are_refused() {
    let cases = [
        ("huge_contiguous", "node \"a\": dataset \"scale\" declares 8796093022208 bytes"),
        ("huge_chunked", "node \"a\": dataset \"scale\" declares 8796093022208 bytes"),
        ("huge_chunk", "node \"a\": chunk of dataset \"scale\" declares 2147483648 bytes"),
        ("bomb_linked_often", "node \"a\": dataset \"m"),
        ("graph_in_itself", "nested deeper than 32 levels; does a group link back to itself?"),
        ("metadata_in_itself", "root graph: nested deeper than 32 levels"),
        ("doubling", "entries, more than the"),
        ("external_link", "node \"a\": \"scale\" is missing; a node of type Scale has scale"),
        ("soft_link", "node \"a\": \"scale\" is a soft link, which is not followed; store a copy"),
        ("compound", "node \"a\": \"scale\" has the datatype compound of re, im, which is not read"),
        ("long_double", "node \"a\": \"scale\" has the datatype float of 16 bytes"),
        ("lists", "node \"a\": \"scale\" has the datatype list of variable length"),
        ("empty", "node \"a\": \"scale\" is 0 numbers for the shape []"),
        ("not_text", "node \"a\": \"type\" is not valid utf-8 text"),
        ("three_ends", "root graph: \"edges\" is an array of texts [1, 3]"),
        ("number_edges", "root graph: \"edges\" is int64 [1, 2]"),
    ];
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hostile");
    for (name, expected) in cases {
        let error = nir::read(format!("{folder}/{name}.nir")).expect_err(name).to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
    let graph = nir::read(format!("{folder}/attributes.nir")).unwrap();
    let not_kept =
        ["dataset \"/comment\" is not part of the format", "node \"a\": the HDF5 attribute \"color\" is not part of the format"];
    assert_eq!(graph.not_kept, not_kept);
    assert!(nir::read(format!("{folder}/text_linked_often.nir")).is_ok());
    let files = std::fs::read_dir(folder).unwrap().count();
    assert_eq!(files, cases.len() + 2, "every file has its line");
}

#[test]
fn the_reader_names_the_file() {
    let error = nir::read("no/such/file.nir").unwrap_err();
    assert!(error.to_string().starts_with("nir file \"no/such/file.nir\": "), "{error}");
    assert!(matches!(error.kind(), NirErrorKind::Io(_)));
    let folder = tempfile::tempdir().unwrap();
    assert!(nir::read(folder.path()).unwrap_err().to_string().contains("not an ordinary file"));
    let path = folder.path().join("x.wav");
    let error = signal::read(&path, &Options::default()).unwrap_err();
    assert!(error.to_string().ends_with("unknown extension \"wav\"; known are .npy, .csv and .nir"), "{error}");
    assert!(matches!(Node::from(Graph::new()).type_name(), "NIRGraph"));
}
