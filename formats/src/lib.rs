//! File formats of isoform: NIR graphs, signals and state.
#![forbid(unsafe_code)]
