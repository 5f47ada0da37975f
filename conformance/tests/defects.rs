//! Every planted defect is caught by the law that it is planted for, and the layer without a defect passes every law.

use isoform_conformance::defects::self_test;

#[test]
fn every_defect_is_caught_by_its_law() {
    let rows = self_test();
    for row in &rows {
        eprintln!("{:55} {:22} {:6} {:?}\n        {}", row.defect, row.law.unwrap_or("-"), row.caught, row.caught_by, row.reason);
    }
    let missed: Vec<_> = rows.iter().filter(|r| !r.caught).map(|r| r.defect).collect();
    assert!(missed.is_empty(), "not caught: {missed:?}");
}
