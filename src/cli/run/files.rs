//! Signals of a run in files.

use crate::cli::failure::{Failure, Result};
use isoform::formats::nir::Compat;
use isoform::formats::signal::{self, Dense, Options, Signal, SignalErrorKind};
use std::path::{Path, PathBuf};

/// Which recording of which file goes into a run.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) file: PathBuf,
    pub(crate) node: Option<String>,
    pub(crate) observable: Option<String>,
}

impl Recorded {
    /// Reads `FILE`, or `FILE.nir:NODE:OBSERVABLE` if there is no file of that whole name.
    pub(crate) fn named(path: &Path) -> Self {
        let text = path.to_string_lossy();
        let parts = text.rsplit_once(".nir:").and_then(|(file, rest)| Some((format!("{file}.nir"), rest.rsplit_once(':')?)));
        match parts {
            Some((file, (node, observable))) if !path.exists() => {
                Self { file: file.into(), node: Some(node.to_owned()), observable: Some(observable.to_owned()) }
            }
            _ => Self { file: path.to_owned(), node: None, observable: None },
        }
    }
}

/// Reads what goes into a run.
pub(crate) fn read_input(recorded: &Recorded, dt: Option<f64>) -> Result<Signal> {
    let (path, node, observable) = (&recorded.file, recorded.node.as_deref(), recorded.observable.as_deref());
    let mut options = Options::default();
    if let Some(dt) = dt {
        options = options.with_dt(dt);
    }
    if let Some(node) = node {
        options = options.with_node(node);
    }
    if let Some(observable) = observable {
        options = options.with_observable(observable);
    }
    // a folder or a missing file is named as for any other file
    isoform::files::check_readable(path)?;
    let read = signal::read(path, &options).map_err(Failure::input)?;
    if let (Signal::Dense(Dense { dt: Some(own), .. }), Some(dt)) = (&read, dt)
        && (own - dt).abs() > 1e-9 * dt
    {
        return Err(Failure::Input(format!(
            "input \"{}\": it was recorded with a time step of {own} s, not {dt} s; run with --dt {own}",
            path.display()
        )));
    }
    Ok(read)
}

/// Checks that a signal can be written to a file, before the work whose result it is to hold.
pub(crate) fn check_output(path: &Path, compat: Compat) -> Result<()> {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    match extension.as_str() {
        "npy" | "csv" => {}
        "nir" if compat == Compat::V1_0_4 => {
            return Err(Failure::Input(format!(
                "output \"{}\": nir 1.0.4 has no recorded data; write .npy or .csv, or leave --nir-compat out",
                path.display()
            )));
        }
        "nir" => {}
        _ => return Err(Failure::Input(format!("output \"{}\": {}", path.display(), SignalErrorKind::Extension(extension)))),
    }
    Ok(isoform::files::check_writable(path)?)
}

/// Writes what came out of a run.
pub(crate) fn write_output(path: &Path, dense: &Dense, dt: f64, node: &str, spiking: bool) -> Result<()> {
    let binary = spiking && dense.data.iter().all(|&v| v == 0.0 || v == 1.0);
    let observable = if binary { "spikes" } else { "values" };
    let options = Options::default().with_dt(dt).with_node(node).with_observable(observable).with_binary(binary);
    signal::write(path, &Signal::from(dense.clone()), &options).map_err(Failure::input)
}
