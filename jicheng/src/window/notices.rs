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

/// What happened, in Chinese and English; `text` gives a field of the news, empty when it is not
/// there.
fn progress(what: &str, text: impl Fn(&str) -> String) -> [String; 2] {
    let told = match what {
        "application_refused" => {
            let (zh, en) = (text("refusal"), text("refusal_en"));
            let zh = if zh.is_empty() {
                "不予批准"
            } else {
                zh.as_str()
            };
            let en = if en.is_empty() {
                "refused"
            } else {
                en.as_str()
            };
            return [
                format!("已作出{zh}的决定，理由和救济途径见决定书。"),
                format!("it was decided: {en}; the decision says why and what you can do."),
            ];
        }
        "application_delivered" if !text("tracking").is_empty() => {
            let tracking = text("tracking");
            return [
                format!("办理结果已寄出，邮件号 {tracking}。"),
                format!("the result was posted, parcel number {tracking}."),
            ];
        }
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
        "application_terminated" => [
            "办理已终止，详情请咨询受理部门。",
            "it was ended; please ask the office that accepted it.",
        ],
        "application_billed" => [
            "请缴纳费用后继续办理。",
            "please pay the fee; it goes on afterwards.",
        ],
        "application_delivered" => ["办理结果已领取。", "the result was handed over."],
        "rating_answered" => ["您的评价已得到答复。", "your rating was answered."],
        _ => ["有新进展。", "there is news."],
    };
    told.map(String::from)
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
        let [progress, progress_en] = progress(what, text);
        let title_en = match text("title_en") {
            none if none.is_empty() => text("title"),
            title => title,
        };
        let words = BTreeMap::from([
            ("title".to_string(), text("title")),
            ("title_en".to_string(), title_en),
            ("number".to_string(), number.clone()),
            ("progress".to_string(), progress),
            ("progress_en".to_string(), progress_en),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_name_the_refusal_and_the_parcel() {
        let check = |what: &str, fields: &[(&str, &str)], zh: &str, en: &str| {
            let text = |name: &str| {
                let found = fields.iter().find(|(known, _)| *known == name);
                found.map_or(String::new(), |(_, value)| value.to_string())
            };
            let told = progress(what, text);
            assert!(told[0].contains(zh) && told[1].contains(en), "{told:?}");
        };
        let payment = [("refusal", "不予给付"), ("refusal_en", "payment refused")];
        check(
            "application_refused",
            &payment,
            "已作出不予给付的决定",
            "payment refused",
        );
        check("application_refused", &[], "不予批准", "refused");
        let posted = [("tracking", "EX123456789CN")];
        check(
            "application_delivered",
            &posted,
            "邮件号 EX123456789CN",
            "parcel number EX123456789CN",
        );
        check("application_delivered", &[], "已领取", "handed over");
    }
}
