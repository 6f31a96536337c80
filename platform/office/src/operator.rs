//! What the operator sees and does: messages with what became of them, and the templates. The text
//! of a message is not shown, and of its recipient only what is masked.

use crate::Centre;
use crate::say::{Deed, conflict, from_json, record, refuse, stale, to_json};
use crate::{defaults, template};
use kernel::access::{Actor, Verb};
use kernel::fault::FaultKind;
use kernel::messages::{
    Channel, MessageCounts, MessageFilter, MessageRow as Shown, MessageState, NewTemplate, Template,
};
use kernel::page::{Page, Part};
use kernel::{Fault, Time, Words};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::documents::{self, Document};
use store::messages::{self as rows, MessageRow, Wanted};

/// Where templates are kept.
const COLLECTION: &str = "message_templates";
/// Templates there may be.
const TEMPLATES_LIMIT: usize = 500;

/// A template as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    words: NewTemplate,
    at: i64,
    by: String,
}

fn shown(row: MessageRow) -> Result<Shown, Fault> {
    let form = |what: &str| Fault::internal("reading a message", format!("{what} of the store"));
    let done = row.done_at.is_some();
    let reason: Option<Words> = row.reason.as_deref().map(from_json).transpose()?;
    Ok(Shown {
        channel: Channel::parse(&row.channel).ok_or_else(|| form("channel"))?,
        state: MessageState::parse(&row.state).ok_or_else(|| form("state"))?,
        id: row.id,
        to: row.shown,
        template: row.template,
        about: row.about,
        attempts: row.attempts,
        maybe_repeated: row.unsure > 0 && row.attempts > 1,
        reason,
        at: Time(row.at),
        next_at: row.next_at.filter(|_| !done).map(Time),
        done_at: row.done_at.map(Time),
        by: row.by_account,
    })
}

fn template_of(document: &Document) -> Result<Template, Fault> {
    let kept: Kept = from_json(&document.json.to_string())?;
    Ok(Template {
        fields: template::fields(&kept.words),
        known: defaults::filled(&kept.words.name).unwrap_or_default(),
        words: kept.words,
        version: document.version,
        at: Time(kept.at),
        by: kept.by,
    })
}

impl Centre {
    fn operator(&self, by: &Actor) -> Result<Actor, Fault> {
        self.policy.demand(by, Verb::Operate, "messages")
    }

    pub(crate) async fn rows(
        &self,
        by: &Actor,
        filter: &MessageFilter,
    ) -> Result<Page<Shown>, Fault> {
        self.operator(by)?;
        let part = Part {
            after: filter.after.clone(),
            limit: filter.limit,
        };
        let size = part.size();
        let wanted = Wanted {
            state: filter.state.map(MessageState::word),
            channel: filter.channel.map(Channel::word),
            about: filter.about.as_deref(),
        };
        let mut reader = self.store.reader().await?;
        let after = part.after.as_deref();
        let (mut found, total) = rows::list(&mut reader, &wanted, after, size + 1).await?;
        let more = found.len() as u64 > size;
        found.truncate(size as usize);
        let next = more
            .then(|| found.last().map(|row| row.id.clone()))
            .flatten();
        let items = found.into_iter().map(shown).collect::<Result<_, _>>()?;
        Ok(Page { items, next, total })
    }

    pub(crate) async fn figures(&self, by: &Actor) -> Result<MessageCounts, Fault> {
        self.operator(by)?;
        let found = rows::counts(&mut self.store.reader().await?).await?;
        let mut counts = MessageCounts {
            sms_ready: self.sms.is_ready(),
            email_ready: self.mail.is_ready(),
            ..MessageCounts::default()
        };
        for state in MessageState::ALL {
            counts.states.insert(state.word().into(), 0);
        }
        counts.states.extend(found);
        Ok(counts)
    }

    pub(crate) async fn try_again(&self, by: &Actor, id: &str) -> Result<Shown, Fault> {
        let actor = self.operator(by)?;
        self.act(&actor, id, "retried", |row, now| {
            if !matches!(row.state.as_str(), "failed" | "given_up") {
                return Err(conflict(
                    "只能重发失败或已放弃的消息",
                    "only what failed or was given up is tried again",
                ));
            }
            row.state = "queued".into();
            row.attempts = 0;
            row.unsure = 0;
            row.next_at = Some(now.0);
            row.done_at = None;
            row.until_at = None;
            Ok(())
        })
        .await
    }

