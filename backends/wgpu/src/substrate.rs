//! The substrate: an adapter and its device.

use crate::adapter;
use crate::device::Loaded;
use crate::fault::WgpuError;
use crate::gpu::Gpu;
use crate::options::{DOCUMENTED, Options};
use async_trait::async_trait;
use isoform_core::error::{Error, Result};
use isoform_core::locator::Locator;
use isoform_core::profile::Profile;
use isoform_core::program::Program;
use isoform_core::registry::{Entry, Found, Registry};
use isoform_core::substrate::{Realization, Run, Substrate};
use isoform_kernels::lower::Target;
use isoform_kernels::print::wgsl::Rounding;
use isoform_kernels::realization::KernelRealization;
use std::sync::{Arc, Mutex, PoisonError};
use wgpu::Adapter;

/// The most ticks of a block: what a request to cancel may have to wait for.
const LONGEST_BLOCK: usize = 256;

/// A graphics processor, or a driver that plays one.
#[derive(Debug, Clone)]
pub struct WgpuSubstrate {
    profile: Arc<Profile>,
    adapter: Adapter,
    rounding: Rounding,
    /// Replaced when it is lost.
    gpu: Arc<Mutex<Arc<Gpu>>>,
}

impl WgpuSubstrate {
    /// The adapter that the options name, with a device of its own, which lives as long as the substrate and its realizations.
    ///
    /// # Errors
    /// `NotFound` if there is no adapter, or none of that name; `Fault` if the driver gives no device.
    pub fn new(options: Options) -> Result<Self> {
        let (adapter, rounding) = (adapter::choose(&options)?, options.rounding());
        let gpu = Arc::new(Mutex::new(Arc::new(Gpu::new(&adapter, rounding)?)));
        Ok(Self { profile: Arc::new(adapter::profile(&adapter, rounding)), adapter, rounding, gpu })
    }

    /// The name of the adapter.
    #[must_use]
    pub fn adapter(&self) -> String {
        self.adapter.get_info().name
    }

    /// The device, or a fresh one if it was lost.
    fn gpu(&self) -> Result<Arc<Gpu>, WgpuError> {
        let mut gpu = self.gpu.lock().unwrap_or_else(PoisonError::into_inner);
        if gpu.alive().is_err() {
            // an adapter of a lost device may be gone as well, which is then said
            *gpu = Arc::new(Gpu::new(&self.adapter, self.rounding)?);
        }
        Ok(Arc::clone(&gpu))
    }
}

#[async_trait]
impl Substrate for WgpuSubstrate {
    fn profile(&self) -> Arc<Profile> {
        Arc::clone(&self.profile)
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        self.profile.admit(program)?;
        let gpu = self.gpu()?;
        // a processor that plays an adapter keeps the rows of a block in its caches
        let block_bytes = if gpu.software { 1 << 20 } else { 64 << 20 };
        let target = Target { width: 1, block_bytes, longest_block: LONGEST_BLOCK, buffer_bytes: gpu.buffer_bytes() };
        let load = |lowered: &_, contents: &[_]| Loaded::new(gpu, lowered, contents);
        Ok(Box::new(KernelRealization::new(program, run, target, load)?))
    }
}

/// Adds the scheme `wgpu:`, with the options `adapter`, `power` and `rounding`.
pub fn register(registry: &mut Registry) {
    let open = |locator: &Locator, _: &Registry| -> Result<Arc<dyn Substrate>> {
        if !locator.path().is_empty() {
            return Err(Error::unsupported(format!(
                "\"wgpu:\" takes no path, but is given {:?}: name an adapter as \"wgpu:?adapter=NAME\"",
                locator.path()
            )));
        }
        Ok(Arc::new(WgpuSubstrate::new(Options::from_locator(locator)?)?))
    };
    let entry = Entry::new("graphics processors, through Vulkan, Metal or Direct3D 12", open);
    registry.register("wgpu", entry.with_options(DOCUMENTED).with_discovery(discover));
}

/// Every adapter, as it is named in a locator.
fn discover() -> Vec<Found> {
    match adapter::list(Options::new().power()) {
        Ok(adapters) => {
            let names: Vec<String> = adapters.iter().map(|a| a.get_info().name).collect();
            let found = adapters.iter().zip(&names);
            found.map(|(a, name)| Found::present(locator(name, &names), Arc::new(adapter::profile(a, Rounding::Each)))).collect()
        }
        Err(error) => vec![Found::absent("wgpu:", error.to_string())],
    }
}

/// The locator of an adapter: its first word, where that names no other.
fn locator(name: &str, all: &[String]) -> String {
    let word = name.split_whitespace().next().unwrap_or(name).to_lowercase();
    let alone = all.iter().filter(|other| other.to_lowercase().contains(&word)).count() == 1;
    let wanted = if alone { word } else { name.to_owned() };
    Locator::new("wgpu").and_then(|l| l.with_option("adapter", wanted)).map_or_else(|_| String::from("wgpu:"), |l| l.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use isoform_core::builder::Builder;
    use isoform_core::error::{ErrorKind, Integrity};
    use isoform_core::functions::lif;
    use isoform_core::semantics::Semantics;
    use isoform_core::session::Blocking;

    #[test]
    fn a_lost_device_loses_the_state_and_the_next_program_gets_another() {
        let gpu = match WgpuSubstrate::new(Options::new()) {
            Ok(gpu) => gpu,
            Err(error) if std::env::var_os("CI").is_none() => return eprintln!("NOT RUN: {error}"),
            Err(error) => panic!("{error}"),
        };
        let mut net = Builder::new();
        let x = net.input("x", [1]);
        let z = net.node("neuron", lif().with("tau", 4.0), x);
        net.output("z", z);
        let program = net.build(Semantics::exact(1.0)).expect("valid");
        let mut session = Blocking::open(&gpu, &program, &Run::new()).expect("realises");
        let before = session.run(&[2.0; 10]).expect("runs");
        gpu.gpu().expect("is there").device.destroy();
        let error = session.run(&[2.0; 10]).expect_err("the device is gone");
        assert_eq!((error.kind(), error.state()), (ErrorKind::Disconnected, Integrity::Lost), "{error}");
        let mut again = Blocking::open(&gpu, &program, &Run::new()).expect("realises on a fresh device");
        assert_eq!(again.run(&[2.0; 10]).expect("runs"), before);
    }
}
