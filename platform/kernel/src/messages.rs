//! Messages: what the city says to one person by short message, e-mail or inbox (站内信). Engines
//! and systems hand a message to [`Outbox`] by the name of a template; the message centre
//! (`platform/office`) words it, keeps it until it is carried, and says what became of it.

use crate::access::Actor;
use crate::fault::{Fault, Words};
use crate::page::{Page, Part};
use crate::time::Time;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::collections::BTreeMap;

/// Characters of a short message, at most; of its template too.
pub const SMS_LIMIT: usize = 500;
/// Characters of an e-mail or of an entry of the inbox, at most.
pub const TEXT_LIMIT: usize = 10_000;
/// Characters of a subject, at most.
pub const SUBJECT_LIMIT: usize = 120;
/// Characters of the value of one field, at most.
pub const FIELD_LIMIT: usize = 500;

/// What carries a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// 短信: a short message to a mobile number.
    Sms,
    /// 电子邮件: an e-mail.
    Email,
    /// 站内信: the inbox of an account.
    Inbox,
}

impl Channel {
    /// All channels.
    pub const ALL: [Channel; 3] = [Channel::Sms, Channel::Email, Channel::Inbox];
    /// The word in the API and the store.
    pub fn word(self) -> &'static str {
        ["sms", "email", "inbox"][self as usize]
    }
    /// From its word.
    pub fn parse(word: &str) -> Option<Channel> {
        Channel::ALL.into_iter().find(|c| c.word() == word)
    }
}

/// To whom. Personal: no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// An account; its number or address is looked up when the message is carried.
    Account(String),
    /// A mobile number; short messages only.
    Mobile(String),
    /// An e-mail address; e-mail only.
    Email(String),
}

/// A message to be sent. Personal: no `Debug`.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewMessage {
    /// To whom.
    pub to: Recipient,
    /// By what.
    pub channel: Channel,
    /// Name of the template.
    pub template: String,
    /// Values of its fields: every field of the template and no other.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// A message with a key that was sent before is not sent again. 1 to 200 characters, such as
    /// `case/01JD…/accepted/sms`.
    pub once: String,
    /// What it is about, such as `case/01JD…`; pages link to it. May be empty.
    #[serde(default)]
    pub about: String,
    /// Not to be carried before.
    #[serde(default)]
    pub not_before: Option<Time>,
    /// Of no use after: given up then.
    #[serde(default)]
    pub until: Option<Time>,
}

/// What became of handing over a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// Identification of the message, of the first one when the key was used before.
    pub id: String,
    /// Newly taken; `false` when the key was used before.
    pub fresh: bool,
}

/// Takes messages.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Takes a message: kept on disk when this answers, carried afterwards. `input.invalid` names
    /// everything wrong; `system.overloaded` when too many wait.
    async fn send(&self, by: &Actor, new: NewMessage) -> Result<Queued, Fault>;
    /// The same within a transaction of the store (`store::Tx`, which this crate does not know):
    /// taken if and only if the change it tells of is.
    async fn send_within(
        &self,
        transaction: &mut (dyn Any + Send),
        by: &Actor,
        new: NewMessage,
    ) -> Result<Queued, Fault>;
}

/// Where an account can be reached. Personal: no `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// Mobile number.
    pub mobile: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Wants English; Chinese otherwise.
    pub english: bool,
}

/// Knows where accounts can be reached.
#[async_trait]
pub trait AddressBook: Send + Sync {
    /// Where; `None` when there is no such account (any more).
    async fn reach(&self, account: &str) -> Result<Option<Reach>, Fault>;
}

/// An e-mail as it is handed to its carrier. Personal: no `Debug`, never logged.
#[derive(Clone, PartialEq)]
pub struct Mail {
    /// Identification of the message, the same at every attempt: what the carrier may know it by.
    pub id: String,
    /// Address of the recipient.
    pub to: String,
    /// Subject.
    pub subject: String,
    /// Text, plain.
    pub text: String,
}

/// Carries e-mail. A fault of kind `Invalid` means it will never be taken (no such mailbox), one of
/// kind `Internal` that nobody knows whether it was (the answer was lost): it is handed over once
/// more at most; any other that it was not, and is handed over again later. The same holds for
/// [`crate::parties::Messenger`].
#[async_trait]
pub trait MailCarrier: Send + Sync {
    /// Can it carry anything at all?
    fn is_ready(&self) -> bool;
    /// Hands an e-mail over; answers when the carrier has taken it.
    async fn send(&self, mail: Mail) -> Result<(), Fault>;
}

/// Words of messages, with `{{field}}` where a value goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewTemplate {
    /// Name: 1 to 60 of a–z, 0–9 and `_`, a letter first.
    pub name: String,
    /// What it is for, said to the operator.
    pub title: Words,
    /// Subject of an e-mail, heading in the inbox. A short message has none.
    pub subject: Words,
    /// Text of e-mail and inbox.
    pub text: Words,
    /// Text of the short message, [`SMS_LIMIT`] characters at most; empty when there is none, and
    /// then it cannot be sent by short message.
    #[serde(default)]
    pub sms: Words,
}

