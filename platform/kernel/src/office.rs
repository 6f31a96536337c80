//! Office: what members of the city's organisations write to one another. Mail (内部邮件), notices
//! (通知公告), circulated documents (公文传阅、会签), a calendar and the directory. The engine of
//! that name keeps them. On the object `office` a policy grants `read` (look at what is one's
//! own), `handle` (write, answer, sign), `write` (publish notices to one's own organisations and
//! those below) and `operate` (publish to everybody and to the public).

use crate::access::Actor;
use crate::fault::{Fault, Words};
use crate::page::{Page, Part};
use crate::time::Time;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// Characters of a subject or title, at most.
pub const TITLE_LIMIT: usize = 200;
/// Characters of a body, at most.
pub const BODY_LIMIT: usize = 20_000;
/// Characters of an opinion, at most.
pub const OPINION_LIMIT: usize = 1000;
/// Files attached to one thing, at most.
pub const FILES_LIMIT: usize = 20;
/// People one mail or document goes to, at most.
pub const PEOPLE_LIMIT: usize = 1000;
/// Days a calendar is shown for in one answer, at most.
pub const CALENDAR_DAYS: i64 = 400;

/// Somebody who works in an organisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Account.
    pub account: String,
    /// Name.
    pub name: String,
    /// Main organisation.
    pub organisation: String,
    /// Its name.
    pub organisation_title: Words,
    /// Titles of the positions held now.
    pub positions: Vec<Words>,
    /// Office telephone; masked when the policy says so, `None` when it is not shown.
    pub phone: Option<String>,
    /// Room.
    pub room: String,
    /// Every organisation the member works in and all above them: a notice to any of them is for
    /// the member.
    pub within: Vec<String>,
}

/// Knows the members; the engine of organisations behind it.
pub trait Members: Send + Sync {
    /// Somebody who holds a position now.
    fn member(&self, account: &str) -> Option<Member>;
    /// Accounts that hold a position now, sorted; `None` when there is no such position.
    fn of_position(&self, position: &str) -> Option<Vec<String>>;
    /// Accounts of an organisation and of those below it, sorted; `None` for the code when
    /// everybody is meant, `None` as the answer when there is no such organisation.
    fn of_organisation(&self, code: Option<&str>) -> Option<Vec<String>>;
    /// Members whose name, position, room or telephone holds the words, in the order of the tree.
    fn search(&self, words: &str, organisation: Option<&str>, part: &Part) -> Page<Member>;
}

/// Knows the files that may be attached.
#[async_trait]
pub trait Files: Send + Sync {
    /// Is there this file, and may this person give it to others?
    async fn may_attach(&self, by: &Actor, file: &str) -> Result<bool, Fault>;
}

/// To whom something goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Addressee {
    /// A member.
    Account(String),
    /// Whoever holds this position now.
    Position(String),
    /// Everybody of an organisation and those below it.
    Organisation(String),
}

/// A mail to be sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewMail {
    /// To whom, 1 to 50; [`PEOPLE_LIMIT`] people in all.
    pub to: Vec<Addressee>,
    /// Subject, 1 to [`TITLE_LIMIT`] characters.
    pub subject: String,
    /// Body, plain text.
    pub body: String,
    /// Attached files, by identification.
    #[serde(default)]
    pub files: Vec<String>,
    /// The mail it answers: one the sender wrote or got.
    #[serde(default)]
    pub reply_to: Option<String>,
    /// The mail it passes on: one the sender wrote or got.
    #[serde(default)]
    pub forward_of: Option<String>,
}

/// A mail as its sender or one of its recipients sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfficeMail {
    /// Identification.
    pub id: String,
    /// The first mail of the thread; its own identification when it is that.
    pub thread: String,
    /// Account of the sender.
    pub from: String,
    /// Name of the sender.
    pub from_name: String,
    /// To whom, as it was addressed.
    pub to: Vec<Addressee>,
    /// The same for people, in the same order: names of accounts as they are called now, codes of
    /// positions and organisations.
    pub to_names: Vec<String>,
    /// Subject.
    pub subject: String,
    /// Body; empty in lists.
    pub body: String,
    /// Attached files.
    pub files: Vec<String>,
    /// When it was sent.
    pub at: Time,
    /// The mail it answers.
    pub reply_to: Option<String>,
    /// The mail it passes on.
    pub forward_of: Option<String>,
    /// When the one who looks read it; for the sender `None`.
    pub read_at: Option<Time>,
    /// When the sender took it back.
    pub recalled_at: Option<Time>,
    /// How many it went to (without those it was taken back from) and how many of them read it;
    /// for the sender, 0 for others.
    pub sent_to: u64,
    /// See `sent_to`.
    pub read_by: u64,
}

