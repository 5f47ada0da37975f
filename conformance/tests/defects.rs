//! Every planted defect is caught by the law that it is planted for, and the layer without a defect passes every law.
//!
//! `isoform conform --self-test` also tells which other laws see them.

use isoform_conformance::defects::{Tried, self_test};
use isoform_conformance::laws;
use isoform_conformance::record::Level;
use isoform_core::oracle::OracleSubstrate;
use std::sync::Arc;

#[test]
fn every_defect_is_caught_by_its_law() {
    let rows = self_test(&|| Arc::new(OracleSubstrate::new()), Tried::Alone, &|_| {});
    for row in &rows {
        eprintln!("{:55} {:22} {:6} {:?}\n        {}", row.defect, row.law.unwrap_or("-"), row.caught, row.caught_by, row.reason);
    }
    let missed: Vec<_> = rows.iter().filter(|r| !r.caught).map(|r| r.defect).collect();
    assert!(missed.is_empty(), "not caught: {missed:?}");
    // laws of cost are held to tests of their judges
    let idle: Vec<_> = laws()
        .iter()
        .filter(|law| law.level < Level::L4 && !rows.iter().any(|row| row.caught_by.contains(&law.id)))
        .map(|law| law.id)
        .collect();
    assert!(idle.is_empty(), "laws that catch nothing: {idle:?}");
}
