//! Limits: how much an expression, a model and one evaluation may take. The library underneath
//! knows none, so all of them are ours.

use std::time::Duration;

/// Characters of an expression.
pub const TEXT_LIMIT: usize = 16_000;
/// How deep brackets may nest in an expression, and nodes in what is read from it.
pub const DEPTH_LIMIT: usize = 300;
/// Bytes of a model.
pub const MODEL_LIMIT: usize = 1 << 20;
/// XML elements nested in each other.
pub const XML_DEPTH_LIMIT: usize = 100;
/// XML nodes of a model.
pub const XML_NODES_LIMIT: u32 = 100_000;
/// Rules of one decision table.
pub const RULES_LIMIT: usize = 5_000;
/// Nested arrays and objects of an input.
pub const INPUT_DEPTH_LIMIT: usize = 64;
/// Values in an input, and in the value of one turn of a loop.
pub const VALUES_LIMIT: usize = 20_000;
/// Characters of all texts of an input, and of the value of one turn of a loop.
pub const CHARACTERS_LIMIT: usize = 400_000;
/// Characters of each argument of `replace`, whose result grows with their product.
pub const REPLACE_LIMIT: usize = 4_000;
/// Characters of the delimiter of `string join`.
pub const DELIMITER_LIMIT: usize = 200;
/// Turns of loops, calls of functions, readings of tables and of decisions in one evaluation.
pub const STEPS_LIMIT: u64 = 200_000;
/// Values and characters all turns and calls of one evaluation may bring forth together.
pub const ROOM_LIMIT: u64 = 20_000_000;
/// How long one evaluation may take.
pub const TIME_LIMIT: Duration = Duration::from_secs(2);
/// How long reading a model may take.
pub const READ_LIMIT: Duration = Duration::from_secs(10);
/// How long one may wait for its turn.
pub const WAIT_LIMIT: Duration = Duration::from_secs(2);
/// Evaluations that wait for their turn.
pub const QUEUE_LIMIT: usize = 256;
/// Threads that evaluate what is not a plain expression.
pub const WORKERS: usize = 2;
/// Stack of such a thread (address space, taken only as it is used).
pub const STACK_BYTES: usize = 64 << 20;
/// Of that, what a recursion may use before it is stopped.
pub const STACK_LIMIT: usize = 32 << 20;
/// How much stack a plain expression may use on the thread of its caller.
pub const INLINE_STACK_LIMIT: usize = 512 << 10;
/// How deep a plain expression may be to be evaluated on the thread of its caller.
pub const INLINE_DEPTH_LIMIT: usize = 40;
/// Expressions kept read for texts met again.
pub const EXPRESSIONS_KEPT: usize = 4_096;
/// Models kept ready.
pub const MODELS_KEPT: usize = 256;
/// Readings of tables one explanation tells; further ones are counted only.
pub const READINGS_LIMIT: usize = 200;
/// Bytes of an evaluation that is kept.
pub const KEPT_LIMIT: usize = 1 << 20;
