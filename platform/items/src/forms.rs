//! Forms that were read, by item and version. A bounded cache; an entry counts only for the very form
//! it was read from.

use crate::desk;
use crate::form::{self, Form};
use kernel::items::Item;
use parking_lot::Mutex;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// Forms kept, at most.
const KEPT: usize = 2_048;

/// Item, version, name of the form of the desk (empty for the form of the item).
type Key = (String, i64, String);

/// The forms.
#[derive(Default)]
pub(crate) struct Forms(Mutex<HashMap<Key, Arc<(Value, Form)>>>);

/// A form that was read.
pub(crate) struct Read(Arc<(Value, Form)>);

impl std::ops::Deref for Read {
    type Target = Form;
    fn deref(&self) -> &Form {
        &self.0.1
    }
}

impl Forms {
    /// The form of an item.
    pub(crate) fn of(&self, item: &Item) -> Read {
        self.read(item, "", &item.content.form)
    }

    /// A form of the desk: the item's, or the one that stands in.
    pub(crate) fn of_desk(&self, item: &Item, name: &str) -> Option<Read> {
        match item.content.desk_forms.get(name) {
            Some(own) => Some(self.read(item, name, own)),
            None => Some(self.read(item, name, &desk::standard(name)?)),
        }
    }

    fn read(&self, item: &Item, name: &str, source: &Value) -> Read {
        let key = (item.item.clone(), item.version, name.to_owned());
        if let Some(found) = self.0.lock().get(&key)
            && found.0 == *source
        {
            return Read(found.clone());
        }
        let (form, _) = form::read(source, "");
        let read = Arc::new((source.clone(), form));
        let mut kept = self.0.lock();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(key, read.clone());
        Read(read)
    }
}
