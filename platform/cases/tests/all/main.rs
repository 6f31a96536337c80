//! Tests of the cases engine. Semantics are written from chapters 10 and 13 of BPMN 2.0, one test an
//! element; each draws a small process and says what must be waited for after every step.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests stop at the first wrong thing"
)]

mod activities;
mod arrivals;
mod between;
mod callers;
mod clocks;
mod countersign;
mod crash;
mod decided;
mod delivered;
mod delivered_city;
mod delivered_ways;
mod desk;
mod events;
mod gateways;
mod house;
mod limits;
mod office;
mod outbox;
mod random;
mod reading;
mod simulation;
mod simulation_live;
mod stage;
mod starts;
mod starts_once;
mod undoing;
mod verbs;