/// Which mails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Folder {
    /// What came.
    #[default]
    Inbox,
    /// What came and is not read.
    Unread,
    /// What one sent.
    Sent,
}

/// Who got something and what they did with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// Account.
    pub account: String,
    /// Name.
    pub name: String,
    /// When they read it.
    pub read_at: Option<Time>,
}

/// What became of taking a mail back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recalled {
    /// How many it was taken back from: they had not read it.
    pub taken_back: u64,
    /// Who had read it and keeps it, by account.
    pub kept_by: Vec<String>,
}

/// For whom a notice is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Everybody, signed in or not.
    Public,
    /// Every member.
    Members,
    /// Members of these organisations and of those below them, 1 to 100.
    Organisations(Vec<String>),
}

/// A notice to be published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewNotice {
    /// Title, 1 to [`TITLE_LIMIT`] characters.
    pub title: String,
    /// Body, plain text, 1 to [`BODY_LIMIT`] characters.
    pub body: String,
    /// Attached files.
    #[serde(default)]
    pub files: Vec<String>,
    /// For whom.
    pub audience: Audience,
    /// Shown from; at once when there is none.
    #[serde(default)]
    pub from: Option<Time>,
    /// Shown until (exclusive); without end when there is none.
    #[serde(default)]
    pub to: Option<Time>,
    /// Stands above the others.
    #[serde(default)]
    pub pinned: bool,
    /// Whoever it is for must confirm that they read it. Not for the public.
    #[serde(default)]
    pub confirm: bool,
}

/// A notice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// Identification.
    pub id: String,
    /// Title.
    pub title: String,
    /// Body; empty in lists.
    pub body: String,
    /// Attached files.
    pub files: Vec<String>,
    /// For whom.
    pub audience: Audience,
    /// Shown from.
    pub from: Time,
    /// Shown until.
    pub to: Option<Time>,
    /// Stands above the others.
    pub pinned: bool,
    /// Must be confirmed.
    pub confirm: bool,
    /// Organisation that publishes it.
    pub organisation: Option<String>,
    /// Account that published it; `None` for the public.
    pub by: Option<String>,
    /// When it was published.
    pub at: Time,
    /// When it was withdrawn.
    pub withdrawn_at: Option<Time>,
    /// When the one who looks read it.
    pub read_at: Option<Time>,
    /// When the one who looks confirmed it.
    pub confirmed_at: Option<Time>,
}

/// Which notices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notices {
    /// Those shown now that are for the one who looks.
    #[default]
    Mine,
    /// Those of them that are not read, or not confirmed though they must be.
    Unread,
    /// Those the one who looks published, whatever became of them.
    Published,
}

/// Who read a notice and who did not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Readers {
    /// Who read it (confirmed it, when it must be).
    #[default]
    Read,
    /// Who did not.
    Unread,
}

/// In which order a document goes round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Round {
    /// One after the other, in the order of the list.
    Ordered,
    /// Everybody at once.
    Parallel,
}

/// A document to be sent round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewCirculation {
    /// Title, 1 to [`TITLE_LIMIT`] characters.
    pub title: String,
    /// What is said about it.
    #[serde(default)]
    pub body: String,
    /// Attached files.
    #[serde(default)]
    pub files: Vec<String>,
    /// In which order.
    pub round: Round,
    /// Readers by account, in order, 1 to [`PEOPLE_LIMIT`], none twice.
    pub readers: Vec<String>,
    /// 会签: everybody says whether they agree, with an opinion; 传阅 when not.
    #[serde(default)]
    pub countersign: bool,
    /// Until when it should be round; urged for then.
    #[serde(default)]
    pub due: Option<Time>,
}

/// Where a reader of a circulated document stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReaderState {
    /// Not their turn.
    Waiting,
    /// Their turn; not opened.
    Open,
    /// Opened (the receipt); not done.
    Received,
    /// Done.
    Done,
}

/// A reader of a circulated document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reader {
    /// Account.
    pub account: String,
    /// Name.
    pub name: String,
    /// Place in the order, from 1.
    pub place: u64,
    /// Where they stand.
    pub state: ReaderState,
    /// When it came to them.
    pub came_at: Option<Time>,
    /// When they opened it.
    pub received_at: Option<Time>,
    /// When they were done.
    pub done_at: Option<Time>,
    /// Whether they agree (会签).
    pub agrees: Option<bool>,
    /// What they say.
    pub opinion: String,
    /// When they were urged last.
    pub urged_at: Option<Time>,
}

