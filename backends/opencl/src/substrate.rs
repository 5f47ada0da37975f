//! The substrate: one device and what was compiled for it.

use crate::container::{Container, Header, hash};
use crate::device::{OpenClDevice, built};
use crate::discovery::{Card, Kind, cards};
use crate::driver;
use crate::fault::OpenClError;
use crate::options::{DOCUMENTED, Options};
use async_trait::async_trait;
use isoform_core::bound::{Accuracy, Precision};
use isoform_core::error::{Error, Result};
use isoform_core::profile::{Facets, Profile};
use isoform_core::program::Program;
use isoform_core::registry::{Entry, Found, Registry};
use isoform_core::substrate::{Realization, Run, Substrate};
use isoform_kernels::lower::{Lowered, Target};
use isoform_kernels::print::opencl::{Style, source};
use isoform_kernels::realization::KernelRealization;
use opencl3::context::Context;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// How the driver compiles: numbers are rounded as the standard says, nothing is traded for speed.
pub(crate) const BUILD: &str = "-cl-std=CL1.2";

/// Ticks of a block: a request to cancel is seen between two.
const LONGEST_BLOCK: usize = 64;

/// A device that programs are compiled for.
#[derive(Debug)]
pub(crate) struct Board {
    pub(crate) card: &'static Card,
    pub(crate) context: Context,
    pub(crate) style: Style,
    pub(crate) binary: Option<PathBuf>,
    /// What was compiled, by the hash of its source.
    compiled: Mutex<HashMap<String, Arc<opencl3::program::Program>>>,
}

/// An OpenCL device.
#[derive(Debug, Clone)]
pub struct OpenClSubstrate {
    profile: Arc<Profile>,
    board: Arc<Board>,
}

impl OpenClSubstrate {
    /// The device that the options mean.
    ///
    /// # Errors
    /// `NotFound` without a library, a driver or such a device, `Fault` if the device cannot be opened.
    pub fn new(options: Options) -> Result<Self> {
        let card = options.card()?;
        let context = Context::from_device(&card.device()).map_err(|e| call(card, "opening it", e))?;
        let style = options.style(card);
        let profile = Arc::new(profile(card, style));
        let board = Board { card, context, style, binary: options.binary, compiled: Mutex::default() };
        Ok(Self { profile, board: Arc::new(board) })
    }

    pub(crate) fn board(&self) -> &Arc<Board> {
        &self.board
    }

    /// How kernels must be for the device.
    pub(crate) fn target(&self) -> Target {
        let card = self.board.card;
        let (width, block_bytes) = match (self.board.style, card.kind) {
            // vectors, and rows that stay in the second cache
            (Style::Grid, Kind::Cpu) => (card.width, 1 << 19),
            _ => (1, 1 << 26),
        };
        Target { width, block_bytes, longest_block: LONGEST_BLOCK, buffer_bytes: card.largest }
    }
}

pub(crate) fn call(card: &Card, doing: &'static str, source: opencl3::error_codes::ClError) -> OpenClError {
    OpenClError::Call { device: card.to_string(), doing, source }
}

fn profile(card: &Card, style: Style) -> Profile {
    let mut profile = Profile::digital("opencl", env!("CARGO_PKG_VERSION")).with_facets(Facets {
        memory: true,
        tuning: true,
        ..Facets::default()
    });
    let style = if style == Style::Task { ", single work item" } else { "" };
    profile.device = format!("{}, {}, driver {}{style}", card.name, card.platform, card.driver);
    let single = Accuracy::single();
    let (division, sqrt) = if card.rounded {
        (single.division, single.sqrt)
    } else {
        // OpenCL C 1.2, section 7.4
        (Precision::within(2.5), Precision::within(3.0))
    };
    // one division is part of the hyperbolic tangent
    let tanh = Precision::within(single.tanh.ulp + 2.0 * (division.ulp - single.division.ulp));
    profile.accuracy = Accuracy { subnormals: card.subnormals, division, sqrt, tanh, ..single };
    profile
}

impl Board {
    /// What a container for a program must say.
    pub(crate) fn header(&self, program: &Program, batch: usize, source: &str) -> Header {
        Header {
            platform: self.card.platform.clone(),
            device: self.card.name.clone(),
            driver: self.card.driver.clone(),
            program: program.digest().to_string(),
            batch,
            style: String::from(if self.style == Style::Task { "task" } else { "grid" }),
            source: hash(source),
        }
    }

    /// The kernels, compiled or out of the container.
    pub(crate) fn compile(&self, text: &str) -> Result<Arc<opencl3::program::Program>, OpenClError> {
        let key = hash(text);
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(program) = compiled.get(&key) {
            return Ok(Arc::clone(program));
        }
        if !self.card.compiler {
            return Err(OpenClError::NoCompiler { device: self.card.to_string() });
        }
        let program = opencl3::program::Program::create_from_source(&self.context, text)
            .map_err(|e| call(self.card, "taking a program", e))?;
        let program = Arc::new(built(self.card, program)?);
        compiled.insert(key, Arc::clone(&program));
        Ok(program)
    }

    /// The kernels out of a container, if the options name one.
    pub(crate) fn load(
        &self,
        program: &Program,
        batch: usize,
        text: &str,
    ) -> Result<Option<Arc<opencl3::program::Program>>, OpenClError> {
        let Some(path) = &self.binary else { return Ok(None) };
        let file = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|source| OpenClError::Unreadable { file: file.clone(), source })?;
        let refuse = |source| OpenClError::Container { file: file.clone(), source };
        let container = Container::from_bytes(&bytes).map_err(refuse)?;
        container.check(&self.header(program, batch, text)).map_err(refuse)?;
        let program = driver::from_binary(&self.context, &self.card.device(), &container.binary)
            .map_err(|e| call(self.card, "taking a binary", e))?;
        Ok(Some(Arc::new(built(self.card, program)?)))
    }
}

#[async_trait]
impl Substrate for OpenClSubstrate {
    fn profile(&self) -> Arc<Profile> {
        Arc::clone(&self.profile)
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        self.profile.admit(program)?;
        let realization = KernelRealization::new(program, run, self.target(), |lowered: &Lowered, contents| {
            let text = source(lowered, self.board.style);
            let compiled = match self.board.load(program, run.batch, &text)? {
                Some(compiled) => compiled,
                None => self.board.compile(&text)?,
            };
            OpenClDevice::new(Arc::clone(&self.board), text, &compiled, lowered, contents).map_err(Error::from)
        })?;
        Ok(Box::new(realization))
    }
}

/// Adds the scheme `opencl:`, with the numbers of platform and device as its path, and the options `name`, `style` and `binary`.
pub fn register(registry: &mut Registry) {
    let open = |locator: &isoform_core::locator::Locator, _: &Registry| -> Result<Arc<dyn Substrate>> {
        Ok(Arc::new(OpenClSubstrate::new(Options::from_locator(locator)?)?))
    };
    let discover = || match cards() {
        Err(error) => vec![Found::absent("opencl:", error.to_string())],
        Ok(cards) => cards
            .iter()
            .map(|card| {
                let [p, d] = card.place;
                let locator = format!("opencl:{p}/{d}");
                let style = Options::new().style(card);
                Found::present(&locator, Arc::new(profile(card, style)))
            })
            .collect(),
    };
    registry.register(
        "opencl",
        Entry::new("an OpenCL device: a GPU, a processor or an FPGA board", open)
            .with_options(DOCUMENTED)
            .with_discovery(discover),
    );
}
