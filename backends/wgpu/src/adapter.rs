//! Which adapters there are, and what is known of each without asking for its device.

use crate::fault::WgpuError;
use crate::options::{Options, Power};
use isoform_core::bound::{Accuracy, Precision};
use isoform_core::executor::block_on;
use isoform_core::polynomial::{COS_ULP, EXP_ULP, LN_ULP, SIN_ULP, TANH_ULP};
use isoform_core::profile::{Facets, Profile};
use isoform_kernels::print::wgsl::{GROUP, Rounding};
use wgpu::{Adapter, Backends, DeviceType, DownlevelFlags, Instance, InstanceDescriptor, InstanceFlags, RequestAdapterOptions};

/// Every adapter that can run kernels, the preferred one first.
pub(crate) fn list(power: Power) -> Result<Vec<Adapter>, WgpuError> {
    let instance = Instance::new(InstanceDescriptor {
        backends: Backends::PRIMARY,
        flags: InstanceFlags::empty(),
        ..InstanceDescriptor::new_without_display_handle()
    });
    let mut adapters = block_on(instance.enumerate_adapters(Backends::PRIMARY));
    adapters.retain(|a| {
        a.get_downlevel_capabilities().flags.contains(DownlevelFlags::COMPUTE_SHADERS)
            && a.limits().max_compute_invocations_per_workgroup >= GROUP
    });
    adapters.sort_by_key(|a| rank(a.get_info().device_type, power));
    if adapters.is_empty() {
        return Err(match block_on(instance.request_adapter(&RequestAdapterOptions::default())) {
            Err(error) => WgpuError::NoAdapter(Box::new(error)),
            Ok(_) => WgpuError::NoAdapter("none of the adapters runs compute shaders".into()),
        });
    }
    Ok(adapters)
}

/// The adapter that the options name.
pub(crate) fn choose(options: &Options) -> Result<Adapter, WgpuError> {
    let adapters = list(options.power())?;
    let present: Vec<String> = adapters.iter().map(|a| a.get_info().name).collect();
    adapters
        .into_iter()
        .find(|a| options.admits(&a.get_info().name))
        .ok_or_else(|| WgpuError::UnknownAdapter { wanted: options.wanted().unwrap_or_default().to_owned(), present })
}

fn rank(kind: DeviceType, power: Power) -> u8 {
    match (kind, power) {
        (DeviceType::DiscreteGpu, Power::High) | (DeviceType::IntegratedGpu, Power::Low) => 0,
        (DeviceType::IntegratedGpu, Power::High) | (DeviceType::DiscreteGpu, Power::Low) => 1,
        (DeviceType::VirtualGpu, _) => 2,
        (DeviceType::Other, _) => 3,
        (DeviceType::Cpu, _) => 4,
    }
}

/// What is promised on an adapter.
pub(crate) fn profile(adapter: &Adapter, rounding: Rounding) -> Profile {
    let info = adapter.get_info();
    let mut profile = Profile::digital("wgpu", env!("CARGO_PKG_VERSION")).with_facets(Facets {
        memory: true,
        tuning: true,
        ..Facets::default()
    });
    let driver = [info.driver.as_str(), info.driver_info.as_str()].join(" ");
    profile.device = match driver.trim() {
        "" => format!("{} through {:?}", info.name, info.backend),
        driver => format!("{} through {:?}, driver {driver}", info.name, info.backend),
    };
    profile.accuracy = accuracy(rounding);
    profile
}

/// What WGSL promises (section 15.7.4, *Floating point accuracy*), and its relatives beneath: sums, differences and products are
/// rounded, and a division is within 2.5 ulp. A square root is as good as one over an inverse root within 2 ulp, that is, within
/// 6.5 ulp: an error of the inverse counts double where the root lies just below a power of two. The other functions are
/// polynomials of our own; `tests/accuracy.rs` sweeps them.
fn accuracy(rounding: Rounding) -> Accuracy {
    // the quotient in the hyperbolic tangent is at most half of the result
    let contraction = rounding == Rounding::Device;
    Accuracy {
        subnormals: false,
        contraction,
        division: Precision::within(2.5),
        sqrt: Precision::within(6.5),
        exp: Precision::within(EXP_ULP),
        ln: Precision::within(LN_ULP),
        tanh: Precision::within(TANH_ULP + 1.25),
        sin: Precision::within(SIN_ULP),
        cos: Precision::within(COS_ULP),
        ..Accuracy::single()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_of_its_own_goes_first_unless_power_is_to_be_low() {
        let kinds =
            [DeviceType::Cpu, DeviceType::VirtualGpu, DeviceType::IntegratedGpu, DeviceType::Other, DeviceType::DiscreteGpu];
        let first = |power| kinds.into_iter().min_by_key(|&kind| rank(kind, power));
        assert_eq!(first(Power::High), Some(DeviceType::DiscreteGpu));
        assert_eq!(first(Power::Low), Some(DeviceType::IntegratedGpu));
    }
}
