//! What is wrong is said in one line, with what to do, and exit code 2.

mod common;

use common::{Folder, one_neuron};
use isoform::formats::nir::{self, Compat};

/// The one line on standard error of a command that must be refused.
fn refused(folder: &Folder, arguments: &[&str]) -> String {
    let ended = folder.isoform(arguments);
    assert_eq!(ended.code, 2, "{arguments:?}: {}{}", ended.out, ended.err);
    assert_eq!(ended.out, "", "{arguments:?}");
    let line = ended.err.strip_suffix('\n').expect("a line");
    assert!(!line.contains(['\n', '\x1b']), "{arguments:?}: {line}");
    line.strip_prefix("error: ").expect("is an error").to_owned()
}

/// Runs the model on the oracle, with some arguments changed.
fn run(folder: &Folder, changes: &[(&str, &str)]) -> String {
    let standard = [("MODEL", "lif.nir"), ("--on", "oracle:"), ("--input", "x.csv"), ("--output", "y.csv"), ("--dt", "1e-4")];
    let mut arguments = vec!["run"];
    for (name, value) in standard {
        let value = changes.iter().find(|(changed, _)| *changed == name).map_or(value, |(_, value)| value);
        match (name, value) {
            (_, "") => {}
            ("MODEL", value) => arguments.push(value),
            (name, value) => arguments.extend([name, value]),
        }
    }
    for (name, value) in changes.iter().filter(|(name, _)| !standard.iter().any(|(s, _)| s == name)) {
        arguments.extend([*name, *value]);
    }
    refused(folder, &arguments)
}

