//! Forms of tasks: the form the item of an application brings, or a standard one of that name, as
//! the page of the task shows it; for other cases the names of variables a drawing lists.

use async_trait::async_trait;
use kernel::cases::{Forms, HandedIn};
use kernel::items::Items;
use kernel::{Fault, Problem, Words};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Judges what is handed in at tasks.
pub struct TaskForms {
    /// Items and their forms.
    pub items: Arc<items::Engine>,
    /// Applications: which item a case decides on.
    pub applications: Arc<applications::Engine>,
}

#[async_trait]
impl Forms for TaskForms {
    async fn judge(&self, handed_in: HandedIn<'_>) -> Result<Option<Vec<Problem>>, Fault> {
        let HandedIn { form, data, .. } = handed_in;
        let about = handed_in.variables.get("application");
        if let Some(named) = about.and_then(|about| about["id"].as_str()) {
            let item = self
                .applications
                .item_of_case(handed_in.case, named)
                .await?;
            if let Some(item) = item {
                let own = item.content.desk_forms.contains_key(form);
                if own || items::STANDARD.contains(&form) {
                    return Ok(Some(self.items.judge_desk(&item, form, data)));
                }
            }
        }
        let names = form.split(|c: char| c.is_whitespace() || ",，、;；".contains(c));
        let names: BTreeSet<&str> = names
            .filter(|name| handed_in.variables.contains_key(*name))
            .collect();
        if names.is_empty() {
            return Ok(None);
        }
        let others = data.keys().filter(|name| !names.contains(name.as_str()));
        let problems = others.map(|name| Problem {
            at: format!("/answers/{name}"),
            words: Words::new("表单没有这一项", "the form has no such field"),
        });
        Ok(Some(problems.collect()))
    }
}
