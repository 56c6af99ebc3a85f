//! The embedded catalog is right, and every mistake in one is told.

mod data;
mod directories;
mod mistakes;
mod order;
mod properties;
mod worlds;
