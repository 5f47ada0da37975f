//! The suite from the command line.

mod common;

use common::Folder;

#[test]
fn a_run_is_kept_judged_again_and_compared() {
    let folder = Folder::new();
    let arguments = ["conform", "oracle:", "--level", "L0", "--quiet", "--out"];
    let table = folder.succeeds(&[&arguments[..], &["a", "--json", "a.json", "--junit", "a.xml"]].concat());
    assert!(table.contains("exact-digital/L0/1") && table.contains("L0.honesty"), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    for file in ["a/report.html", "a/dossier.json", "a/badge.svg", "a.json", "a.xml"] {
        assert!(folder.path(file).exists(), "{file}");
    }
    assert_eq!(folder.json("a.json")["claim"]["level"], "L0");
    let judged = folder.succeeds(&["judge", "a"]);
    assert!(judged.contains("exact-digital/L0/1"), "{judged}");

    folder.succeeds(&[&arguments[..], &["b"]].concat());
    let same = folder.isoform(&["diff", "a", "b"]);
    assert!(same.out.contains("claim: the same") && same.out.contains("verdicts: the same"), "{}", same.out);

    let other = folder.isoform(&["conform", "oracle:", "--law", "L0.honesty", "--quiet", "--out", "c"]);
    assert_eq!(other.code, 0, "{}{}", other.out, other.err);
    let differs = folder.isoform(&["diff", "a", "c", "--json"]);
    assert_eq!(differs.code, 1);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&differs.out).expect("JSON")["equal"], false);
}

#[test]
fn nothing_that_is_kept_is_lost_without_a_word() {
    let folder = Folder::new();
    let conform = |more: &[&str]| folder.isoform(&[&["conform", "oracle:", "--quiet"][..], more].concat());
    assert_eq!(conform(&["--level", "L1", "--out", "a"]).code, 0);
    let again = conform(&["--level", "L0", "--out", "a"]);
    assert!(again.code == 2 && again.err.contains("\"a\" holds a run already"), "{}", again.err);
    assert_eq!(conform(&["--level", "L0", "--out", "a", "--overwrite"]).code, 0);
    assert!(folder.path("a/evidence/L0.honesty.json").exists() && !folder.path("a/evidence/L1.split.json").exists());
    std::fs::create_dir(folder.path("b")).expect("is made");
    assert_eq!(conform(&["--level", "L0", "--out", "b"]).code, 0);
    std::fs::create_dir(folder.path("c")).expect("is made");
    std::fs::write(folder.path("c/notes"), "mine").expect("writes");
    let taken = conform(&["--level", "L0", "--out", "c", "--overwrite"]);
    assert!(taken.code == 2 && taken.err.contains("holds something else"), "{}", taken.err);
    let twice = conform(&["--level", "L0", "--json", "x", "--junit", "x"]);
    assert!(twice.code == 2 && twice.err.contains("the same place"), "{}", twice.err);
    assert!(conform(&["--level", "L0", "--junit", "-"]).out.starts_with("<?xml"));
}

#[test]
fn what_is_not_owed_is_no_verdict() {
    let folder = Folder::new();
    let conform = |more: &[&str]| folder.isoform(&[&["conform", "oracle:", "--quiet"][..], more].concat());
    let impossible = conform(&["--law", "L3.wear"]);
    assert!(impossible.code == 2 && impossible.err.contains("does not owe L3.wear"), "{}", impossible.err);
    let beyond = conform(&["--level", "L5"]);
    assert!(beyond.code == 2 && beyond.err.contains("ask for L4 at the most"), "{}", beyond.err);
    // an ability that is not claimed is neither proven nor refuted
    let optional = folder.isoform(&["conform", "quantise:?on=(cpu:)&step=1e-6&range=100", "--quiet", "--law", "L3.calibration"]);
    assert!(matches!(optional.code, 2 | 3), "{}{}", optional.out, optional.err);
}

