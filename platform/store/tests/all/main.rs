//! Tests of the store through its public door, every one on both databases.

mod audit;
mod backup;
mod documents;
mod durability;
mod events;
mod jobs;
mod opening;
