//! Tests of the whole program: the architecture's rules, golden truths, the API over real HTTP,
//! crashes. One binary, one module for each concern.

mod access;
mod api;
mod architecture;
mod attacks;
mod city;
mod crash;
mod departments;
mod divisions;
mod faults;
mod golden;
mod keys;
mod limits;
mod operations;
mod postgres;
mod program;
mod replay;
mod scenarios;
mod tls;
mod watching;
