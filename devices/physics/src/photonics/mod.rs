//! Meshes of interferometers, and what is imperfect about them.
