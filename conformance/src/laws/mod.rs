//! The laws, one file each, and the one list of them.

use crate::law::Law;

macro_rules! modules {
    ($($module:ident)+) => { $(mod $module;)+ };
}

modules! {
    l0_descriptor
    l0_honesty
    l0_bad_input
    l0_refusal
    l0_reopen
    l0_two_realizations
    l0_cancel
    l0_seed
    l0_names
    l1_reset
    l1_reset_histories
    l1_branch
    l1_split
    l1_empty_chunk
    l1_theta
    l1_noise
    l1_reset_trials
    l1_washout
    l1_lanes
    l1_instances
    l1_portability
    l1_migration
    l2_functions
    l2_linear
    l2_delays
    l2_cycles
    l2_nested
    l2_causality
    l2_time_shift
    l2_cross_talk
    l2_signals
    l2_range
    l2_overflow
    l2_step
    l2_trains
    l2_fingerprint
    l2_programs
    l2_commands
    l2_equivalence
    l2_company
    l2_course
    l2_isolation
    l2_transfer
    l2_response
    l2_settled
    l2_capacity
    l2_pinched
    l3_endurance
    l3_reopen
    l3_memory
    l3_drift
    l3_stationarity
    l3_clock
    l3_calibration
    l3_wear
    l4_latency
    l4_throughput
    l4_setup
}

/// What the laws take at the least, for the plan of a run.
pub(crate) mod least {
    pub(crate) use super::l1_noise::ticks as noise;
    pub(crate) use super::l1_reset_trials::ticks as reset_trials;
    pub(crate) use super::l1_washout::ticks as washout;
    pub(crate) use super::l2_capacity::STAGE as CAPACITY;
    pub(crate) use super::l2_company::is_in_company;
    pub(crate) use super::l2_course::ticks as course;
    pub(crate) use super::l2_equivalence::ROWS as EQUIVALENCE;
    pub(crate) use super::l2_isolation::stimuli as isolation;
    pub(crate) use super::l2_pinched::ticks as pinched;
    pub(crate) use super::l2_response::ticks as response;
    pub(crate) use super::l2_settled::ticks as settled;
    pub(crate) use super::l2_transfer::FEWEST_STIMULI as TRANSFER;
    pub(crate) use super::l3_calibration::STAIRCASES;
    pub(crate) use super::l3_drift::{AGES, WORK};
    pub(crate) use super::l3_stationarity::ticks as stationarity;
}

/// Hands the list of laws to a macro of this crate: the only place where it stands.
///
/// A name is that of the law's module and of the test that a third party gets; the law itself carries the id.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_law {
    ($then:ident $arguments:tt) => {
        $crate::$then! { $arguments
            l0_descriptor "L0.descriptor"
            l0_honesty "L0.honesty"
            l0_bad_input "L0.bad-input"
            l0_refusal "L0.refusal"
            l0_reopen "L0.reopen"
            l0_two_realizations "L0.two-realizations"
            l0_cancel "L0.cancel"
            l0_seed "L0.seed"
            l0_names "L0.names"
            l1_reset "L1.reset"
            l1_reset_histories "L1.reset-histories"
            l1_branch "L1.branch"
            l1_split "L1.split"
            l1_empty_chunk "L1.empty-chunk"
            l1_theta "L1.theta"
            l1_lanes "L1.lanes"
            l1_instances "L1.instances"
            l1_portability "L1.portability"
            l1_noise "L1.noise"
            l1_reset_trials "L1.reset-trials"
            l1_washout "L1.washout"
            l2_functions "L2.functions"
            l2_linear "L2.linear"
            l2_delays "L2.delays"
            l2_cycles "L2.cycles"
            l2_nested "L2.nested"
            l2_causality "L2.causality"
            l2_time_shift "L2.time-shift"
            l2_cross_talk "L2.cross-talk"
            l2_signals "L2.signals"
            l2_range "L2.range"
            l2_overflow "L2.overflow"
            l2_step "L2.step"
            l2_trains "L2.trains"
            l2_fingerprint "L2.fingerprint"
            l2_programs "L2.programs"
            l2_commands "L2.commands"
            l2_equivalence "L2.equivalence"
            l2_company "L2.company"
            l2_course "L2.course"
            l2_isolation "L2.isolation"
            l2_transfer "L2.transfer"
            l2_response "L2.response"
            l2_settled "L2.settled"
            l2_capacity "L2.capacity"
            l2_pinched "L2.pinched"
            l3_endurance "L3.endurance"
            l3_reopen "L3.reopen"
            l3_memory "L3.memory"
            l3_drift "L3.drift"
            l3_stationarity "L3.stationarity"
            l3_clock "L3.clock"
            l3_calibration "L3.calibration"
            l3_wear "L3.wear"
            l4_latency "L4.latency"
            l4_throughput "L4.throughput"
            l4_setup "L4.setup"
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __law_table {
    ([] $($name:ident $id:literal)+) => { &[$($name::LAW),+] };
}

#[cfg(test)]
#[doc(hidden)]
#[macro_export]
macro_rules! __law_names {
    ([] $($name:ident $id:literal)+) => { &[$((stringify!($name), $id)),+] };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __law_tests {
    ([$substrate:expr] $($name:ident $id:literal)+) => {
        $(#[test]
        fn $name() {
            $crate::suite::assert_law(&$substrate, $id);
        })+
    };
}

/// Turns every law into a `#[test]` of its own on a substrate of yours.
///
/// ```
/// use isoform_core::oracle::OracleSubstrate;
///
/// isoform_conformance::laws!(OracleSubstrate::new());
/// isoform_conformance::laws!(under_another_name, OracleSubstrate::new());
/// # fn main() {}
/// ```
///
/// The expression is evaluated anew for each test and gives anything that is a
/// [`Substrate`](isoform_core::substrate::Substrate). The tests stand in a module, `laws` unless a name comes first. Each panics
/// with the reason if its law does not hold; a law about an ability that the profile does not claim holds if the ability is
/// properly refused.
#[macro_export]
macro_rules! laws {
    ($substrate:expr) => {
        $crate::laws! { laws, $substrate }
    };
    ($module:ident, $substrate:expr) => {
        mod $module {
            #[allow(unused_imports, reason = "the expression may name anything in scope around the macro")]
            use super::*;
            $crate::for_each_law! { __law_tests [$substrate] }
        }
    };
}

/// Every law, in the order of the table.
#[must_use]
pub fn laws() -> &'static [Law] {
    const TABLE: &[Law] = for_each_law! { __law_table [] };
    TABLE
}

/// The laws between a substrate and its peers. They are tried where peers are given, and no claim rests on them: it speaks of one
/// substrate.
#[must_use]
pub fn peer_laws() -> &'static [Law] {
    &[l1_migration::LAW]
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &[(&str, &str)] = for_each_law! { __law_names [] };

    #[test]
    fn every_law_stands_under_its_own_name() {
        for law in peer_laws() {
            assert!(law.id.starts_with(&law.level.to_string()) && !laws().iter().any(|l| l.id == law.id), "{}", law.id);
        }
        for law in laws() {
            assert!(law.id.starts_with(&law.level.to_string()), "{}", law.id);
            let name = law.id.to_ascii_lowercase().replace(['.', '-'], "_");
            assert!(NAMES.contains(&(name.as_str(), law.id)), "{} stands under another name", law.id);
            assert!(!law.title.is_empty() && !law.needs.is_empty(), "{}", law.id);
        }
    }
}
