//! Signals of a run in files.

use crate::cli::failure::{Failure, Result};
use isoform::formats::nir::Compat;
use isoform::formats::signal::{self, Dense, Options, Signal, SignalErrorKind};
use std::path::Path;

/// Reads what goes into a run; a file of several recordings is followed by the one that is meant, as `x.nir:NODE:OBSERVABLE`.
pub(crate) fn read_input(path: &Path, dt: Option<f64>, node: Option<&str>, observable: Option<&str>) -> Result<Signal> {
    let text = path.to_string_lossy();
    if !path.exists()
        && let Some((file, (node, observable))) =
            text.rsplit_once(".nir:").and_then(|(file, rest)| Some((file, rest.rsplit_once(':')?)))
    {
        return read_input(Path::new(&format!("{file}.nir")), dt, Some(node), Some(observable));
    }
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
