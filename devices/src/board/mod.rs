//! The reference board: any device that speaks the protocol of `docs/board-protocol.md`.

pub mod codec;
pub mod dialogue;
