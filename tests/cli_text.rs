//! What people read.

mod common;

use common::Folder;

/// Every line fits a page of 100 columns.
fn fits(text: &str) -> &str {
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "{} columns: {line}", line.chars().count());
        assert!(!line.contains('\x1b'), "colours without a terminal: {line}");
    }
    text
}

#[test]
fn the_table_of_semantics() {
    insta::assert_snapshot!(fits(&Folder::new().succeeds(&["list", "--semantics"])));
}

#[test]
fn the_table_of_laws_fits() {
    let laws = Folder::new().succeeds(&["conform", "--laws"]);
    fits(&laws);
    assert!(isoform::conformance::laws().iter().all(|law| laws.contains(law.id)), "{laws}");
}

#[test]
fn a_model_is_shown_without_a_time_step() {
    insta::assert_snapshot!(fits(&Folder::new().succeeds(&["inspect", "lif.nir"])));
}

#[test]
fn what_is_found_names_every_scheme() {
    let folder = Folder::new();
    let list = folder.succeeds(&["list"]);
    fits(&list);
    let json: serde_json::Value = serde_json::from_str(&folder.succeeds(&["list", "--json"])).expect("JSON");
    let schemes: Vec<&str> = json["schemes"].as_array().expect("a list").iter().filter_map(|s| s["scheme"].as_str()).collect();
    for scheme in ["oracle", "noise", "quantise", "record", "replay", "timeout"] {
        assert!(schemes.contains(&scheme) && list.contains(&format!("{scheme}:")), "{scheme}: {list}");
    }
    assert!(json["substrates"].as_array().expect("a list").iter().any(|s| s["locator"] == "oracle:"));
    let semantics: serde_json::Value = serde_json::from_str(&folder.succeeds(&["list", "--semantics", "--json"])).expect("JSON");
    assert_eq!(semantics[2]["preset"], "norse");
    assert_eq!(semantics[2]["cycle"], "entering-event");
}

#[test]
fn help_and_completions_are_complete() {
    let folder = Folder::new();
    let help = folder.succeeds(&["--help"]);
    fits(&help);
    for command in ["list", "inspect", "run", "compare", "conform", "judge", "diff", "convert", "demo", "completions"] {
        assert!(help.contains(&format!("\n  {command} ")), "{command}: {help}");
        fits(&folder.succeeds(&[command, "--help"]));
    }
    assert_eq!(folder.isoform(&[]).code, 2, "a bare call is no success");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(folder.succeeds(&["completions", shell]).contains("conform"), "{shell}");
    }
}

#[test]
fn colours_are_for_those_who_ask() {
    let folder = Folder::new();
    assert!(!folder.succeeds(&["list"]).contains('\x1b'));
    let forced = |no_color: bool| {
        let mut command = assert_cmd::cargo::cargo_bin_cmd!("isoform");
        command.env("CLICOLOR_FORCE", "1").env_remove("NO_COLOR");
        if no_color {
            command.env_remove("CLICOLOR_FORCE").env("NO_COLOR", "1");
        }
        String::from_utf8(command.args(["list"]).output().expect("starts").stdout).expect("text")
    };
    assert!(forced(false).contains('\x1b'));
    assert!(!forced(true).contains('\x1b'));
}

/// Libraries of graphics look for a display, and say so where they find none.
#[test]
fn nothing_is_said_of_displays() {
    let mut command = assert_cmd::cargo::cargo_bin_cmd!("isoform");
    let output = command.args(["list", "--quiet"]).env_remove("XDG_RUNTIME_DIR").output().expect("starts");
    assert!(output.status.success() && !output.stdout.is_empty());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
