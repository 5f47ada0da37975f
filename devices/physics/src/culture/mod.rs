//! Cultures of neurons on electrodes.
