//! Tests of systems/environment: its files are sound, its algorithms agree with the standards,
//! its reports answer from what a city holds and from nothing else.
// A test that cannot read its own files should stop at once.
#![allow(clippy::unwrap_used)]

mod air;
mod aqi;
mod beijing;
mod city;
mod conditions;
mod declarations;
mod gas;
mod quality;
mod reports;
mod suspects;
mod town;
