//! services: the one-window government service (政务服务). Items, processes, decisions, licences and
//! access are in the files of this folder; the engines do the work. Here is what files cannot say:
//! the report of figures that the indicators of the plan are taken from.

mod figures;

pub use figures::shares;

use kernel::{Bindings, System};

/// The system as the program lists it.
pub struct Services;

impl System for Services {
    fn folder(&self) -> &'static str {
        "services"
    }

    fn bind(&self, names: &mut Bindings) {
        names.report("figures", |city, given| {
            Box::pin(figures::answer(city, given))
        });
    }
}
