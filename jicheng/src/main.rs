//! The program's door; everything is in the library beside it, so that tests can reach it.

/// Requests allocate much and on every core: half the time glibc's allocator takes.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    jicheng::main()
}
