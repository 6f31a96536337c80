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

/// What happened, in Chinese.
fn progress(what: &str) -> &'static str {
    match what {
        "application_submitted" => "已收到您的申请，将在五个工作日内告知是否受理。",
        "application_correction" => "材料需要补正，请登录查看一次性告知书并补充。",
        "application_accepted" => "已受理。",
        "application_not_accepted" => "不予受理，理由和救济途径见通知书。",
        "application_approved" => "已办结，予以批准。",
        "application_refused" => "已作出不予批准的决定，理由和救济途径见决定书。",
        "application_terminated" => "办理已终止，详情请咨询受理部门。",
        "application_billed" => "请缴纳费用后继续办理。",
        "application_delivered" => "办理结果已送达或寄出。",
        "rating_answered" => "您的评价已得到答复。",
        _ => "有新进展。",
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
        let words = BTreeMap::from([
            ("title".to_string(), text("title")),
            ("number".to_string(), number.clone()),
            ("progress".to_string(), progress(what).to_string()),
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
