//! Tests of the observations engine through its public door, on both databases.

mod devices;
mod help;
mod kill;
mod ranges;
mod restart;
mod rollups;
mod writing;
