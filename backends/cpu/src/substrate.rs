//! The substrate: a pool of threads and an instruction set.

use crate::error::CpuError;
use crate::options::{DOCUMENTED, Options};
use crate::realization::CpuRealization;
use async_trait::async_trait;
use isoform_core::error::Result;
use isoform_core::lanes::InstructionSet;
use isoform_core::profile::{Facets, Profile, Takes};
use isoform_core::program::Program;
use isoform_core::registry::{Entry, Found, Registry};
use isoform_core::substrate::{Realization, Run, Substrate};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::Arc;

/// The processor of this computer.
#[derive(Debug, Clone)]
pub struct CpuSubstrate {
    profile: Arc<Profile>,
    instructions: InstructionSet,
    threads: usize,
    pool: Option<Arc<ThreadPool>>,
}

impl CpuSubstrate {
    /// The processor, used as the options say. Starts the threads, which live as long as the substrate and its realizations.
    ///
    /// # Errors
    /// `Unsupported` for an instruction set that the processor lacks or a senseless number of threads, `Fault` if the operating
    /// system gives no threads.
    pub fn new(options: Options) -> Result<Self> {
        let instructions = options.instructions()?;
        let threads = options.threads()?;
        let pool = match threads {
            1 => None,
            n => Some(Arc::new(
                ThreadPoolBuilder::new()
                    .num_threads(n)
                    .thread_name(|i| format!("isoform-cpu-{i}"))
                    .build()
                    .map_err(CpuError::Pool)?,
            )),
        };
        let mut profile = Profile::digital("cpu", env!("CARGO_PKG_VERSION"))
            .with_facets(Facets { memory: true, tuning: true, ..Facets::default() })
            .with_takes(Takes { located: true, fixed: true, ..Takes::default() });
        profile.device = format!("this computer: {threads} threads, {instructions}");
        Ok(Self { profile: Arc::new(profile), instructions, threads, pool })
    }

    /// The instruction set of the loops.
    #[must_use]
    pub fn instructions(&self) -> InstructionSet {
        self.instructions
    }

    /// How many threads work on large blocks.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }
}

#[async_trait]
impl Substrate for CpuSubstrate {
    fn profile(&self) -> Arc<Profile> {
        Arc::clone(&self.profile)
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        self.profile.admit(program)?;
        Ok(Box::new(CpuRealization::new(program, run, self.instructions, self.threads, self.pool.clone())?))
    }
}

/// Adds the scheme `cpu:`, with the options `threads` and `isa`.
pub fn register(registry: &mut Registry) {
    let open = |locator: &isoform_core::locator::Locator, _: &Registry| -> Result<Arc<dyn Substrate>> {
        if !locator.path().is_empty() {
            return Err(isoform_core::error::Error::unsupported(format!(
                "\"cpu:\" takes no path, but is given {:?}: leave it out",
                locator.path()
            )));
        }
        Ok(Arc::new(CpuSubstrate::new(Options::from_locator(locator)?)?))
    };
    let discover = || match CpuSubstrate::new(Options::new()) {
        Ok(cpu) => vec![Found::present("cpu:", cpu.profile())],
        Err(error) => vec![Found::absent("cpu:", error.to_string())],
    };
    registry
        .register("cpu", Entry::new("the processor of this computer", open).with_options(DOCUMENTED).with_discovery(discover));
}
