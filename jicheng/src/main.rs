//! The program's door; everything is in the library beside it, so that tests can reach it.

/// Requests allocate much, on every core: glibc's allocator took an eighth of the processor under
/// load (`benches/window.py`), this one about half of that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    jicheng::main()
}