#[test]
fn files_that_are_missing_or_of_another_kind() {
    let folder = Folder::new();
    insta::assert_snapshot!(run(&folder, &[("MODEL", "no.nir")]), @r#"not found: "no.nir": no such file or directory"#);
    insta::assert_snapshot!(run(&folder, &[("--input", "no.csv")]), @r#"not found: "no.csv": no such file or directory"#);
    insta::assert_snapshot!(run(&folder, &[("MODEL", ".")]), @r#"not found: ".": is a folder; name a file"#);
    insta::assert_snapshot!(run(&folder, &[("--input", ".")]), @r#"not found: ".": is a folder; name a file"#);
    insta::assert_snapshot!(run(&folder, &[("--state-in", "no.npz")]), @r#"not found: "no.npz": no such file or directory"#);
    folder.put("x.txt", "1\n");
    insta::assert_snapshot!(run(&folder, &[("--input", "x.txt")]), @r#"signal file "x.txt": unknown extension "txt"; known are .npy, .csv and .nir"#);
}

#[test]
fn models_that_are_damaged_or_unknown() {
    let folder = Folder::new();
    let whole = std::fs::read(folder.path("lif.nir")).expect("read");
    folder.put("cut.nir", &whole[..whole.len() / 2]);
    let cut = run(&folder, &[("MODEL", "cut.nir")]);
    assert!(cut.starts_with("invalid program: nir file \"cut.nir\": ") && cut.contains("check that it is complete"), "{cut}");
    folder.put("empty.nir", "");
    assert!(run(&folder, &[("MODEL", "empty.nir")]).contains("nir file \"empty.nir\": not a readable HDF5 file"));

    // the type of a node is text in the file; the same length keeps the file whole
    let linear = whole.windows(6).rposition(|w| w == b"Linear").expect("has a Linear");
    let mut other = whole;
    other[linear..linear + 6].copy_from_slice(b"Lineer");
    folder.put("unknown.nir", &other);
    insta::assert_snapshot!(run(&folder, &[("MODEL", "unknown.nir")]), @r#"invalid program: nir file "unknown.nir": node "weight": unknown node type "Lineer"; known are NIRGraph, Affine, AvgPool2d, Conv1d, Conv2d, CubaLI, CubaLIF, Delay, Flatten, I, IF, Identity, Input, LI, LIF, Linear, Output, Scale, SumPool2d, Threshold"#);
}

#[test]
fn inputs_that_do_not_fit() {
    let folder = Folder::new();
    folder.put("wide.csv", "0,1\n1,0\n");
    insta::assert_snapshot!(run(&folder, &[("--input", "wide.csv")]), @r#"input "wide.csv": invalid signal: has 2 channels, but the model takes 1 (input [1]); give one column for each"#);
    folder.put("nan.csv", "0\n1\nnan\n");
    insta::assert_snapshot!(run(&folder, &[("--input", "nan.csv")]), @r#"input "nan.csv": invalid signal: the input holds NaN at tick 2, lane 0, channel 0; only finite numbers are taken"#);
    folder.put("inf.csv", "inf\n");
    assert!(run(&folder, &[("--input", "inf.csv")]).contains("holds inf at tick 0"));
    folder.put("empty.csv", "");
    insta::assert_snapshot!(run(&folder, &[("--input", "empty.csv")]), @r#"signal file "empty.csv": not a readable csv file: it is empty"#);
    folder.put("word.csv", "0\none\n");
    insta::assert_snapshot!(run(&folder, &[("--input", "word.csv")]), @r#"signal file "word.csv": row 2, column 1: "one" is not a number"#);
    folder.put("head.csv", "current\n");
    assert!(run(&folder, &[("--input", "head.csv")]).contains("holds 0 ticks"));
    folder.put("x.npy", b"\x93NUMPY\x01\x00");
    assert!(run(&folder, &[("--input", "x.npy")]).starts_with("signal file \"x.npy\": not a readable npy file"));
}

#[test]
fn substrates_that_there_are_not() {
    let folder = Folder::new();
    let unknown = run(&folder, &[("--on", "brain:")]);
    assert!(
        unknown.starts_with("not found: no substrate is called \"brain:\"; known are ") && unknown.contains("oracle:"),
        "{unknown}"
    );
    insta::assert_snapshot!(run(&folder, &[("--on", "oracle:?threads=2")]), @r#"unsupported: oracle:?threads=2: option "threads" is unknown: "oracle:" takes no options"#);
    if cfg!(feature = "cpu") {
        insta::assert_snapshot!(run(&folder, &[("--on", "cpu:?speed=2")]), @r#"unsupported: cpu:?speed=2: option "speed" is unknown: "cpu:" takes threads, isa"#);
        assert!(run(&folder, &[("--on", "cpu:?threads=many")]).contains("\"many\""));
    }
    insta::assert_snapshot!(run(&folder, &[("--on", "oracle")]), @r#"unsupported: "oracle" has no colon after its scheme: write "oracle:""#);
    insta::assert_snapshot!(run(&folder, &[("--on", "")]), @"no substrate is named; add --on LOCATOR, such as --on cpu: (isoform list shows what there is)");
    insta::assert_snapshot!(refused(&folder, &["conform", "brain:?x=(cpu:"]), @r#"unsupported: the parenthesis at byte 9 is not closed: write ")" after the locator in it"#);
}

#[test]
fn the_suite_itself_is_tried_on_what_repeats_itself() {
    let folder = Folder::new();
    let planted = |locator: &str| refused(&folder, &["conform", locator, "--self-test"]);
    insta::assert_snapshot!(planted("noise:?on=(cpu:)&sigma=0.02&margin=0.05"), @"noise:?on=(cpu:)&sigma=0.02&margin=0.05 is of class analog-noisy; defects are planted in a substrate of class exact-digital or fixed-point that saves its state and tunes parameters, and noise with them: name one, such as oracle:");
    #[cfg(feature = "devices")]
    insta::assert_snapshot!(planted("twin:crossbar"), @"twin:crossbar is of class analog-wearing and lacks the facet of memory; defects are planted in a substrate of class exact-digital or fixed-point that saves its state and tunes parameters, and noise with them: name one, such as oracle:");
}

#[test]
#[cfg(feature = "devices")]
fn instruments_that_there_are_not_and_options_that_they_do_not_take() {
    let folder = Folder::new();
    let conform = |locator: &str| refused(&folder, &["conform", locator, "--level", "L0"]);
    insta::assert_snapshot!(conform("board"), @r#"not found: no substrate is called "board"; write "twin:board""#);
    insta::assert_snapshot!(conform("crossbar:?age=0"), @r#"not found: no substrate is called "crossbar"; write "twin:crossbar""#);
    insta::assert_snapshot!(conform("twin:photonic?imax=-1"), @r#"unsupported: twin:photonic?imax=-1: option "imax" is "-1", but expects 0.001 to 1000"#);
    insta::assert_snapshot!(conform("twin:photonic?vmax=5"), @"unsupported: twin:photonic?vmax=5: heater 0 needs 6.325 V and 6.325 mA for a whole turn, but may have 5 V and 20 mA: raise vmax or imax, or calibrate");
    assert!(conform("twin:crossbar?foo=1").contains("option \"foo\" is unknown: \"twin:crossbar\" takes device, seed"));
    assert!(conform("twin:mesh?reach=0").contains("option \"reach\" is \"0\", but expects 0.1 to 10"));
    assert!(conform("twin:board?baud=9600").contains("option \"baud\" is unknown: \"twin:board\" takes record, numbers, mode"));
    assert!(
        refused(&folder, &["list", "brain"])
            .contains("no instrument, medium or scheme is called \"brain\"; known are arc-one, board")
    );
    let port = folder.isoform(&["list", "--quiet", "--ports", "/dev/no/port"]);
    assert!(port.code == 2 && port.err.contains("/dev/no/port cannot be opened"), "{}{}", port.out, port.err);
    insta::assert_snapshot!(conform("serial:/dev/no?device=board&mode=plain"), @r#"unsupported: serial:/dev/no?device=board&mode=plain: option "mode" is of the twin alone, and this is a line to a device: leave it out"#);
    insta::assert_snapshot!(conform("tcp:localhost:1?device=photonic&meter=(tcp:localhost:1)"), @"not found: tcp:localhost:1?device=photonic&meter=(tcp:localhost:1): localhost:1 is the first line of photonic and its meter at once: each has a line of its own");
    insta::assert_snapshot!(conform("twin:photonic?model="), @r#"unsupported: twin:photonic?model=: option "model" is empty: name a word of the identity, or leave it out for PM"#);
    insta::assert_snapshot!(conform("twin:lucidac?unit=x:20,x:30"), @"unsupported: twin:lucidac?unit=x:20,x:30: the unit of x is given twice: leave one of the two out");
    std::fs::write(folder.path("bytes"), [0xff, 0xfe, 0x00, 0x80]).expect("writes");
    insta::assert_snapshot!(conform("twin:photonic?calibration=bytes"), @r#"not found: twin:photonic?calibration=bytes: the calibration "bytes" cannot be read: stream did not contain valid UTF-8"#);
    insta::assert_snapshot!(conform("twin:model-one?patch=none.json"), @r#"not found: twin:model-one?patch=none.json: the patch "none.json" cannot be read: No such file or directory (os error 2)"#);
    insta::assert_snapshot!(conform("twin:boart"), @r#"not found: twin:boart: no instrument is called "boart"; known are arc-one, board, cyton, lucidac, model-one, photonic, spikerbox, umemristor, waveform; and, as twins alone, the media crossbar, culture, josephson, memristor, mesh, neuristor, spin-torque"#);
    for name in ["photonic", "Photonic", "twin:photonic", "noise", "noise:"] {
        assert!(folder.succeeds(&["list", name]).contains("meaning"), "{name}");
    }
    if cfg!(unix) {
        assert!(refused(&folder, &["twin", "crossbar"]).contains("a medium without a line, opened as twin:crossbar"));
    }
}

#[test]
#[cfg(feature = "devices")]
fn a_replay_answers_what_was_asked_when_it_was_recorded() {
    let folder = Folder::new();
    folder.succeeds(&["conform", "twin:board?record=s.log", "--law", "L1.split", "--quiet"]);
    folder.succeeds(&["conform", "replay:s.log", "--law", "L1.split", "--quiet"]);
    let other = folder.isoform(&["conform", "replay:s.log", "--law", "L1.split", "--seed", "3", "--quiet"]);
    assert_eq!(other.code, 2, "{}{}", other.out, other.err);
    assert!(other.err.contains("with the same laws, level and seed"), "{}", other.err);
    let recorded_by = "recorded by isoform conform 'twin:board?record=s.log' --law L1.split --quiet";
    assert!(other.err.contains(recorded_by), "{}", other.err);
}

#[test]
#[cfg(feature = "devices")]
fn requests_to_stop_and_times_are_those_of_the_recording() {
    let folder = Folder::new();
    let outcomes = |locator: &str| {
        let laws = ["--law", "L0.cancel", "--law", "L4.latency", "--law", "L4.setup"];
        let dossier = folder.succeeds(&[&["conform", locator, "--quiet", "--json", "-"], laws.as_slice()].concat());
        let dossier: serde_json::Value = serde_json::from_str(&dossier).expect("JSON");
        let of = |o: &serde_json::Value| format!("{} {} {}", o["law"], o["reason"], o["figures"]);
        dossier["outcomes"].as_array().expect("outcomes").iter().map(of).collect::<Vec<_>>()
    };
    let recorded = outcomes("twin:waveform?record=w.log");
    assert_eq!(outcomes("replay:w.log"), recorded);
    assert!(recorded.len() == 3 && recorded[1].contains("median"), "{recorded:?}");
    // the second line of the bench has lost its end
    let scope = std::fs::read(folder.path("w.log.scope")).expect("was written");
    std::fs::write(folder.path("w.log.scope"), &scope[..scope.len() / 2]).expect("writes");
    let broken = folder.isoform(&["conform", "replay:w.log", "--law", "L0.cancel", "--law", "L4.latency", "--law", "L4.setup"]);
    assert!(
        broken.code == 2 && broken.err.contains("of the transcript \"w.log.scope\": the recording was broken off here"),
        "{}",
        broken.err
    );
}

/// No device has failed where a recording is asked something else than was recorded.
#[test]
fn a_replay_that_is_asked_something_else_was_given_the_wrong_input() {
    let folder = Folder::new();
    folder.put("other.csv", "0.5\n".repeat(100));
    let mut recorders = vec!["record:r.log?on=(oracle:)"];
    if cfg!(feature = "devices") {
        recorders.push("twin:board?record=r.log");
    }
    let run =
        |on: &str, x: &str| folder.isoform(&["run", "lif.nir", "--dt", "1e-4", "--on", on, "--input", x, "--output", "y.csv"]);
    for recorder in recorders {
        assert_eq!(run(recorder, "x.csv").code, 0);
        assert_eq!(run("replay:r.log", "x.csv").code, 0);
        let other = run("replay:r.log", "other.csv");
        assert!(
            other.code == 2 && other.err.contains("the same model, input and seed"),
            "{recorder}: {} {}",
            other.code,
            other.err
        );
        assert_eq!(folder.isoform(&["conform", "replay:r.log", "--level", "L0"]).code, 2, "{recorder}");
        std::fs::remove_file(folder.path("r.log")).expect("is there");
    }
}

#[test]
#[cfg(feature = "devices")]
fn what_is_named_is_what_was_asked_for() {
    let folder = Folder::new();
    // a port, and no instrument at it
    insta::assert_snapshot!(refused(&folder, &["list", "--ports", "nonsense", "--quiet"]), @"not found: nonsense cannot be opened (No such file or directory): check the name, the cable and the permissions");
    // an option that fits nothing is bad input, and no lack of evidence
    let unit = folder.isoform(&["conform", "twin:lucidac?unit=zz:5", "--level", "L0", "--quiet"]);
    assert_eq!(unit.code, 2, "{}", unit.out);
    insta::assert_snapshot!(unit.err.trim(), @r#"error: twin:lucidac?unit=zz:5: unsupported: as it was opened, the substrate refuses whatever it is given, the program that it shows of itself included: a unit is given for "zz", but the program has no such state; it has integrators.v"#);
}

/// What a line or a layer would write down is precious, and what is refused has nothing to write down.
#[test]
fn a_refused_call_makes_no_recording_and_none_is_written_over() {
    let folder = Folder::new();
    let run =
        |on: &str, x: &str| folder.isoform(&["run", "lif.nir", "--dt", "1e-4", "--on", on, "--input", x, "--output", "y.csv"]);
    folder.put("wide.csv", "1,1\n");
    let mut on = vec!["record:r.log?on=(oracle:)"];
    if cfg!(feature = "devices") {
        on.push("twin:board?record=r.log");
    }
    for on in on {
        for x in ["wide.csv", "none.csv"] {
            assert_eq!(run(on, x).code, 2);
            assert!(!folder.path("r.log").exists(), "{on}");
        }
        assert_eq!(folder.isoform(&["conform", on, "--law", "L9.none"]).code, 2);
        assert!(!folder.path("r.log").exists(), "{on}");
        assert_eq!(run(on, "x.csv").code, 0);
        let kept = folder.text("r.log");
        let again = run(on, "x.csv");
        assert!(again.code == 2 && again.err.contains("is there already"), "{}", again.err);
        assert_eq!(folder.text("r.log"), kept);
        std::fs::remove_file(folder.path("r.log")).expect("is there");
    }
    // a manifest that has no place is told before the outputs are written over
    folder.put("m.csv", "kept");
    std::fs::create_dir(folder.path("m.csv.manifest.json")).expect("a folder");
    insta::assert_snapshot!(self::run(&folder, &[("--output", "m.csv")]), @r#"not found: "m.csv.manifest.json" cannot be written: it is a folder; name a file"#);
    assert_eq!(folder.text("m.csv"), "kept");
    insta::assert_snapshot!(refused(&folder, &["conform", "oracle:", "--out", "o", "--json", "o/mine.json"]), @r#""o/mine.json" is in the folder of --out, which is the suite's own and has dossier.json and junit.xml: name a file outside of "o""#);
}

#[test]
fn folders_that_are_files() {
    let folder = Folder::new();
    insta::assert_snapshot!(refused(&folder, &["convert", "lif.nir", "lif.txt"]), @r#""lif.txt": a NIR file is written, whose name ends with .nir, .h5 or .hdf5"#);
    insta::assert_snapshot!(refused(&folder, &["judge", "lif.nir"]), @"lif.nir: it is a file; name the folder that isoform conform --out wrote");
    insta::assert_snapshot!(refused(&folder, &["conform", "oracle:", "--level", "L0", "--out", "lif.nir"]), @r#"not found: "lif.nir" cannot be written: it is a file; name a folder"#);
    assert!(folder.path("lif.nir").is_file());
}

#[test]
fn what_a_run_lacks() {
    let folder = Folder::new();
    insta::assert_snapshot!(run(&folder, &[("--dt", "")]), @r#""lif.nir": invalid program: NIR carries no time step, and the answer depends on it; give the seconds of a tick, as --dt 1e-4, or dt = 1e-4 in an experiment"#);
    insta::assert_snapshot!(run(&folder, &[("--dt", "0")]), @r#""lif.nir": invalid program: a time step of 0 s is not a positive number; give seconds, as --dt 1e-4, or dt = 1e-4 in an experiment"#);
    insta::assert_snapshot!(run(&folder, &[("--dt", "soon")]), @"invalid value 'soon' for '--dt <S>': invalid float literal; see isoform run --help");
    insta::assert_snapshot!(run(&folder, &[("--input", "")]), @"nothing is named as --input; add --input FILE");
    insta::assert_snapshot!(run(&folder, &[("--output", "")]), @"nothing is named as --output; add --output FILE");
    insta::assert_snapshot!(run(&folder, &[("--seed", "one")]), @"invalid value 'one' for '--seed <N>': invalid digit found in string; see isoform run --help");
    insta::assert_snapshot!(run(&folder, &[("--seed", "-1")]), @"invalid value '-1' for '--seed <N>': invalid digit found in string; see isoform run --help");
    insta::assert_snapshot!(run(&folder, &[("--semantics", "brian")]), @r#"not found: no semantics are called "brian"; known are exact, events, norse, snntorch, nengo, lava, loihi, rockpool, sinabs, spyx, spinnaker2"#);
    insta::assert_snapshot!(run(&folder, &[("--nir-compat", "2")]), @r#"invalid value '2' for '--nir-compat <VERSION>': unknown nir version "2"; known are latest, 1.0.4, 1.0.8; see isoform run --help"#);
}

#[test]
fn outputs_that_cannot_be_written() {
    let folder = Folder::new();
    insta::assert_snapshot!(run(&folder, &[("--output", "y.mat")]), @r#"output "y.mat": unknown extension "mat"; known are .npy, .csv and .nir"#);
    insta::assert_snapshot!(run(&folder, &[("--output", "x.csv/y.csv")]), @r#"not found: "x.csv/y.csv" cannot be written: file exists"#);
    std::fs::create_dir(folder.path("folder.csv")).expect("made");
    insta::assert_snapshot!(run(&folder, &[("--output", "folder.csv")]), @r#"not found: "folder.csv" cannot be written: it is a folder; name a file"#);
    insta::assert_snapshot!(run(&folder, &[("--state-out", "s.bin")]), @r#"invalid signal: state file "s.bin": unknown extension "bin"; known are .npz and .json"#);
    insta::assert_snapshot!(run(&folder, &[("--output", "y.nir"), ("--nir-compat", "1.0.4")]), @r#"output "y.nir": nir 1.0.4 has no recorded data; write .npy or .csv, or leave --nir-compat out"#);
    assert!(!folder.path("y.csv").exists(), "a refused run leaves nothing behind");
}

#[test]
fn probes_and_states_that_do_not_belong() {
    let folder = Folder::new();
    insta::assert_snapshot!(run(&folder, &[("--probe", "soma=v.csv")]), @r#"not found: the program has no node "soma"; it has weight, lif"#);
    insta::assert_snapshot!(run(&folder, &[("--probe", "lif:u=v.csv")]), @r#"not found: node "lif": there is no state "u"; it keeps v"#);
    insta::assert_snapshot!(run(&folder, &[("--probe", "weight:v=v.csv")]), @r#"not found: node "weight": there is no state "v"; it keeps nothing; probe its output instead"#);
    insta::assert_snapshot!(run(&folder, &[("--probe", "lif")]), @r#"--probe "lif" names no file; write NODE=FILE or NODE:STATE=FILE"#);

    nir::write(folder.path("other.nir"), &one_neuron(0.2), Compat::Latest).expect("written");
    let saves = ["run", "other.nir", "--on", "oracle:", "--input", "x.csv", "--output", "z.csv", "--dt", "1e-4", "--state-out"];
    folder.succeeds(&[&saves[..], &["s.npz"]].concat());
    let foreign = run(&folder, &[("--state-in", "s.npz")]);
    assert!(foreign.starts_with("invalid signal: state file \"s.npz\": the state belongs to program "), "{foreign}");
    folder.put("broken.json", "{\"format\": 1}");
    insta::assert_snapshot!(run(&folder, &[("--state-in", "broken.json")]), @r#"invalid signal: state file "broken.json": holds no state: missing field `program` at line 1 column 13"#);
}

#[test]
fn experiments_that_are_wrong() {
    let folder = Folder::new();
    let text = "[model]\nfile = \"lif.nir\"\ndt = 1e-4\n[input]\nfile = \"x.csv\"\n[run]\non = [\"oracle:\"]\nseeds = [0, 1]\n[output]\nfile = \"y.csv\"\n";
    folder.put("e.toml", text);
    insta::assert_snapshot!(refused(&folder, &["run", "e.toml"]), @"two results would be written to y.csv; put {substrate} or {seed} into the name");
    folder.put("word.toml", text.replace("dt =", "step ="));
    insta::assert_snapshot!(refused(&folder, &["run", "word.toml"]), @r#"invalid program: experiment "word.toml": line 3: unknown field `step`, expected one of `file`, `dt`, `semantics`, `nodes`"#);
    folder.put("dt.toml", text.replace("dt = 1e-4", ""));
    assert!(refused(&folder, &["run", "dt.toml"]).contains("NIR carries no time step"));
    insta::assert_snapshot!(refused(&folder, &["run", "e.toml", "--dt", "1"]), @"--dt does not go with an experiment; write it into e.toml");
}

#[test]
fn commands_that_there_are_not() {
    let folder = Folder::new();
    insta::assert_snapshot!(refused(&folder, &["lst"]), @"unrecognized subcommand 'lst'; a similar subcommand exists: 'list'; see isoform --help");
    insta::assert_snapshot!(refused(&folder, &["run", "lif.nir", "--sed", "3"]), @"unexpected argument '--sed' found; a similar argument exists: '--seed'; see isoform run --help");
    insta::assert_snapshot!(refused(&folder, &["conform"]), @"the following required arguments were not provided: <LOCATOR>; see isoform conform --help");
    insta::assert_snapshot!(refused(&folder, &["conform", "oracle:", "--level", "L9"]), @r#"invalid value 'L9' for '--level <LEVEL>': there is no level "L9"; levels are L0 to L5; see isoform conform --help"#);
    assert!(refused(&folder, &["conform", "oracle:", "--law", "L1.not"]).contains("there is no law \"L1.not\""));
    assert!(refused(&folder, &["judge", "nothing"]).contains("nothing"));
    assert!(refused(&folder, &["diff", "nothing", "nothing"]).contains("nothing"));
    assert!(refused(&folder, &["completions", "cmd"]).contains("possible values"));
}

#[test]
fn a_conversion_does_not_overwrite_what_it_reads() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("d")).expect("made");
    let before = std::fs::read(folder.path("lif.nir")).expect("read");
    for output in ["lif.nir", "d/../lif.nir"] {
        let line = refused(&folder, &["convert", "lif.nir", output]);
        assert!(line.ends_with("lif.nir\" is the file that is read, which would be lost; name another file"), "{line}");
    }
    assert_eq!(std::fs::read(folder.path("lif.nir")).expect("read"), before);
}

#[test]
fn nothing_is_overwritten_that_is_read_or_written_by_the_same_run() {
    let folder = Folder::new();
    for (changes, what) in [
        ([("--output", "x.csv"), ("--seed", "1")], "x.csv holds the input, which the outputs would overwrite"),
        ([("--output", "y.csv"), ("--state-out", "y.csv.manifest.json")], "holds the state at the end, which the manifest would"),
        ([("--output", "lif.nir"), ("--seed", "1")], "lif.nir holds the model, which the outputs would overwrite"),
        ([("--output", "out/../x.csv"), ("--seed", "1")], "x.csv holds the input, which the outputs would overwrite"),
    ] {
        let line = run(&folder, &changes);
        assert!(line.contains(what), "{line}");
    }
}

#[test]
fn kernels_do_not_overwrite_their_model() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("k")).expect("made");
    std::fs::copy(folder.path("lif.nir"), folder.path("k/manifest.json")).expect("copied");
    let before = std::fs::read(folder.path("lif.nir")).expect("read");
    for (model, rest) in [
        ("lif.nir", ["--for", "opencl:0/0", "--output", "./k/../lif.nir"].as_slice()),
        ("k/manifest.json", &["--emit-source", "k"]),
    ] {
        let line = refused(&folder, &[&["build", model, "--dt", "1e-3"], rest].concat());
        assert!(line.contains("is the model, which would be lost; name another file"), "{line}");
        assert_eq!(std::fs::read(folder.path(model)).expect("read"), before);
    }
    assert!(!folder.path("k/kernels.cl").exists());
}

#[test]
fn a_demo_does_not_overwrite_what_is_not_its_own() {
    let folder = Folder::new();
    for (own, name) in [("a", "demo.nir"), ("b", "touch.npy"), ("c", "conform")] {
        std::fs::create_dir(folder.path(own)).expect("made");
        let kept = if name == "conform" { format!("{own}/conform/notes") } else { format!("{own}/{name}") };
        std::fs::create_dir_all(folder.path(&kept).parent().expect("a folder")).expect("made");
        folder.put(&kept, "mine");
        let line = refused(&folder, &["demo", "--out", own]);
        assert!(line.contains(&format!("\"{own}/{name}\" is not what a demo left there")), "{line}");
        assert_eq!(folder.text(&kept), "mine");
    }
}

#[test]
#[cfg(unix)]
fn a_pipe_that_nobody_writes_to_is_no_file() {
    let folder = Folder::new();
    let made = std::process::Command::new("mkfifo")
        .args(["p.nir", "p.npy", "p.csv", "p.npz", "p.toml"])
        .current_dir(folder.path(""))
        .status();
    assert!(made.expect("mkfifo").success());
    for arguments in [
        ["inspect", "p.nir"].as_slice(),
        &["run", "p.toml"],
        &["run", "lif.nir", "--dt", "1e-3", "--on", "oracle:", "--output", "y.csv", "--input", "p.npy"],
        &["run", "lif.nir", "--dt", "1e-3", "--on", "oracle:", "--output", "y.csv", "--input", "p.csv"],
        &["run", "lif.nir", "--dt", "1e-3", "--on", "oracle:", "--output", "y.csv", "--input", "x.csv", "--state-in", "p.npz"],
    ] {
        let line = refused(&folder, arguments);
        assert!(line.contains("ordinary file"), "{line}");
    }
}

#[test]
#[cfg(unix)]
fn a_run_that_is_asked_to_stop_closes_its_substrate_and_says_so() {
    let folder = Folder::new();
    folder.put("long.csv", "1\n".repeat(3_000_000));
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("isoform"));
    // a state that is read in every tick makes the run last
    let arguments = "run lif.nir --dt 1e-3 --on twin:board --input long.csv --output y.csv --probe lif:v=v.npy";
    command.current_dir(folder.path("")).args(arguments.split(' ')).stderr(std::process::Stdio::piped());
    let child = command.spawn().expect("starts");
    std::thread::sleep(std::time::Duration::from_secs(3));
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.expect("kill").success());
    let ended = child.wait_with_output().expect("ends");
    let said = String::from_utf8(ended.stderr).expect("text");
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(
        said.ends_with("error: asked to stop: instruments were left in a safe condition, and no outputs were written\n"),
        "{said}"
    );
    assert!(!folder.path("y.csv").exists() && !folder.path("v.npy").exists());
}