#[test]
fn two_runs_a_week_apart_name_the_drift() {
    let folder = Folder::new();
    // after a week without compensation it computes something else
    for (locator, out, code) in [("twin:crossbar?age=0", "young", 0), ("twin:crossbar?age=604800&promise=fresh", "old", 1)] {
        let told =
            folder.isoform(&["conform", locator, "--law", "L2.transfer", "--law", "L2.isolation", "--quiet", "--out", out]);
        assert_eq!(told.code, code, "{}{}", told.out, told.err);
    }
    let told = folder.isoform(&["diff", "young", "old"]);
    assert_eq!(told.code, 1, "{}{}", told.out, told.err);
    let (_, drift) = told.out.split_once("drift: ").expect("names the drift");
    let (drift, _) = drift.split_once("figures:").expect("and then the figures");
    insta::assert_snapshot!("the_drift_of_a_week", drift);
    let json = folder.isoform(&["diff", "young", "old", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!((json["drift"]["passed"].as_f64(), json["drift"]["compared"].as_u64()), (Some(604_800.0), Some(3)));
}

#[test]
fn work_under_a_calibration_that_is_over_is_refused() {
    let folder = Folder::new();
    let crossbar = "twin:crossbar?compensate=global&age=604800";
    let old = format!("place:?linear=({crossbar}&margin=100&noise=100&drift=100)&*=(oracle:)");
    let run = |on: &str| {
        folder.isoform(&["run", "lif.nir", "--dt", "1e-4", "--input", "x.csv", "--output", "y.csv", "--on", on, "--quiet"])
    };
    let refused = run(&old);
    assert_eq!(refused.code, 2, "{}{}", refused.out, refused.err);
    assert!(
        refused.err.contains("is 604800.000 s old and held for") && refused.err.contains("calibrate again"),
        "{}",
        refused.err
    );
    // the layer makes another one, and so does the suite
    let renewed = run(&old.replace("twin:crossbar", "renew:?on=(twin:crossbar").replace("drift=100)", "drift=100))"));
    assert_eq!(renewed.code, 0, "{}{}", renewed.out, renewed.err);
    let calibration = &folder.json("y.csv.manifest.json")["calibration"];
    assert!(calibration["id"].as_str().is_some_and(|id| id.len() == 64) && calibration["age"].is_f64(), "{calibration}");
    for locator in ["twin:mesh?age=40000", crossbar] {
        let table = folder.succeeds(&["conform", locator, "--law", "L1.noise", "--quiet"]);
        assert!(table.matches("calibration: ").count() > 1, "{table}");
    }
    let short = folder.isoform(&["conform", "twin:mesh?reach=0.3", "--law", "L1.noise", "--quiet"]);
    assert!(
        short.code == 3 && short.out.split_whitespace().collect::<Vec<_>>().join(" ").contains("raise reach"),
        "{}",
        short.out
    );
}

#[test]
fn a_substrate_that_breaks_a_law_exits_with_one() {
    let folder = Folder::new();
    // what goes beyond the range is clipped, and off by more than half a step
    let narrow = "quantise:?on=(oracle:)&step=0.01&range=0.2";
    let broken = folder.isoform(&["conform", narrow, "--law", "L2.equivalence", "--quiet"]);
    assert_eq!(broken.code, 1, "{}{}", broken.out, broken.err);
    let json = folder.isoform(&["conform", "oracle:", "--law", "L0.honesty", "--json", "-"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).expect("JSON alone on standard output");
    assert_eq!(json["outcomes"][0]["status"], "pass");
}

#[test]
fn states_migrate_to_a_peer_and_back() {
    let folder = Folder::new();
    let peer = ["--peer", "place:?linear=(oracle:)&*=(oracle:)", "--quiet"];
    let there = folder.succeeds(&[&["conform", "oracle:", "--law", "L1.migration", "--out", "a"], &peer[..]].concat());
    assert!(there.contains("L1.migration"), "{there}");
    assert!(folder.succeeds(&["judge", "a"]).contains("L1.migration"));
    // what is rounded to whole numbers is not what the definition gives
    let rough = ["conform", "oracle:", "--law", "L1.migration", "--peer", "quantise:?on=(oracle:)&step=1", "--quiet"];
    let rough = folder.isoform(&rough);
    assert_ne!(rough.code, 0, "{}{}", rough.out, rough.err);
    let alone = folder.isoform(&["conform", "oracle:", "--law", "L1.migration", "--quiet"]);
    assert_eq!(alone.code, 2, "{}{}", alone.out, alone.err);
    assert!(alone.err.contains("peer"), "{}", alone.err);
}

#[test]
fn no_law_writes_more_programs_than_is_foretold() {
    use isoform::conformance::{Options, laws, run};
    let open = || isoform::registry().open_str("twin:crossbar?seed=7").expect("opens");
    let price = open().profile().medium.expect("a medium").price.writes;
    for law in laws() {
        // each on a fresh chip
        let dossier = run(open().as_ref(), &Options::new().with_law(law.id)).expect("runs");
        let writes = dossier.ledger.writes;
        assert!(
            writes <= law.programs() * price,
            "{}: {writes} writes, where {} programs of {price} are foretold",
            law.id,
            law.programs()
        );
    }
}

#[test]
#[cfg(unix)]
fn an_interrupt_keeps_what_was_found() {
    let folder = Folder::new();
    let log = folder.path("rec.log");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_isoform"));
    let arguments = ["conform", "record:rec.log?on=(oracle:)", "--out", "found"];
    let pipes = command.current_dir(folder.path(".")).args(arguments).stdout(std::process::Stdio::null());
    let child = pipes.stderr(std::process::Stdio::piped()).spawn().expect("starts");
    // until laws are being tried
    while std::fs::metadata(&log).map_or(0, |about| about.len()) < 50_000 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let told = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(told.expect("there is a kill").success());
    let ended = child.wait_with_output().expect("ends");
    let words = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(130), "{words}");
    assert!(words.contains("stopping in good order") && words.contains("wrote found"), "{words}");
    let outcomes = &folder.json("found/dossier.json")["outcomes"];
    let stopped = |o: &&serde_json::Value| o["reason"].as_str().is_some_and(|why| why.contains("the run was stopped"));
    let all = outcomes.as_array().expect("a list");
    assert!(all.iter().any(|o| stopped(&o)) && !all.iter().all(|o| stopped(&o)));
}

/// Whoever is asked for may never answer, and a program that was started for it must not be left behind.
#[test]
#[cfg(all(feature = "devices", unix))]
fn a_request_to_stop_ends_an_opening_and_the_program_at_the_other_end() {
    let folder = Folder::new();
    folder.put("child.sh", "echo $$ > pid.part; mv pid.part pid; exec sleep 177");
    let on = "stdio:sh%20child.sh?device=umemristor";
    let run = ["run", "lif.nir", "--dt", "1e-4", "--on", on, "--input", "x.csv", "--output", "y.csv"];
    for arguments in [["conform", on, "--level", "L0"].as_slice(), &["conform", on, "--fingerprint"], &run] {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("isoform"));
        let pipes = command.current_dir(folder.path(".")).args(arguments).stdout(std::process::Stdio::null());
        let child = pipes.stderr(std::process::Stdio::piped()).spawn().expect("starts");
        while !folder.path("pid").exists() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let kill = |what: &str, id: &str| {
            let quiet = std::process::Command::new("kill").args([what, id]).stderr(std::process::Stdio::null()).status();
            quiet.expect("there is a kill").success()
        };
        assert!(kill("-TERM", &child.id().to_string()));
        let asked = std::time::Instant::now();
        let ended = child.wait_with_output().expect("ends");
        let words = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(130), "{arguments:?}: {words}");
        // the wait for an answer is 13 seconds
        assert!(asked.elapsed() < std::time::Duration::from_secs(8), "{:?}", asked.elapsed());
        assert!(!kill("-0", folder.text("pid").trim()), "{arguments:?}: the program goes on");
        std::fs::remove_file(folder.path("pid")).expect("is there");
    }
}

