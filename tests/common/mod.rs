//! What the tests of the command line share.
#![allow(dead_code, reason = "each test takes what it needs")]

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin_cmd;
use isoform::formats::nir::{self, Compat, Graph, Input, Lif, Linear, Output, Tensor};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder with a model of one neuron, `lif.nir`, and an input for it, `x.csv`.
pub(crate) struct Folder(TempDir);

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        nir::write(folder.path("lif.nir"), &one_neuron(0.1), Compat::Latest).expect("written");
        let rows: String = (0..100).map(|t| if t % 3 == 0 { "0\n" } else { "1\n" }).collect();
        folder.put("x.csv", rows);
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), bytes).expect("written");
    }

    pub(crate) fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("read")
    }

    pub(crate) fn json(&self, name: &str) -> serde_json::Value {
        serde_json::from_str(&self.text(name)).expect("JSON")
    }

    /// Runs the command line in the folder.
    pub(crate) fn isoform(&self, arguments: &[&str]) -> Ended {
        let mut command: Command = cargo_bin_cmd!("isoform");
        let output = command.current_dir(self.0.path()).env_remove("CLICOLOR_FORCE").args(arguments).output().expect("starts");
        Ended {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// Runs the command line in the folder, where it must succeed.
    pub(crate) fn succeeds(&self, arguments: &[&str]) -> String {
        let ended = self.isoform(arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {}{}", ended.out, ended.err);
        ended.out
    }
}

/// One leaky neuron behind one weight.
pub(crate) fn one_neuron(threshold: f32) -> Graph {
    let one = |v: f32| Tensor::vector(vec![v]);
    Graph::new()
        .with_node("input", Input::new([1]))
        .with_node("weight", Linear::new(Tensor::new([1, 1], vec![1.0_f32]).expect("fits")))
        .with_node("lif", Lif::new(one(2.5e-3), one(1.0), one(0.0), one(threshold), None))
        .with_node("output", Output::new([1]))
        .with_chain(&["input", "weight", "lif", "output"])
}

/// The recorded data, or nothing, said loudly.
pub(crate) fn data(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("ISOFORM_DATA").map(|folder| Path::new(&folder).join("nir"));
    if folder.is_none() {
        eprintln!("NOT RUN: {test}: ISOFORM_DATA does not name the folder of recorded data");
    }
    folder
}

/// The numbers of a file of comma-separated values.
pub(crate) fn numbers(text: &str) -> Vec<Vec<f64>> {
    text.lines().map(|line| line.split(',').map(|cell| cell.trim().parse().expect("a number")).collect()).collect()
}