    pub(crate) async fn end(&self, by: &Actor, id: &str, reason: &str) -> Result<Shown, Fault> {
        let actor = self.operator(by)?;
        self.reason(reason)?;
        let said = Words::new(reason.trim(), reason.trim());
        self.act(&actor, id, "given_up", |row, now| {
            if !matches!(row.state.as_str(), "queued" | "failed") {
                return Err(conflict(
                    "只能放弃等待中或失败的消息",
                    "only what waits or failed is given up",
                ));
            }
            row.state = "given_up".into();
            row.reason = Some(to_json(&said)?);
            row.next_at = None;
            row.done_at = Some(now.0);
            Ok(())
        })
        .await
    }

    async fn act(
        &self,
        actor: &Actor,
        id: &str,
        what: &str,
        change: impl Fn(&mut MessageRow, Time) -> Result<(), Fault> + Send,
    ) -> Result<Shown, Fault> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let found = rows::message(&mut tx, id).await?;
        let mut row = found.ok_or_else(|| Fault::missing("message"))?;
        change(&mut row, now)?;
        if !rows::put(&mut tx, &row, None).await? {
            return Err(conflict("消息正在发送", "it is being carried just now"));
        }
        let deed = Deed {
            verb: "operate",
            object: "messages",
            subject: id,
            what,
            details: json!({}),
        };
        record(&mut tx, now, actor, deed).await?;
        tx.commit().await?;
        self.news.notify_one();
        shown(row)
    }

    pub(crate) async fn find_template(&self, name: &str) -> Result<Option<Template>, Fault> {
        if name.is_empty() || name.len() > 60 || name.contains('\0') {
            return Ok(None);
        }
        let found = self.store.documents().get(COLLECTION, name).await?;
        found.as_ref().map(template_of).transpose()
    }

    pub(crate) async fn list_templates(
        &self,
        by: &Actor,
        part: &Part,
    ) -> Result<Page<Template>, Fault> {
        self.operator(by)?;
        let all = self
            .store
            .documents()
            .list_by_prefix(COLLECTION, "", None, TEMPLATES_LIMIT as u64)
            .await?;
        let total = all.len() as u64;
        let after = part.after.as_deref().unwrap_or("");
        let mut found = vec![];
        for document in all {
            let one = template_of(&document)?;
            if one.words.name.as_str() > after {
                found.push(one);
            }
        }
        let size = part.size() as usize;
        let more = found.len() > size;
        found.truncate(size);
        let next = more.then(|| found.last().map(|t| t.words.name.clone()));
        Ok(Page {
            next: next.flatten(),
            items: found,
            total,
        })
    }

    pub(crate) async fn change_template(
        &self,
        by: &Actor,
        new: NewTemplate,
        version: i64,
    ) -> Result<Template, Fault> {
        let actor = self.operator(by)?;
        let mut problems = template::problems(&new);
        problems.extend(template::unfilled(&new));
        refuse(problems)?;
        let known = self
            .find_template(&new.name)
            .await?
            .map_or(0, |t| t.version);
        if known != version {
            return Err(stale(known));
        }
        let documents = self.store.documents();
        let limit = TEMPLATES_LIMIT as u64;
        let all = documents
            .list_by_prefix(COLLECTION, "", None, limit)
            .await?;
        if version == 0 && all.len() >= TEMPLATES_LIMIT {
            return Err(conflict("模板太多", "there are too many templates"));
        }
        self.keep_template(&actor, new, version).await
    }

    async fn keep_template(
        &self,
        actor: &Actor,
        new: NewTemplate,
        version: i64,
    ) -> Result<Template, Fault> {
        let now = self.clock.now();
        let fields = template::fields(&new);
        let document = json!({ "words": new, "at": now.0, "by": actor.account });
        let mut tx = self.store.begin().await?;
        let version =
            documents::put(&mut tx, COLLECTION, &new.name, &document, Some(version)).await?;
        let deed = Deed {
            verb: "operate",
            object: "messages",
            subject: &new.name,
            what: "template",
            details: json!({ "version": version }),
        };
        record(&mut tx, now, actor, deed).await?;
        tx.commit().await?;
        Ok(Template {
            known: defaults::filled(&new.name).unwrap_or_default(),
            words: new,
            fields,
            version,
            at: now,
            by: actor.account.clone(),
        })
    }

    /// Makes the templates the program brings along, and renews those nobody changed.
    pub(crate) async fn bring_templates(&self) -> Result<(), Fault> {
        for new in defaults::templates() {
            debug_assert!(template::problems(&new).is_empty(), "{}", new.name);
            let version = match self.find_template(&new.name).await? {
                Some(known) if known.by != "system" || known.words == new => continue,
                Some(known) => known.version,
                None => 0,
            };
            match self.keep_template(&Actor::system(), new, version).await {
                Ok(_) => {}
                // Another process was first.
                Err(fault) if fault.kind == FaultKind::Conflict => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }
}
