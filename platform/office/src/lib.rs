//! office: the message centre and the office of a city. [`Centre`] words messages, keeps them until
//! a carrier has taken them, and holds everybody's inbox. [`Engine`] is what members write to one
//! another: mail, notices, circulated documents, calendars, and the directory.
//!
//! Recipients and texts of messages lie sealed and are never in a log; what carries them (a
//! gateway of short messages, an SMTP server) is handed in.

mod address;
mod calendar;
mod carry;
mod circulations;
mod defaults;
mod desk;
mod icalendar;
mod inbox;
mod mail;
mod notices;
mod operator;
mod queue;
mod say;
mod sealing;
mod smtp;
mod template;

pub use carry::Carried;
pub use desk::{Engine, OfficeMeans};
pub use smtp::{NoMail, Security, Smtp, SmtpCarrier};

use async_trait::async_trait;
use kernel::access::Actor;
use kernel::crypto::Crypto;
use kernel::messages::*;
use kernel::page::{Page, Part};
use kernel::parties::Messenger;
use kernel::{Clock, Fault, Policy, Span};
use sealing::Sealing;
use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use store::{Store, Tx};

/// What the message centre works with besides the store.
pub struct CentreMeans {
    /// Keys: recipients and texts are sealed with them.
    pub crypto: Arc<dyn Crypto>,
    /// Who may look at messages and change templates.
    pub policy: Arc<dyn Policy>,
    /// Carries short messages.
    pub sms: Arc<dyn Messenger>,
    /// Carries e-mail.
    pub mail: Arc<dyn MailCarrier>,
    /// Knows where accounts can be reached.
    pub addresses: Arc<dyn AddressBook>,
}

/// Limits of the message centre.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Messages that may wait; more are refused with `system.overloaded`.
    pub waiting: u64,
    /// How often a message is handed to its carrier.
    pub attempts: i64,
    /// Wait after the first failure; four times as long after each further one.
    pub wait: Span,
    /// The wait does not grow beyond this.
    pub wait_limit: Span,
    /// How long a carrier may take to answer.
    pub time_out: Duration,
    /// How long a message is claimed by who carries it: longer than the time-out.
    pub lease: Span,
    /// Messages carried at the same time.
    pub at_once: usize,
    /// How long messages and entries of inboxes are kept.
    pub keep: Span,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            waiting: 100_000,
            attempts: 6,
            wait: Span::seconds(30),
            wait_limit: Span::hours(6),
            time_out: Duration::from_secs(45),
            lease: Span::minutes(3),
            at_once: 8,
            keep: Span::days(400),
        }
    }
}

/// The message centre.
pub struct Centre {
    store: Store,
    clock: Arc<dyn Clock>,
    sealing: Sealing,
    policy: Arc<dyn Policy>,
    sms: Arc<dyn Messenger>,
    mail: Arc<dyn MailCarrier>,
    addresses: Arc<dyn AddressBook>,
    limits: Limits,
    /// About how many messages wait; counted anew whenever messages are carried.
    waiting: AtomicU64,
    /// Woken when a message was taken.
    news: tokio::sync::Notify,
}

impl Centre {
    /// Opens the message centre and makes the templates the program brings along.
    pub async fn open(
        store: Store,
        clock: Arc<dyn Clock>,
        means: CentreMeans,
        limits: Limits,
    ) -> Result<Arc<Centre>, Fault> {
        let waiting = store::messages::waiting(&mut store.reader().await?).await?;
        let centre = Arc::new(Centre {
            store,
            clock,
            sealing: Sealing(means.crypto),
            policy: means.policy,
            sms: means.sms,
            mail: means.mail,
            addresses: means.addresses,
            limits,
            waiting: AtomicU64::new(waiting),
            news: tokio::sync::Notify::new(),
        });
        centre.bring_templates().await?;
        Ok(centre)
    }

    /// Answers once a message was taken since the last call, or after this long: what a task that
    /// calls [`Centre::carry`] waits for.
    pub async fn wait_for_news(&self, at_most: Duration) {
        let _ = tokio::time::timeout(at_most, self.news.notified()).await;
    }
}

#[async_trait]
impl Outbox for Centre {
    async fn send(&self, by: &Actor, new: NewMessage) -> Result<Queued, Fault> {
        // Before the one place where writers queue is taken.
        let worded = self.worded(&new, self.clock.now()).await;
        let mut tx = self.store.begin().await?;
        let queued = self.take_worded(&mut tx, by, new, worded).await?;
        tx.commit().await?;
        self.taken(&queued);
        Ok(queued)
    }

    async fn send_within(
        &self,
        transaction: &mut (dyn Any + Send),
        by: &Actor,
        new: NewMessage,
    ) -> Result<Queued, Fault> {
        let tx = transaction.downcast_mut::<Tx>();
        let tx = tx.ok_or_else(|| Fault::internal("sending a message", "not a transaction"))?;
        let queued = self.take(tx, by, new).await?;
        self.taken(&queued);
        Ok(queued)
    }
}

#[async_trait]
impl Messages for Centre {
    async fn inbox(&self, by: &Actor, filter: &InboxFilter) -> Result<Page<InboxEntry>, Fault> {
        self.entries(by, filter).await
    }
    async fn unread(&self, by: &Actor) -> Result<u64, Fault> {
        self.count_unread(by).await
    }
    async fn mark_read(&self, by: &Actor, which: &Which) -> Result<u64, Fault> {
        self.mark(by, which).await
    }
    async fn list(&self, by: &Actor, filter: &MessageFilter) -> Result<Page<MessageRow>, Fault> {
        self.rows(by, filter).await
    }
    async fn counts(&self, by: &Actor) -> Result<MessageCounts, Fault> {
        self.figures(by).await
    }
    async fn retry(&self, by: &Actor, id: &str) -> Result<MessageRow, Fault> {
        self.try_again(by, id).await
    }
    async fn give_up(&self, by: &Actor, id: &str, reason: &str) -> Result<MessageRow, Fault> {
        self.end(by, id, reason).await
    }
    async fn templates(&self, by: &Actor, part: &Part) -> Result<Page<Template>, Fault> {
        self.list_templates(by, part).await
    }
    async fn put_template(
        &self,
        by: &Actor,
        new: NewTemplate,
        version: i64,
    ) -> Result<Template, Fault> {
        self.change_template(by, new, version).await
    }
}
