//! Saved states in files: what was computed on one substrate continues on another.
//!
//! | extension | content |
//! |---|---|
//! | `.npz` | `isoform.json` with everything but the numbers, and one array `NODE:STATE`, `[batch, len]`, for each block |
//! | `.json` | the whole state |
//!
//! Both keep double precision to the last bit, carry the version of the layout and the digest of the program, and open in Python by
//! `numpy.load` and `json.load`.

mod npz;

use crate::files;
use isoform_core::error::{Error, Result};
use isoform_core::program::Program;
use isoform_core::state::{FORMAT, State};
use std::path::Path;

/// Reads a state and checks that it belongs to a program and a number of lanes.
///
/// # Errors
/// `NotFound` if the file cannot be read, `InvalidSignal` if it holds no state or one of another program, version or batch; the
/// message names the file.
pub fn read(path: &Path, program: &Program, batch: usize) -> Result<State> {
    let bytes = files::read(path)?;
    let state = match extension(path)? {
        Extension::Npz => npz::from_bytes(&bytes, program, batch),
        Extension::Json => serde_json::from_slice(&bytes).map_err(|e| Error::invalid_signal(format!("holds no state: {e}"))),
    };
    let check = |state: State| {
        if state.format != FORMAT {
            return Err(other_format(state.format));
        }
        let state = state.arranged(program).into_owned();
        state.check(program, batch).map(|()| state)
    };
    state.and_then(check).map_err(|e| in_file(path, &e))
}

/// Writes a state, by the extension of the name.
///
/// # Errors
/// `NotFound` if the file cannot be written; the message names it.
pub fn write(path: &Path, state: &State) -> Result<()> {
    let bytes = match extension(path)? {
        Extension::Npz => npz::to_bytes(state),
        Extension::Json => serde_json::to_vec(state).map_err(|e| Error::fault(format!("the state cannot be written: {e}"))),
    };
    files::write(path, &bytes.map_err(|e| in_file(path, &e))?)
}

/// Checks that the name of a file says how a state is kept in it.
///
/// # Errors
/// `InvalidSignal` for another extension than `.npz` and `.json`.
pub fn check_name(path: &Path) -> Result<()> {
    extension(path).map(|_| ())
}

enum Extension {
    Npz,
    Json,
}

fn extension(path: &Path) -> Result<Extension> {
    match path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase().as_str() {
        "npz" => Ok(Extension::Npz),
        "json" => Ok(Extension::Json),
        other => Err(Error::invalid_signal(format!(
            "state file \"{}\": unknown extension {other:?}; known are .npz and .json",
            path.display()
        ))),
    }
}

fn other_format(format: u32) -> Error {
    Error::invalid_signal(format!("the state has format {format}, but only {FORMAT} is known; save it again with this version"))
}

fn in_file(path: &Path, error: &Error) -> Error {
    Error::new(error.kind(), format!("state file \"{}\": {}", path.display(), error.message()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use isoform_core::error::ErrorKind;
    use isoform_core::functions::{cuba_lif, lif};
    use isoform_core::semantics::Semantics;

    fn program(tau: f64) -> Program {
        let mut net = Program::builder();
        let x = net.input("x", [3]);
        let a = net.node("group/a", lif().with("tau", tau), x);
        let b = net.node("b:c", cuba_lif().with("tau_syn", 2e-3).with("tau_mem", tau), a);
        net.output("y", b);
        net.build(Semantics::exact(1e-3)).expect("valid")
    }

    fn state(program: &Program) -> State {
        let mut state = State::initial(program, 2);
        state.tick = 77;
        let numbers = [0.1, -1.0 / 3.0, f64::MIN_POSITIVE, 1e300, -0.0, f64::EPSILON];
        state.blocks.iter_mut().for_each(|b| b.values = numbers.to_vec());
        state
    }

    #[test]
    fn both_kinds_of_file_keep_every_bit() {
        let folder = tempfile::tempdir().expect("a folder");
        let program = program(5e-3);
        let state = state(&program);
        for name in ["s.npz", "s.json"] {
            let path = folder.path().join(name);
            write(&path, &state).expect("written");
            let back = read(&path, &program, 2).expect("read");
            assert_eq!(back, state);
            let bits = |s: &State| s.blocks.iter().flat_map(|b| b.values.iter().map(|v| v.to_bits())).collect::<Vec<_>>();
            assert_eq!(bits(&back), bits(&state));
        }
    }

    #[test]
    fn a_state_of_another_program_batch_or_version_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mine, other) = (program(5e-3), program(6e-3));
        for name in ["s.npz", "s.json"] {
            let path = folder.path().join(name);
            write(&path, &state(&mine)).expect("written");
            let foreign = read(&path, &other, 2).expect_err("foreign");
            assert_eq!(foreign.kind(), ErrorKind::InvalidSignal);
            assert!(foreign.to_string().contains("belongs to program"), "{foreign}");
            assert!(read(&path, &mine, 3).expect_err("other batch").to_string().contains("2 lanes instead of 3"));
            write(&path, &State { format: 9, ..state(&mine) }).expect("written");
            assert!(read(&path, &mine, 2).expect_err("other version").to_string().contains("format 9"));
        }
    }

    #[test]
    fn a_damaged_file_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let program = program(5e-3);
        for name in ["s.npz", "s.json"] {
            let path = folder.path().join(name);
            write(&path, &state(&program)).expect("written");
            let whole = std::fs::read(&path).expect("read");
            for keep in (0..whole.len()).step_by(7) {
                std::fs::write(&path, &whole[..keep]).expect("written");
                let error = read(&path, &program, 2).expect_err("cut short");
                assert!(error.to_string().contains(name), "{error}");
            }
            for at in (0..whole.len()).step_by(3) {
                let mut bytes = whole.clone();
                bytes[at] ^= 0x55;
                std::fs::write(&path, &bytes).expect("written");
                // a flipped bit may hit a number or padding, but never panics
                drop(read(&path, &program, 2));
            }
        }
        assert!(read(&folder.path().join("s.txt"), &program, 2).is_err());
    }
}