#[test]
fn known_failures_come_from_a_file() {
    let folder = Folder::new();
    let with = |text: &str| {
        folder.put("known.toml", text);
        folder.isoform(&["conform", "oracle:", "--law", "L0.seed", "--quiet", "--waivers", "known.toml"])
    };
    let whole = "[[waiver]]\nlaw = \"L0.seed\"\nreason = \"draws by the clock\"\nwho = \"the lab\"\nuntil = \"2999-12-31\"\n";
    let holds = with(whole);
    assert!(holds.code == 1 && holds.out.contains("take the waiver away"), "{}{}", holds.out, holds.err);
    let day = with(&whole.replace("\"2999-12-31\"", "2999-12-31"));
    assert!(day.code == 1 && day.out.contains("take the waiver away"), "{}{}", day.out, day.err);
    let other = with(&whole.replace("L0.seed", "L2.functions"));
    assert_eq!(other.code, 0, "{}{}", other.out, other.err);
    for (from, to, why) in [
        ("who = \"the lab\"\n", "", "missing field `who`"),
        ("2999-12-31", "soon", "is no day: write it as 2026-12-31"),
        ("L0.seed", "L0.sed", "there is no law \"L0.sed\" to waive"),
        ("until = ", "until: ", "line 5: "),
    ] {
        let refused = with(&whole.replace(from, to));
        assert!(refused.code == 2 && refused.err.contains(why), "{}", refused.err);
    }
    // what is broken is known, and there is nothing else
    folder.put("known.toml", whole.replace("L0.seed", "L2.equivalence"));
    let coarse = ["conform", "quantise:?on=(oracle:)&step=0.5&range=1", "--law", "L2.equivalence", "--quiet"];
    assert_eq!(folder.isoform(&coarse).code, 1);
    folder.succeeds(&[&coarse[..], &["--waivers", "known.toml"]].concat());
}

