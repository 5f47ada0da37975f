//! The oracle is a healthy substrate: every law holds on it.

use isoform_core::oracle::OracleSubstrate;

isoform_conformance::laws!(OracleSubstrate::new());
