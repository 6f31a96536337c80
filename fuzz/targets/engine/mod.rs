//! One engine of decisions for all inputs.

use std::sync::{Arc, OnceLock};

pub fn engine() -> &'static Arc<decisions::Engine> {
    static ENGINE: OnceLock<Arc<decisions::Engine>> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap().keep();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let store = runtime.block_on(store::Store::in_folder(&folder)).unwrap();
        let engine = decisions::Engine::open(store, Arc::new(kernel::SystemClock)).unwrap();
        std::mem::forget(runtime);
        engine
    })
}
