//! A run as a folder, there and back, and folders that are not what they should be.

mod output;

use isoform_conformance::output::{FolderError, diff, read, write};
use isoform_conformance::record::*;
use isoform_core::profile::{Class, Limits};
use output::{dossier, outcome, partial, realistic, samples};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// The bits of a number that JSON keeps: one NaN stands for all.
fn bits(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() }
}

/// Equal to the bit, as far as the files promise.
fn assert_same(a: &Dossier, b: &Dossier) {
    assert_eq!((a.schema, a.asked, a.claim), (b.schema, b.asked, b.claim));
    assert_eq!(format!("{:?}", a.provenance), format!("{:?}", b.provenance));
    assert_eq!((a.outcomes.len(), a.evidence.len()), (b.outcomes.len(), b.evidence.len()));
    for (a, b) in a.outcomes.iter().zip(&b.outcomes) {
        assert_eq!((&a.law, &a.title, a.level, a.requirement), (&b.law, &b.title, b.level, b.requirement));
        assert_eq!((a.status, &a.reason, bits(a.seconds)), (b.status, &b.reason, bits(b.seconds)));
        let figures = |o: &Outcome| -> Vec<_> {
            o.figures.iter().map(|f| (f.name.clone(), bits(f.value), f.unit.clone(), f.limit.map(bits))).collect()
        };
        assert_eq!(figures(a), figures(b));
    }
    for (a, b) in a.evidence.iter().zip(&b.evidence) {
        assert_eq!((&a.law, &a.facts, &a.broke_off, bits(a.seconds)), (&b.law, &b.facts, &b.broke_off, bits(b.seconds)));
        // Of samples every bit is kept, payloads of NaN too.
        let samples = |e: &Evidence| -> Vec<_> {
            let raw = |s: &Samples| s.values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            e.samples.iter().map(|s| (s.name.clone(), s.unit.clone(), s.shape.clone(), raw(s))).collect()
        };
        assert_eq!(samples(a), samples(b));
    }
}

fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 5e-324, f64::MAX, 0.1]),
    ]
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), Just(String::from("NaN")), Just(String::from("Infinity"))]
}

fn any_fact() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any_number().prop_map(Value::from),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any_text(), inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_samples() -> impl Strategy<Value = Samples> {
    prop::collection::vec(0_usize..5, 0..4).prop_flat_map(|shape| {
        let count = shape.iter().product::<usize>();
        let values = prop::collection::vec(any_number(), count);
        (any_text(), any_text(), values).prop_map(move |(name, unit, values)| Samples {
            name,
            unit,
            shape: shape.clone(),
            values,
        })
    })
}

fn any_outcome() -> impl Strategy<Value = Outcome> {
    let figures = prop::collection::vec((any_text(), any_number(), any_text(), prop::option::of(any_number())), 0..4);
    let kind = (
        prop::sample::select(Level::ALL),
        prop::sample::select(vec![Requirement::Required, Requirement::Optional, Requirement::Impossible]),
        prop::sample::select(Status::ALL),
    );
    (any_text(), any_text(), kind, any_text(), figures, any_number()).prop_map(
        |(law, title, (level, requirement, status), reason, figures, seconds)| Outcome {
            law,
            title,
            level,
            requirement,
            status,
            reason,
            figures: figures.into_iter().map(|(name, value, unit, limit)| Figure { name, value, unit, limit }).collect(),
            seconds,
        },
    )
}

fn any_dossier() -> impl Strategy<Value = Dossier> {
    let evidence = (
        prop::collection::btree_map(any_text(), any_fact(), 0..4),
        prop::collection::vec(any_samples(), 0..3),
        prop::option::of(any_text()),
        any_number(),
    );
    let claim = prop::option::of((prop::sample::select(Class::ALL), prop::sample::select(Level::ALL), any::<u32>()));
    (
        prop::collection::vec(any_outcome(), 0..4),
        prop::collection::vec(evidence, 0..4),
        claim,
        (any_text(), any::<u64>(), any_number(), any_number(), any_number()),
    )
        .prop_map(|(outcomes, evidence, claim, (text, seed, low, high, accuracy))| {
            let mut out = dossier(&text, Level::L3, None, outcomes);
            out.claim = claim.map(|(class, level, suite)| Claim { class, level, suite });
            out.provenance.seed = seed;
            out.provenance.started = text.clone();
            out.provenance.notes.insert(text.clone(), text);
            out.provenance.profile.limits = Limits { input: [low, high], ..Limits::default() };
            out.provenance.profile.accuracy.largest = accuracy;
            out.provenance.profile.accuracy.sin.absolute = accuracy;
            out.evidence = evidence
                .into_iter()
                .enumerate()
                .map(|(n, (facts, samples, broke_off, seconds))| Evidence {
                    law: format!("L{n}.law-{n}"),
                    facts,
                    samples,
                    broke_off,
                    seconds,
                })
                .collect();
            out
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read_to_the_bit(before in any_dossier()) {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &before).unwrap();
        let after = read(dir.path()).unwrap();
        assert_same(&after, &before);
        prop_assert!(diff(&before, &after).is_empty());
    }

    /// Any byte of any file may be any other byte, and any file may end anywhere: an error, or a dossier, but no panic.
    #[test]
    fn corrupted_folders_are_read_or_refused(which in any::<usize>(), at in any::<usize>(), byte in any::<u8>(), cut in any::<bool>()) {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &small()).unwrap();
        let files = read_files(dir.path());
        let path = &files[which % files.len()];
        let mut bytes = fs::read(path).unwrap();
        let at = at % bytes.len();
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        fs::write(path, &bytes).unwrap();
        match read(dir.path()) {
            Ok(dossier) => prop_assert_eq!(dossier.evidence.len(), 1),
            Err(error) => {
                let named = error.to_string().contains(dir.path().to_str().unwrap());
                prop_assert!(named || matches!(error, FolderError::Id { .. }), "{error}");
            }
        }
    }
}

