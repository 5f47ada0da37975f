//! What the README shows is what is compiled and run.

use std::path::Path;

fn text(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

#[test]
fn the_program_of_the_readme_is_the_example() {
    let example = text("examples/first_program.rs");
    let shown: Vec<&str> = example.split("// the README shows what stands between these two lines").collect();
    let shown: Vec<&str> = shown[1].lines().map(|line| line.strip_prefix("    ").unwrap_or(line)).collect();
    let shown = shown.join("\n");
    assert!(text("README.md").contains(shown.trim()), "the README lacks\n{}", shown.trim());
}

#[test]
fn the_substrate_of_the_readme_is_the_example() {
    assert!(text("README.md").contains(text("examples/plug_in/src/lib.rs").trim()));
}
