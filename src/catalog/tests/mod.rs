//! The embedded catalog is valid, and each mistake in a catalog is an error with its position.

mod data;
mod directories;
mod mistakes;
mod order;
mod playbooks;
mod properties;
mod records;
mod routines;
mod worlds;
