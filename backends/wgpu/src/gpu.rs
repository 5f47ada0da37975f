//! A device with its queue, and a watch on what the driver says.

use crate::fault::WgpuError;
use crate::pipeline::Pipelines;
use isoform_core::executor::block_on;
use isoform_kernels::print::wgsl::Rounding;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use wgpu::{
    Adapter, Device, DeviceDescriptor, DeviceType, ErrorFilter, Features, Limits, MemoryHints, PollError, PollType, Queue,
    SubmissionIndex,
};

/// A device that realizations share.
#[derive(Debug)]
pub(crate) struct Gpu {
    pub(crate) device: Device,
    pub(crate) queue: Queue,
    pub(crate) limits: Limits,
    pub(crate) pipelines: Pipelines,
    /// How its kernels round.
    pub(crate) rounding: Rounding,
    /// Whether it is a processor that plays an adapter.
    pub(crate) software: bool,
    pub(crate) name: String,
    /// Why the device is gone, if it is.
    lost: Arc<OnceLock<String>>,
    /// The first error that belonged to no call.
    stray: Arc<Mutex<Option<wgpu::Error>>>,
}

impl Gpu {
    /// Asks an adapter for a device with all that the adapter can hold.
    pub(crate) fn new(adapter: &Adapter, rounding: Rounding) -> Result<Self, WgpuError> {
        let (info, limits) = (adapter.get_info(), adapter.limits());
        let described = DeviceDescriptor {
            label: Some("isoform"),
            required_features: adapter.features() & Features::TIMESTAMP_QUERY,
            required_limits: limits.clone(),
            memory_hints: MemoryHints::MemoryUsage,
            ..DeviceDescriptor::default()
        };
        let (device, queue) = block_on(adapter.request_device(&described))
            .map_err(|error| WgpuError::NoDevice { adapter: info.name.clone(), source: Box::new(error) })?;
        let lost = Arc::new(OnceLock::new());
        let gone = Arc::clone(&lost);
        device.set_device_lost_callback(move |reason, message| {
            let _ = gone.set(if message.is_empty() { format!("{reason:?}") } else { message });
        });
        let stray = Arc::new(Mutex::new(None));
        let first = Arc::clone(&stray);
        // without a handler such an error is a panic
        device.on_uncaptured_error(Arc::new(move |error| {
            first.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }));
        let software = info.device_type == DeviceType::Cpu;
        Ok(Self { device, queue, limits, pipelines: Pipelines::default(), rounding, software, name: info.name, lost, stray })
    }

    /// The most bytes of a buffer that a kernel can be given.
    pub(crate) fn buffer_bytes(&self) -> usize {
        usize::try_from(self.limits.max_storage_buffer_binding_size.min(self.limits.max_buffer_size)).unwrap_or(usize::MAX)
    }

    /// Does something and gives what the driver had to say against it.
    pub(crate) fn watch<T>(&self, doing: &str, f: impl FnOnce() -> T) -> Result<T, WgpuError> {
        self.check(doing)?;
        let scopes =
            [ErrorFilter::Internal, ErrorFilter::OutOfMemory, ErrorFilter::Validation].map(|f| self.device.push_error_scope(f));
        let result = f();
        let mut said = None;
        for scope in scopes.into_iter().rev() {
            let error = block_on(scope.pop());
            said = said.or(error);
        }
        match said {
            Some(error) => Err(self.refused(doing, error)),
            None => self.check(doing).map(|()| result),
        }
    }

    /// Waits for a submission.
    pub(crate) fn wait(&self, index: SubmissionIndex) -> Result<(), WgpuError> {
        const DOING: &str = "waiting for results";
        let poll = || self.device.poll(PollType::Wait { submission_index: Some(index), timeout: None });
        // wgpu panics where a device is lost while it is waited for
        match catch_unwind(AssertUnwindSafe(poll)) {
            Ok(Ok(_)) => self.check(DOING),
            Ok(Err(PollError::WrongSubmissionIndex(..))) => {
                // a device that is gone forgets what was submitted
                let _ = self.lost.set(String::from("it does not know what was submitted"));
                self.check(DOING)
            }
            Ok(Err(error)) => {
                self.check(DOING)?;
                Err(WgpuError::Refused { adapter: self.name.clone(), doing: DOING.into(), source: Box::new(error) })
            }
            Err(_) => {
                let _ = self.lost.set(String::from("while it was waited for"));
                self.check(DOING)
            }
        }
    }

    /// An error of the driver, with what was being done.
    pub(crate) fn refused(&self, doing: &str, error: wgpu::Error) -> WgpuError {
        let (adapter, doing) = (self.name.clone(), doing.to_owned());
        match error {
            wgpu::Error::OutOfMemory { .. } => WgpuError::OutOfMemory { adapter, doing, source: Box::new(error) },
            _ => WgpuError::Refused { adapter, doing, source: Box::new(error) },
        }
    }

    /// A failure of the driver that comes as a text.
    pub(crate) fn failed(&self, doing: &str, why: String) -> WgpuError {
        match self.alive() {
            Err(lost) => lost,
            Ok(()) => WgpuError::Refused { adapter: self.name.clone(), doing: doing.to_owned(), source: why.into() },
        }
    }

    /// Whether the device is still there.
    pub(crate) fn alive(&self) -> Result<(), WgpuError> {
        match self.lost.get() {
            Some(reason) => Err(WgpuError::Lost { adapter: self.name.clone(), reason: reason.clone() }),
            None => Ok(()),
        }
    }

    fn check(&self, doing: &str) -> Result<(), WgpuError> {
        self.alive()?;
        match self.stray.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(self.refused(doing, error)),
            None => Ok(()),
        }
    }
}
