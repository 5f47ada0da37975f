//! Signals of a run in files.

use crate::cli::failure::{Failure, Result};
use isoform::core::dynamics::Domain;
use isoform::core::program::{NodeKind, OutputPort, Program};
use isoform::formats::nir::Compat;
use isoform::formats::signal::{self, Dense, Options, Recording, Signal, SignalError, SignalErrorKind};
use isoform::run::Probe;
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
pub(crate) fn read_input(recorded: &Recorded, dt: Option<f64>, program: &Program) -> Result<Signal> {
    let (path, node, observable) = (&recorded.file, recorded.node.as_deref(), recorded.observable.as_deref());
    let mut options = Options::default().with_inputs(program.inputs().iter().map(|port| &port.name));
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

/// Neighbouring channels of a signal that belong to one node.
pub(crate) struct Part<'a> {
    node: &'a str,
    /// The state that was observed, if not the output.
    state: Option<&'a str>,
    spiking: bool,
    channels: usize,
}

impl<'a> Part<'a> {
    /// The outputs of a program, one behind the other.
    pub(crate) fn outputs(program: &'a Program, counts: bool) -> Vec<Self> {
        let part = |output: &'a OutputPort| {
            let spiking = output.port.domain == Domain::Spikes && !counts;
            Self { node: &output.port.name, state: None, spiking, channels: output.port.shape.len() }
        };
        program.outputs().iter().map(part).collect()
    }

    /// What a probe recorded.
    pub(crate) fn probe(program: &Program, probe: &'a Probe, channels: usize) -> Self {
        let spikes = |node: &str| match program.node(node).map(|(_, node)| &node.kind) {
            Ok(NodeKind::Dynamics { function, .. }) => function.signature().outputs[0].domain == Domain::Spikes,
            _ => false,
        };
        match probe {
            Probe::Output(node) => Self { node, state: None, spiking: spikes(node), channels },
            Probe::State { node, state } => Self { node, state: Some(state), spiking: false, channels },
        }
    }
}

/// Writes what came out of a run; in recorded data of NIR each part goes by its node.
pub(crate) fn write_output(path: &Path, dense: &Dense, dt: f64, parts: &[Part<'_>]) -> Result<()> {
    if !path.extension().is_some_and(|e| e.eq_ignore_ascii_case("nir")) {
        return signal::write(path, &Signal::from(dense.clone()), &Options::default()).map_err(Failure::input);
    }
    let mut from = 0;
    let recordings = parts.iter().map(|part| {
        let lanes = dense.data.chunks_exact(dense.channels.max(1));
        let data: Vec<f32> = lanes.flat_map(|lane| lane.iter().skip(from).take(part.channels)).copied().collect();
        from += part.channels;
        let binary = part.spiking && data.iter().all(|&v| v == 0.0 || v == 1.0);
        let observable = part.state.unwrap_or(if binary { "spikes" } else { "values" }).to_owned();
        let signal = Dense::new(dense.ticks, dense.batch, part.channels, data)?.into();
        Ok(Recording { node: part.node.to_owned(), observable, signal, binary })
    });
    recordings
        .collect::<std::result::Result<Vec<_>, SignalError>>()
        .and_then(|recordings| signal::write_recordings(path, &recordings, dt))
        .map_err(Failure::input)
}
