//! Tests of the whole program: the architecture's rules, golden truths, the API over real HTTP,
//! crashes. One binary, one module for each concern.

mod access;
mod api;
mod architecture;
mod attachments;
mod attacks;
mod city;
mod crash;
mod departments;
mod disaster;
mod divisions;
mod faults;
mod figures;
mod foreign;
mod golden;
mod judged;
mod keys;
mod limits;
mod meters;
mod my_data;
mod openid;
mod operations;
mod permits;
mod postgres;
mod prints;
mod program;
mod reminders;
mod replay;
mod scenarios;
mod scope;
mod services;
mod set_aside;
mod tls;
mod upstream;
mod watching;