/// Where a circulated document stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CirculationState {
    /// Goes round.
    Running,
    /// All have read.
    Finished,
    /// The sender ended it.
    Withdrawn,
}

/// A circulated document, as its sender or one of its readers sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Circulation {
    /// Identification.
    pub id: String,
    /// Title.
    pub title: String,
    /// What is said about it; empty in lists.
    pub body: String,
    /// Attached files.
    pub files: Vec<String>,
    /// In which order.
    pub round: Round,
    /// 会签.
    pub countersign: bool,
    /// Account of the sender.
    pub from: String,
    /// Name of the sender.
    pub from_name: String,
    /// When it was sent.
    pub at: Time,
    /// Until when it should be round.
    pub due: Option<Time>,
    /// Where it stands.
    pub state: CirculationState,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// How many read it of how many.
    pub done: u64,
    /// See `done`.
    pub of: u64,
    /// Every reader, in order; empty in lists.
    pub readers: Vec<Reader>,
    /// Grows by one with every change.
    pub version: i64,
}

/// Which circulated documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Circulations {
    /// Those whose turn it is for the one who looks.
    #[default]
    Todo,
    /// Those the one who looks has read.
    Done,
    /// Those the one who looks sent.
    Sent,
}

/// What a reader says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opinion {
    /// Whether they agree; demanded for 会签, refused otherwise.
    #[serde(default)]
    pub agrees: Option<bool>,
    /// What they say, [`OPINION_LIMIT`] characters at most; demanded of who does not agree.
    #[serde(default)]
    pub opinion: String,
}

/// An entry of a calendar to be made, or as it shall be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewEntry {
    /// Title, 1 to [`TITLE_LIMIT`] characters.
    pub title: String,
    /// Where.
    #[serde(default)]
    pub place: String,
    /// What else there is to say.
    #[serde(default)]
    pub note: String,
    /// Whole days; `from` and `to` are then Beijing midnights.
    #[serde(default)]
    pub all_day: bool,
    /// Begins.
    pub from: Time,
    /// Ends (exclusive), after `from`, a year later at most.
    pub to: Time,
    /// Who else takes part, by account, 200 at most.
    #[serde(default)]
    pub attendees: Vec<String>,
    /// Colleagues of the owner's main organisation see it.
    #[serde(default)]
    pub shared: bool,
    /// Reminds owner and attendees so many minutes before, 0 to 40,320 (four weeks).
    #[serde(default)]
    pub remind_min: Option<u32>,
}

/// What somebody invited said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Nothing yet.
    Asked,
    /// Comes.
    Accepted,
    /// Does not.
    Declined,
}

/// Somebody invited.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attendee {
    /// Account.
    pub account: String,
    /// Name.
    pub name: String,
    /// What they said.
    pub answer: Answer,
}

/// An entry of a calendar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Identification.
    pub id: String,
    /// Account of the owner.
    pub owner: String,
    /// Name of the owner.
    pub owner_name: String,
    /// Organisation it is shared with.
    pub organisation: Option<String>,
    /// Title.
    pub title: String,
    /// Where.
    pub place: String,
    /// What else there is to say.
    pub note: String,
    /// Whole days.
    pub all_day: bool,
    /// Begins.
    pub from: Time,
    /// Ends (exclusive).
    pub to: Time,
    /// Who takes part.
    pub attendees: Vec<Attendee>,
    /// Shared with the organisation.
    pub shared: bool,
    /// Reminds so many minutes before.
    pub remind_min: Option<u32>,
    /// When it was cancelled.
    pub cancelled_at: Option<Time>,
    /// Grows by one with every change.
    pub version: i64,
}

/// How much waits for somebody: the figures on the desk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Unread mails.
    pub mails: u64,
    /// Notices not read or not confirmed.
    pub notices: u64,
    /// Circulated documents to read.
    pub circulations: u64,
}

/// The office as pages see it. Somebody else's things are not found, whoever asks.
#[async_trait]
pub trait Office: Send + Sync {
    /// How much waits.
    async fn waiting(&self, by: &Actor) -> Result<Waiting, Fault>;