#[test]
fn a_damaged_folder_is_bad_input_and_a_failed_device_is_not() {
    let folder = Folder::new();
    folder.succeeds(&["conform", "noise:?on=(cpu:)&sigma=0.02&margin=0.05", "--law", "L1.noise", "--quiet", "--out", "a"]);
    folder.succeeds(&["judge", "a"]);
    let (array, facts) = ("a/evidence/L1.noise/3.npy", "a/evidence/L1.noise.json");
    let (whole, sheet) = (std::fs::read(folder.path(array)).expect("reads"), folder.text(facts));
    let mut bytes = whole.clone();
    let end = bytes.len() - 8;
    bytes[end..].copy_from_slice(&f64::NAN.to_le_bytes());
    folder.put(array, bytes);
    let damaged = folder.isoform(&["judge", "a"]);
    assert_eq!(damaged.code, 2, "{}{}", damaged.out, damaged.err);
    assert!(damaged.err.contains("a: the record of L1.noise is damaged: the records of "), "{}", damaged.err);
    assert!(damaged.err.contains(" in evidence/L1.noise/3.npy is NaN"), "{}", damaged.err);
    folder.put(array, whole);
    let design = ("\"design of graded\": {", "\"design of graded\": 7, \"another\": {");
    for (from, to) in [design, ("\"tried\": [", "\"tried\": 7, \"another\": [")] {
        assert!(sheet.contains(from), "{sheet}");
        folder.put(facts, sheet.replacen(from, to, 1));
        let damaged = folder.isoform(&["judge", "a"]);
        let (fact, _) = from.split_once(':').expect("a fact");
        assert!(damaged.code == 2 && damaged.err.contains(&format!("the fact {fact} in ")), "{}{}", damaged.out, damaged.err);
    }
    // a device that gave no answer failed, and its record says so
    let failing = ["conform", "timeout:?on=(oracle:)&seconds=0.000001", "--law", "L1.split", "--quiet", "--out", "b"];
    assert_eq!(folder.isoform(&failing).code, 4);
    assert_eq!(folder.isoform(&["judge", "b"]).code, 4);
}

/// How a command ends whose output nobody reads.
fn unheard(folder: &Folder, arguments: &[&str]) -> Option<i32> {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_isoform"));
    let command = command.current_dir(folder.path(".")).args(arguments);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().expect("starts");
    drop(child.stdout.take());
    child.wait().expect("ends").code()
}

#[test]
fn a_run_is_kept_and_ends_as_it_would_when_nobody_reads_it() {
    let folder = Folder::new();
    let coarse = ["conform", "quantise:?on=(oracle:)&step=0.5&range=1", "--law", "L2.equivalence", "--quiet"];
    let kept = ["--out", "found", "--json", "found.json", "--junit", "found.xml"];
    assert_eq!(unheard(&folder, &[&coarse[..], &kept[..]].concat()), Some(1));
    assert!(["found/report.html", "found.json", "found.xml"].iter().all(|file| folder.path(file).is_file()));
    assert_eq!(unheard(&folder, &["judge", "found"]), Some(1));
    folder.succeeds(&["conform", "oracle:", "--law", "L0.seed", "--out", "other", "--quiet"]);
    assert_eq!(unheard(&folder, &["diff", "found", "other"]), Some(1));
    assert_eq!(unheard(&folder, &["--help"]), Some(0));
}

#[test]
fn a_wrong_declaration_is_given_away() {
    let folder = Folder::new();
    let out = folder.succeeds(&["conform", "oracle:", "--fingerprint"]).replace("input delay", "input-delay");
    let matrix: Vec<Vec<&str>> =
        out.lines().skip_while(|l| !l.starts_with("computed")).take(12).map(|l| l.split_whitespace().collect()).collect();
    assert_eq!(matrix.len(), 12, "{out}");
    for (k, row) in matrix.iter().enumerate().skip(1) {
        assert_eq!((row[0], row.len(), row[k]), (matrix[0][k], 12, "-"), "{row:?}");
    }
    let told = |computed: &str, declared: &str| {
        let column = matrix[0].iter().position(|&p| p == declared).expect("a preset");
        matrix.iter().find(|row| row[0] == computed).expect("a preset")[column]
    };
    assert_eq!(told("norse", "exact"), "decay");
    assert_eq!(told("loihi", "lava"), "number");
}
