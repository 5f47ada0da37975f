//! Any bytes as a NIR file: no panic, and what is read can be written and read again.
#![no_main]

use isoform_formats::nir::{self, Compat, NirErrorKind};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match nir::from_bytes(bytes) {
        Ok(graph) => {
            // The writer refuses names and entries that have no place in a file.
            if let Ok(written) = nir::to_bytes(&graph, Compat::Latest) {
                let back = nir::from_bytes(&written).expect("what is written can be read");
                assert_eq!(back.edges, graph.edges);
                assert_eq!(back.nodes.len(), graph.nodes.len());
            }
        }
        Err(error) => assert!(!matches!(error.kind(), NirErrorKind::Panicked(_)), "{error}"),
    }
});