fn small() -> Dossier {
    let mut out = partial();
    let mut evidence = Evidence { law: String::from("L1.reset"), ..Evidence::default() };
    evidence.samples.push(samples("state", "V", &[2, 3], vec![0.1, f64::NAN, f64::INFINITY, -0.0, 5e-324, 1e300]));
    evidence.samples.push(samples("scalar", "1", &[], vec![1.0]));
    evidence.facts.insert(String::from("ticks"), json!(17));
    out.evidence.push(evidence);
    out
}

/// The files of the small run that are read back.
fn read_files(dir: &Path) -> Vec<PathBuf> {
    ["dossier.json", "evidence/L1.reset.json", "evidence/L1.reset/0.npy", "evidence/L1.reset/1.npy"].map(|f| dir.join(f)).into()
}

#[test]
fn a_whole_run_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let before = realistic();
    write(&dir.path().join("new/folder"), &before).unwrap();
    let after = read(&dir.path().join("new/folder")).unwrap();
    assert_eq!(after, before);
    for file in ["report.html", "junit.xml", "badge.svg", "table.txt"] {
        assert!(fs::metadata(dir.path().join("new/folder").join(file)).unwrap().len() > 100, "{file}");
    }
    // A second run into the same folder replaces the first.
    write(&dir.path().join("new/folder"), &small()).unwrap();
    assert_same(&read(&dir.path().join("new/folder")).unwrap(), &small());
}

/// What the reader says of the small run after something was done to it.
fn said(change: impl FnOnce(&Path)) -> String {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &small()).unwrap();
    change(dir.path());
    let said = read(dir.path()).unwrap_err().to_string();
    said.replace(&format!("{}/", dir.path().display()), "")
}

fn replaced(file: &'static str, from: &'static str, to: &'static str) -> impl FnOnce(&Path) {
    move |dir| {
        let text = fs::read_to_string(dir.join(file)).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(dir.join(file), text.replacen(from, to, 1)).unwrap();
    }
}

