//! News of an application for whoever handed it in: into their inbox, and by short message.

use applications::{Notices, Recipient};
use async_trait::async_trait;
use kernel::messages::{Channel, NewMessage, Outbox, Recipient as To};
use kernel::{Actor, Fault};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Template of the message centre: `title`, `number`, `progress`.
const TEMPLATE: &str = "case_progress";

/// Sends news by the message centre.
pub struct CityNotices {
    /// It.
    pub outbox: Arc<office::Centre>,
    /// Short messages can be sent.
    pub sms: bool,
}

/// What happened, in Chinese and English.
fn progress(what: &str) -> [&'static str; 2] {
    match what {
        "application_submitted" => [
            "已收到您的申请，将在五个工作日内告知是否受理。",
            "it was received; within five working days you will be told whether it is accepted.",
        ],
        "application_correction" => [
            "材料需要补正，请登录查看一次性告知书并补充。",
            "something must be supplied; please sign in and read the notice.",
        ],
        "application_accepted" => ["已受理。", "it was accepted."],
        "application_not_accepted" => [
            "不予受理，理由和救济途径见通知书。",
            "it was not accepted; the notice says why and what you can do.",
        ],
        "application_approved" => ["已办结，予以批准。", "it was approved."],
        "application_refused" => [
            "已作出不予批准的决定，理由和救济途径见决定书。",
            "it was refused; the decision says why and what you can do.",
        ],
        "application_terminated" => [
            "办理已终止，详情请咨询受理部门。",
            "it was ended; please ask the office that accepted it.",
        ],
        "application_billed" => [
            "请缴纳费用后继续办理。",
            "please pay the fee; it goes on afterwards.",
        ],
        "application_delivered" => [
            "办理结果已送达或寄出。",
            "the result was handed over or sent.",
        ],
        "rating_answered" => ["您的评价已得到答复。", "your rating was answered."],
        _ => ["有新进展。", "there is news."],
    }
}

#[async_trait]
impl Notices for CityNotices {
    async fn tell(
        &self,
        to: &Recipient,
        what: &str,
        fields: &Map<String, Value>,
        once: &str,
    ) -> Result<(), Fault> {
        let text = |name: &str| {
            let value = fields.get(name).and_then(Value::as_str);
            value.unwrap_or_default().to_string()
        };
        let number = text("number");
        let [progress, progress_en] = progress(what);
        let title_en = match text("title_en") {
            none if none.is_empty() => text("title"),
            title => title,
        };
        let words = BTreeMap::from([
            ("title".to_string(), text("title")),
            ("title_en".to_string(), title_en),
            ("number".to_string(), number.clone()),
            ("progress".to_string(), progress.to_string()),
            ("progress_en".to_string(), progress_en.to_string()),
        ]);
        let inbox = to
            .account
            .as_ref()
            .map(|account| (To::Account(account.clone()), Channel::Inbox));
        let reached = self.sms && !to.mobile.is_empty();
        let sms = reached.then(|| (To::Mobile(to.mobile.clone()), Channel::Sms));
        for (to, channel) in inbox.into_iter().chain(sms) {
            let message = NewMessage {
                to,
                channel,
                template: TEMPLATE.into(),
                fields: words.clone(),
                once: format!("{once}/{}", channel.word()),
                about: format!("application/{number}"),
                not_before: None,
                until: None,
            };
            self.outbox.send(&Actor::system(), message).await?;
        }
        Ok(())
    }
}
