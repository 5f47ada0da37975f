//! Instruments, one folder each: codec (bytes to values), driver (values to the contract), twin (the same bytes from software).
#![forbid(unsafe_code)]
