//! Any bytes as a signal: the first byte chooses the format.
#![no_main]

use isoform_formats::signal::{self, Options, Signal, SignalErrorKind};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else {
        return;
    };
    let extension = ["npy", "csv", "nir"][usize::from(choice % 3)];
    match signal::from_bytes(extension, bytes, &Options::default().with_dt(1e-3)) {
        Ok(Signal::Dense(dense)) => {
            assert_eq!(dense.data.len(), dense.ticks * dense.batch * dense.channels);
        }
        Ok(_) => {}
        Err(error) => {
            if let SignalErrorKind::Nir(error) = error.kind() {
                let panicked = matches!(error.kind(), isoform_formats::nir::NirErrorKind::Panicked(_));
                assert!(!panicked, "{error}");
            }
        }
    }
});