/// A template as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Template {
    /// Its words.
    #[serde(flatten)]
    pub words: NewTemplate,
    /// Its fields, in alphabetical order.
    pub fields: Vec<String>,
    /// Fields the program fills in, which the words may name; empty for a template it knows
    /// nothing of.
    pub known: Vec<String>,
    /// Grows by one with every change.
    pub version: i64,
    /// When it was changed last.
    pub at: Time,
    /// By whom; `system` for those the program brings along.
    pub by: String,
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// Waits for its turn.
    Queued,
    /// Is being handed to the carrier.
    Sending,
    /// The carrier has taken it, or it lies in the inbox.
    Sent,
    /// Failed and will be tried again.
    Failed,
    /// Will not be tried again.
    GivenUp,
}

impl MessageState {
    /// All states.
    pub const ALL: [MessageState; 5] = [
        MessageState::Queued,
        MessageState::Sending,
        MessageState::Sent,
        MessageState::Failed,
        MessageState::GivenUp,
    ];
    /// The word in the API and the store.
    pub fn word(self) -> &'static str {
        ["queued", "sending", "sent", "failed", "given_up"][self as usize]
    }
    /// From its word.
    pub fn parse(word: &str) -> Option<MessageState> {
        MessageState::ALL.into_iter().find(|s| s.word() == word)
    }
}

/// A message as the operator sees it: without its text, the recipient masked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageRow {
    /// Identification.
    pub id: String,
    /// By what.
    pub channel: Channel,
    /// To whom: an account, or a masked number or address.
    pub to: String,
    /// Template.
    pub template: String,
    /// What it is about.
    pub about: String,
    /// Where it stands.
    pub state: MessageState,
    /// How often it was handed to the carrier.
    pub attempts: i64,
    /// The program or the connection broke off after the message may have reached the carrier: the
    /// person may have got it twice.
    pub maybe_repeated: bool,
    /// Why the last attempt failed.
    pub reason: Option<Words>,
    /// When it was taken.
    pub at: Time,
    /// When it is tried next; `None` at its end.
    pub next_at: Option<Time>,
    /// When it was sent or given up.
    pub done_at: Option<Time>,
    /// Who had it sent.
    pub by: String,
}

/// Which messages.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MessageFilter {
    /// In this state.
    pub state: Option<MessageState>,
    /// By this channel.
    pub channel: Option<Channel>,
    /// About this.
    pub about: Option<String>,
    /// Cursor of the page before.
    pub after: Option<String>,
    /// Items wanted.
    pub limit: Option<u64>,
}

/// How many messages stand where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageCounts {
    /// By state: `queued`, `sending`, `sent`, `failed`, `given_up`.
    pub states: BTreeMap<String, u64>,
    /// A carrier of short messages is configured.
    pub sms_ready: bool,
    /// A carrier of e-mail is configured.
    pub email_ready: bool,
}

/// An entry of somebody's inbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InboxEntry {
    /// Identification.
    pub id: String,
    /// When it came.
    pub at: Time,
    /// Heading.
    pub subject: Words,
    /// Text.
    pub text: Words,
    /// What it is about, such as `case/01JD…`; may be empty.
    pub about: String,
    /// When it was read.
    pub read_at: Option<Time>,
}

/// Which entries of one's inbox.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InboxFilter {
    /// Unread ones only.
    pub unread: bool,
    /// Cursor of the page before.
    pub after: Option<String>,
    /// Items wanted.
    pub limit: Option<u64>,
}

/// Which entries to mark as read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// These, 200 at most.
    Ids(Vec<String>),
    /// All there are.
    All,
}

/// The message centre as pages see it. The inbox is everybody's own and asks no policy; all else
/// asks for `operate` on `messages`.
#[async_trait]
pub trait Messages: Outbox {
    /// One's own inbox, newest first.
    async fn inbox(&self, by: &Actor, filter: &InboxFilter) -> Result<Page<InboxEntry>, Fault>;
    /// How many of one's own entries are unread.
    async fn unread(&self, by: &Actor) -> Result<u64, Fault>;
    /// Marks one's own entries as read; says how many were not before.
    async fn mark_read(&self, by: &Actor, which: &Which) -> Result<u64, Fault>;
    /// Messages, newest first.
    async fn list(&self, by: &Actor, filter: &MessageFilter) -> Result<Page<MessageRow>, Fault>;
    /// How many stand where, and which carriers are there.
    async fn counts(&self, by: &Actor) -> Result<MessageCounts, Fault>;
    /// Tries one that was given up or failed again, now.
    async fn retry(&self, by: &Actor, id: &str) -> Result<MessageRow, Fault>;
    /// Gives one up, with a reason.
    async fn give_up(&self, by: &Actor, id: &str, reason: &str) -> Result<MessageRow, Fault>;
    /// Templates by name.
    async fn templates(&self, by: &Actor, part: &Part) -> Result<Page<Template>, Fault>;
    /// Makes (`version` 0) or changes a template that stands at this version.
    async fn put_template(
        &self,
        by: &Actor,
        new: NewTemplate,
        version: i64,
    ) -> Result<Template, Fault>;
}
