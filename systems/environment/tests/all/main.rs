//! Tests of systems/environment: its files are sound, its algorithms agree with the standards,
//! its reports answer from what a city holds and from nothing else.

mod declarations;