    /// Sends a mail.
    async fn send_mail(&self, by: &Actor, new: NewMail) -> Result<OfficeMail, Fault>;
    /// Mails of a folder, newest first.
    async fn mails(
        &self,
        by: &Actor,
        folder: Folder,
        part: &Part,
    ) -> Result<Page<OfficeMail>, Fault>;
    /// A mail; reading it is its receipt.
    async fn mail(&self, by: &Actor, id: &str) -> Result<OfficeMail, Fault>;
    /// The mails of its thread the reader wrote or got, oldest first, 200 at most.
    async fn thread(&self, by: &Actor, id: &str) -> Result<Vec<OfficeMail>, Fault>;
    /// Who got a mail of one's own and who read it.
    async fn receipts(&self, by: &Actor, id: &str, part: &Part) -> Result<Page<Receipt>, Fault>;
    /// Takes a mail of one's own back from all who have not read it.
    async fn recall(&self, by: &Actor, id: &str) -> Result<Recalled, Fault>;

    /// Publishes a notice.
    async fn publish(&self, by: &Actor, new: NewNotice) -> Result<Notice, Fault>;
    /// Notices, pinned ones first, then newest first.
    async fn notices(&self, by: &Actor, which: Notices, part: &Part)
    -> Result<Page<Notice>, Fault>;
    /// Notices for everybody, without signing in.
    async fn public_notices(&self, part: &Part) -> Result<Page<Notice>, Fault>;
    /// A notice for everybody, without signing in.
    async fn public_notice(&self, id: &str) -> Result<Notice, Fault>;
    /// A notice; looking at it is noted as read.
    async fn notice(&self, by: &Actor, id: &str) -> Result<Notice, Fault>;
    /// Confirms that one read it.
    async fn confirm(&self, by: &Actor, id: &str) -> Result<Notice, Fault>;
    /// Who read a notice of one's own, or who did not, by account.
    async fn readers(
        &self,
        by: &Actor,
        id: &str,
        which: Readers,
        part: &Part,
    ) -> Result<Page<Receipt>, Fault>;
    /// Withdraws a notice of one's own, with a reason.
    async fn withdraw_notice(&self, by: &Actor, id: &str, reason: &str) -> Result<Notice, Fault>;

    /// Sends a document round.
    async fn circulate(&self, by: &Actor, new: NewCirculation) -> Result<Circulation, Fault>;
    /// Circulated documents, newest first.
    async fn circulations(
        &self,
        by: &Actor,
        which: Circulations,
        part: &Part,
    ) -> Result<Page<Circulation>, Fault>;
    /// A circulated document; looking at it in one's turn is the receipt. A reader sees the
    /// opinions given, its sender all there is.
    async fn circulation(&self, by: &Actor, id: &str) -> Result<Circulation, Fault>;
    /// A reader is done with it.
    async fn sign(&self, by: &Actor, id: &str, opinion: Opinion) -> Result<Circulation, Fault>;
    /// The sender urges those whose turn it is, at most once an hour each; says how many.
    async fn urge(&self, by: &Actor, id: &str) -> Result<u64, Fault>;
    /// The sender ends it, with a reason.
    async fn withdraw_circulation(
        &self,
        by: &Actor,
        id: &str,
        reason: &str,
    ) -> Result<Circulation, Fault>;

    /// Entries that touch the time from `from` to `to` ([`CALENDAR_DAYS`] at most): one's own,
    /// those one is invited to, those colleagues share; by beginning, 1,000 at most.
    async fn entries(&self, by: &Actor, from: Time, to: Time) -> Result<Vec<Entry>, Fault>;
    /// Makes an entry in one's own calendar.
    async fn add_entry(&self, by: &Actor, new: NewEntry) -> Result<Entry, Fault>;
    /// Changes an entry of one's own that stands at this version.
    async fn change_entry(
        &self,
        by: &Actor,
        id: &str,
        new: NewEntry,
        version: i64,
    ) -> Result<Entry, Fault>;
    /// Cancels an entry of one's own.
    async fn cancel_entry(&self, by: &Actor, id: &str) -> Result<Entry, Fault>;
    /// Says whether one comes.
    async fn answer(&self, by: &Actor, id: &str, comes: bool) -> Result<Entry, Fault>;
    /// One's own calendar and what one is invited to as iCalendar (RFC 5545), the same time as
    /// [`Office::entries`].
    async fn icalendar(&self, by: &Actor, from: Time, to: Time) -> Result<String, Fault>;

    /// The directory: members the words fit, telephones shown as the policy says for the object
    /// `directory`.
    async fn directory(
        &self,
        by: &Actor,
        words: &str,
        organisation: Option<&str>,
        part: &Part,
    ) -> Result<Page<Member>, Fault>;

    /// May this person look at the file because it is attached to something they may see? Whoever
    /// serves files asks.
    async fn sees_file(&self, by: &Actor, file: &str) -> Result<bool, Fault>;
}