#[test]
fn broken_folders_are_refused_by_name() {
    let sheet = "evidence/L1.reset.json";
    let cases = [
        (
            said(|d| fs::remove_file(d.join("dossier.json")).unwrap()),
            "dossier.json: there is no such file; is this the folder of a finished run?",
        ),
        (
            said(|d| fs::remove_file(d.join("evidence/L1.reset/1.npy")).unwrap()),
            "evidence/L1.reset/1.npy: there is no such file; is this the folder of a finished run?",
        ),
        (
            said(|d| fs::write(d.join("dossier.json"), "").unwrap()),
            "dossier.json: it is cut short; the run did not come to its end, or the copy is not whole",
        ),
        (
            said(|d| fs::write(d.join("dossier.json"), "[".repeat(100_000)).unwrap()),
            "dossier.json: recursion limit exceeded at line 1 column 128",
        ),
        (
            said(replaced("dossier.json", "\"schema\": 1", "\"schema\": 9")),
            "dossier.json: it is of schema 9 and this version reads schema 1; use the version of isoform that wrote it",
        ),
        (
            said(replaced("dossier.json", "\"fail\"", "\"passed\"")),
            "dossier.json: unknown variant `passed`, expected one of `pass`, `fail`, `inconclusive`, `not-claimed`, `waived`, `error`",
        ),
        (
            said(replaced("dossier.json", "\"seconds\": 0.0125", "\"seconds\": \"soon\"")),
            "dossier.json: invalid type: string \"soon\", expected f64",
        ),
        (
            said(replaced("dossier.json", "    \"L1.reset\"\n", "    \"../../secret\"\n")),
            "\"../../secret\" cannot name a file; ids are up to 100 letters, digits, dots, dashes and underscores, and begin with a letter",
        ),
        (
            said(replaced("dossier.json", "    \"L1.reset\"\n", "    \"L1.reset\", \"l1.RESET\"\n")),
            "dossier.json: there are two pieces of evidence for \"l1.RESET\"",
        ),
        (
            said(replaced(sheet, "L1.reset", "L1.split")),
            "evidence/L1.reset.json: it is about \"L1.split\" instead of \"L1.reset\"",
        ),
        (
            said(replaced(sheet, "2,\n        3", "3,\n        2")),
            "evidence/L1.reset/0.npy: its header is \"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }\" instead of \"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }\"",
        ),
        (
            said(replaced(sheet, "2,\n        3", "18446744073709551615,\n        3")),
            "evidence/L1.reset/0.npy: the shape [18446744073709551615, 3] is too large to count",
        ),
        (
            said(replaced(sheet, "2,\n        3", "-2,\n        3")),
            "evidence/L1.reset.json: invalid value: integer `-2`, expected usize",
        ),
        (
            said(|d| fs::write(d.join("evidence/L1.reset/0.npy"), "text").unwrap()),
            "evidence/L1.reset/0.npy: it does not begin as an npy file of version 1.0 does",
        ),
        (
            said(|d| {
                let path = d.join("evidence/L1.reset/0.npy");
                let bytes = fs::read(&path).unwrap();
                fs::write(path, &bytes[..bytes.len() - 1]).unwrap();
            }),
            "evidence/L1.reset/0.npy: it holds 47 bytes of data instead of the 8 × 6 of its shape [2, 3]",
        ),
        (
            said(|d| {
                fs::remove_file(d.join("evidence/L1.reset/0.npy")).unwrap();
                fs::create_dir(d.join("evidence/L1.reset/0.npy")).unwrap();
            }),
            "evidence/L1.reset/0.npy: it is not a plain file",
        ),
    ];
    for (said, expected) in cases {
        assert_eq!(said, expected);
    }
}

/// A hole in a file costs nothing on the disk and may still claim any length.
#[test]
fn a_huge_file_is_not_loaded() {
    for (file, limit) in [("dossier.json", 67_108_864_u64), ("evidence/L1.reset/0.npy", 1_073_741_824)] {
        let text = said(|d| fs::File::options().write(true).open(d.join(file)).unwrap().set_len(1 << 40).unwrap());
        assert_eq!(text, format!("{file}: 1099511627776 bytes are more than the {limit} that are left for it"));
    }
}

#[cfg(unix)]
#[test]
fn a_device_in_place_of_a_file_is_not_read() {
    let text = said(|d| {
        fs::remove_file(d.join("dossier.json")).unwrap();
        std::os::unix::fs::symlink("/dev/zero", d.join("dossier.json")).unwrap();
    });
    assert_eq!(text, "dossier.json: it is not a plain file");
}

#[test]
fn what_could_not_be_read_is_not_written() {
    let refused = |change: fn(&mut Dossier)| {
        let dir = tempfile::tempdir().unwrap();
        let mut dossier = small();
        change(&mut dossier);
        let error = write(dir.path(), &dossier).unwrap_err();
        assert!(matches!(read(dir.path()), Err(FolderError::Missing { .. })), "an unfinished folder is no run");
        error.to_string().replace(&format!("{}/", dir.path().display()), "")
    };
    assert!(refused(|d| d.evidence[0].law = String::from("../x")).starts_with("\"../x\" cannot name a file"));
    assert!(refused(|d| d.evidence[0].law = "L".repeat(101)).contains("cannot name a file"));
    assert_eq!(
        refused(|d| d.evidence[0].samples[0].shape = vec![7]),
        "evidence/L1.reset/0.npy: the samples \"state\" have shape [7] and 6 values"
    );
    assert_eq!(
        refused(|d| d.evidence.extend(d.evidence.clone())),
        "dossier.json: there are two pieces of evidence for \"L1.reset\""
    );
    let deep = refused(|d| {
        let fact = (0..200).fold(Value::Null, |inner, _| json!([inner]));
        d.evidence[0].facts.insert(String::from("deep"), fact);
    });
    assert_eq!(deep, "evidence/L1.reset.json: nested deeper than 100 levels");
}

#[test]
fn the_law_alone_is_no_dossier() {
    let dir = tempfile::tempdir().unwrap();
    let lone = dossier("cpu:", Level::L0, None, vec![outcome("L0.honesty", "", Requirement::Required, Status::Pass, "", vec![])]);
    write(dir.path(), &lone).unwrap();
    assert_eq!(read(dir.path()).unwrap(), lone);
}
