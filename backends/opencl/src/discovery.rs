//! Which devices there are.

use crate::fault::OpenClError;
use opencl3::device::{CL_DEVICE_TYPE_ACCELERATOR, CL_DEVICE_TYPE_ALL, CL_DEVICE_TYPE_CPU, Device};
use opencl3::error_codes::{CL_DEVICE_NOT_FOUND, DLOPEN_RUNTIME_LOAD_FAILED};
use opencl3::platform::get_platforms;
use std::fmt;
use std::sync::OnceLock;

/// A device and what is known of it without running anything.
#[derive(Debug, Clone)]
pub(crate) struct Card {
    /// The numbers of platform and device.
    pub(crate) place: [usize; 2],
    pub(crate) platform: String,
    pub(crate) name: String,
    pub(crate) driver: String,
    pub(crate) id: usize,
    pub(crate) kind: Kind,
    /// Numbers in single precision that it computes side by side.
    pub(crate) width: usize,
    /// The most bytes of one buffer.
    pub(crate) largest: usize,
    /// Whether numbers below the smallest normal one are kept.
    pub(crate) subnormals: bool,
    /// Whether division and square root are rounded correctly.
    pub(crate) rounded: bool,
    /// Whether it can compile at all.
    pub(crate) compiler: bool,
    /// The largest group of work items.
    pub(crate) group: usize,
}

/// What kind of device it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A processor with vectors.
    Cpu,
    /// A board, which wants a single work item.
    Accelerator,
    /// Anything else: many threads.
    Gpu,
}

impl fmt::Display for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} ({}, {})", self.place[0], self.place[1], self.name, self.platform)
    }
}

impl Card {
    /// The device itself.
    pub(crate) fn device(&self) -> Device {
        Device::new(self.id as *mut std::ffi::c_void)
    }
}

/// Every device.
///
/// Asked for once, by one thread: drivers fail when several threads are the first to ask.
pub(crate) fn cards() -> Result<&'static [Card], OpenClError> {
    static FOUND: OnceLock<Result<Vec<Card>, bool>> = OnceLock::new();
    match FOUND.get_or_init(look) {
        Ok(cards) => Ok(cards),
        Err(true) => Err(OpenClError::NoLibrary),
        Err(false) => Err(OpenClError::NoDevice),
    }
}

/// The devices, or whether the library itself is absent.
fn look() -> Result<Vec<Card>, bool> {
    let platforms = get_platforms().map_err(|e| e.0 <= DLOPEN_RUNTIME_LOAD_FAILED)?;
    let mut cards = Vec::new();
    for (p, platform) in platforms.iter().enumerate() {
        let name = platform.name().unwrap_or_default();
        let devices = match platform.get_devices(CL_DEVICE_TYPE_ALL) {
            Ok(devices) => devices,
            Err(e) if e.0 == CL_DEVICE_NOT_FOUND => continue,
            // a platform that fails is as good as none
            Err(_) => continue,
        };
        cards.extend(devices.into_iter().enumerate().filter_map(|(d, id)| card([p, d], &name, &Device::new(id))));
    }
    if cards.is_empty() { Err(false) } else { Ok(cards) }
}

fn card(place: [usize; 2], platform: &str, device: &Device) -> Option<Card> {
    const DENORMALS: u64 = 1;
    const CORRECTLY_ROUNDED: u64 = 1 << 7;
    let kind = device.dev_type().ok()?;
    let config = device.single_fp_config().unwrap_or(0);
    let kind = if kind & CL_DEVICE_TYPE_CPU != 0 {
        Kind::Cpu
    } else if kind & CL_DEVICE_TYPE_ACCELERATOR != 0 {
        Kind::Accelerator
    } else {
        Kind::Gpu
    };
    let native = device.native_vector_width_float().unwrap_or(1).max(1);
    Some(Card {
        place,
        platform: platform.trim().to_owned(),
        name: device.name().ok()?.trim().to_owned(),
        driver: device.driver_version().unwrap_or_default().trim().to_owned(),
        id: device.id() as usize,
        kind,
        width: if kind == Kind::Cpu { (native.next_power_of_two() as usize).min(isoform_kernels::lower::PAD) } else { 1 },
        largest: usize::try_from(device.max_mem_alloc_size().ok()?).unwrap_or(usize::MAX),
        subnormals: config & DENORMALS != 0,
        rounded: config & CORRECTLY_ROUNDED != 0 || kind == Kind::Cpu,
        compiler: device.compiler_available().unwrap_or(false),
        group: device.max_work_group_size().unwrap_or(1).max(1),
    })
}
