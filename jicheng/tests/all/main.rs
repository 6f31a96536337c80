//! Tests of the whole program: the architecture's rules, golden truths, the API over real HTTP,
//! crashes. One binary, one module for each concern.

mod access;
mod api;
mod architecture;
mod city;
mod crash;
mod golden;
mod replay;
mod scenarios;
