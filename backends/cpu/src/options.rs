//! How the substrate is to use the processor.

use crate::error::CpuError;
use isoform_core::error::Result;
use isoform_core::lanes::InstructionSet;
use isoform_core::locator::Locator;

/// More threads than any one pool is given.
pub(crate) const MOST_THREADS: usize = 1024;

/// The options of a locator and what they mean.
pub(crate) const DOCUMENTED: &[(&str, &str)] = &[
    ("threads", "how many threads to use; by default one for each core that is available"),
    ("isa", "auto, baseline, avx2 or avx512; by default the widest that the processor has"),
];

/// How the substrate is to use the processor. No option changes a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    threads: Option<usize>,
    instructions: Option<InstructionSet>,
}

impl Options {
    /// All cores, and the widest instruction set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with so many threads.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// The same with this instruction set.
    #[must_use]
    pub fn with_instructions(mut self, instructions: InstructionSet) -> Self {
        self.instructions = Some(instructions);
        self
    }

    /// Reads the options of a locator.
    ///
    /// # Errors
    /// `Unsupported` for an unknown option or value.
    pub fn from_locator(locator: &Locator) -> Result<Self> {
        let mut reader = locator.reader();
        let threads: Option<usize> = reader.take("threads")?;
        let isa: Option<String> = reader.take("isa")?;
        reader.finish(&["threads", "isa"])?;
        let instructions = match isa.as_deref() {
            None | Some("auto") => None,
            Some(name) => match InstructionSet::ALL.iter().copied().find(|set| set.name() == name) {
                Some(set) => Some(set),
                None => return Err(CpuError::UnknownInstructionSet(name.to_owned()).into()),
            },
        };
        Ok(Self { threads, instructions })
    }

    pub(crate) fn threads(self) -> Result<usize, CpuError> {
        match self.threads {
            Some(n) if n == 0 || n > MOST_THREADS => Err(CpuError::Threads(n)),
            Some(n) => Ok(n),
            None => Ok(std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS)),
        }
    }

    pub(crate) fn instructions(self) -> Result<InstructionSet, CpuError> {
        let best = InstructionSet::best();
        match self.instructions {
            Some(wanted) if !wanted.is_available() => Err(CpuError::InstructionSet { wanted, best }),
            Some(wanted) => Ok(wanted),
            None => Ok(best),
        }
    }
}
