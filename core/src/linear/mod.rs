//! Linear maps.
