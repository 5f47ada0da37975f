//! The conformance suite of isoform: one list of laws for every substrate.
//!
//! A law is measured on a substrate and leaves [evidence](record::Evidence); a verdict is made from evidence alone. The suite is used
//! as tests of a substrate's own crate by [`laws!`], and as a call by [`suite::run`].
#![forbid(unsafe_code)]

mod agreement;
mod bench;
mod blind;
mod chance;
mod checks;
mod damage;
pub mod defects;
mod drawn;
pub mod fingerprint;
mod generate;
mod halves;
mod houses;
pub mod law;
mod laws;
pub mod media;
mod noisy;
pub mod output;
pub mod plan;
mod quantile;
pub mod record;
mod refusal;
mod settled;
mod sizes;
mod spikes;
pub mod statistics;
pub mod suite;
mod trial;
mod units;
mod untried;
pub mod waiver;
mod watch;

pub use bench::Bench;
pub use checks::{Check, Twins};
pub use damage::damaged;
pub use fingerprint::{Fingerprint, fingerprint};
pub use halves::{Halves, halves};
pub use laws::{laws, peer_laws};
pub use noisy::{Forecast, forecast};
pub use suite::{Options, Progress, choose, exit_code, judge, refused_its_own, run};
