//! Templates the program brings along. An operator may change the words; a later edition changes
//! only those nobody changed.

use kernel::Words;
use kernel::messages::NewTemplate;

fn template(name: &str, title: [&str; 2], subject: [&str; 2], text: [&str; 2]) -> NewTemplate {
    let words = |both: [&str; 2]| Words::new(both[0], both[1]);
    NewTemplate {
        name: name.into(),
        title: words(title),
        subject: words(subject),
        text: words(text),
        // The short message says the same.
        sms: words(text),
    }
}

/// Fields the program fills in of a message it sends by this template; `None` for a template it
/// knows nothing of. Whoever changes the words need not use all of them.
pub(crate) fn filled(name: &str) -> Option<Vec<String>> {
    let brought = templates().into_iter().find(|known| known.name == name);
    brought.map(|known| crate::template::fields(&known))
}

/// All of them.
pub(crate) fn templates() -> Vec<NewTemplate> {
    vec![
        template(
            "case_progress",
            ["办件进度", "Progress of an application"],
            [
                "您的办件有新进展：{{title}}",
                "News of your application: {{title_en}}",
            ],
            [
                "您申请的“{{title}}”（受理编号 {{number}}）：{{progress}}",
                "Your application \"{{title_en}}\" (number {{number}}): {{progress_en}}",
            ],
        ),
        template(
            "case_deadline_near",
            ["办理期限临近", "A deadline comes near"],
            ["即将到期：{{title}}", "Due soon: {{title}}"],
            [
                "办件“{{title}}”（{{number}}）的“{{step}}”环节即将到期，最后一日为 {{due}}。",
                "Step \"{{step}}\" of \"{{title}}\" ({{number}}) is due soon: {{due}} is the last day.",
            ],
        ),
        template(
            "case_deadline_over",
            ["办理超期", "A deadline was missed"],
            ["已超期：{{title}}", "Overdue: {{title}}"],
            [
                "办件“{{title}}”（{{number}}）的“{{step}}”环节已超过期限（{{due}}），请立即办理。",
                "Step \"{{step}}\" of \"{{title}}\" ({{number}}) is overdue since {{due}}. Please act now.",
            ],
        ),
        template(
            "case_deadline_superior",
            ["下属办理超期", "A deadline was missed below you"],
            [
                "下属办件超期：{{title}}",
                "Overdue in your office: {{title}}",
            ],
            [
                "{{office}}承办的“{{title}}”（{{number}}）的“{{step}}”环节已超过期限（{{due}}），经办人：{{holder}}。请督办。",
                "Step \"{{step}}\" of \"{{title}}\" ({{number}}), with {{office}}, is overdue since {{due}}; in the hand of: {{holder}}. Please see to it.",
            ],
        ),
        template(
            "case_urged",
            ["办件催办", "A task is urged"],
            ["催办：{{title}}", "Urged: {{title}}"],
            [
                "有人催办“{{title}}”（{{number}}）的“{{step}}”环节，请尽快办理。",
                "Somebody urges step \"{{step}}\" of \"{{title}}\" ({{number}}). Please see to it.",
            ],
        ),
        template(
            "office_turn",
            ["公文传阅到达", "A document has come"],
            ["待阅公文：{{title}}", "To read: {{title}}"],
            [
                "{{from}}请您审阅公文“{{title}}”。",
                "{{from}} asks you to read the document \"{{title}}\".",
            ],
        ),
        template(
            "office_urge",
            ["公文催办", "A document is urged"],
            ["催办：{{title}}", "Urgent: {{title}}"],
            [
                "{{from}}催办：请尽快审阅公文“{{title}}”。",
                "{{from}} urges you to read the document \"{{title}}\".",
            ],
        ),
        template(
            "office_round",
            ["公文传阅结束", "A document has been round"],
            ["传阅结束：{{title}}", "All have read: {{title}}"],
            [
                "公文“{{title}}”已由全部 {{count}} 人阅签。",
                "All {{count}} readers are done with the document \"{{title}}\".",
            ],
        ),
        template(
            "office_invited",
            ["日程邀请", "Invitation"],
            ["日程邀请：{{title}}", "Invitation: {{title}}"],
            [
                "{{from}}邀请您参加“{{title}}”，时间 {{time}}，地点 {{place}}。",
                "{{from}} invites you to \"{{title}}\", {{time}}, {{place}}.",
            ],
        ),
        template(
            "office_cancelled",
            ["日程取消", "Entry cancelled"],
            ["日程取消：{{title}}", "Cancelled: {{title}}"],
            [
                "{{from}}取消了“{{title}}”（{{time}}）。",
                "{{from}} cancelled \"{{title}}\" ({{time}}).",
            ],
        ),
        template(
            "office_reminder",
            ["日程提醒", "Reminder"],
            ["日程提醒：{{title}}", "Reminder: {{title}}"],
            [
                "“{{title}}”将于 {{time}} 开始，地点 {{place}}。",
                "\"{{title}}\" begins {{time}}, {{place}}.",
            ],
        ),
        template(
            "visit_booked",
            ["预约成功", "Appointment booked"],
            ["预约成功：{{matter}}", "Booked: {{matter_en}}"],
            [
                "您已预约 {{time}} 到{{hall}}办理“{{matter}}”，签到码 {{code}}。",
                "You are booked for {{time}} at {{hall_en}} for \"{{matter_en}}\"; check in with {{code}}.",
            ],
        ),
        template(
            "visit_reminder",
            ["预约提醒", "Reminder of an appointment"],
            ["预约提醒：{{matter}}", "Reminder: {{matter_en}}"],
            [
                "提醒：您预约了 {{time}} 到{{hall}}办理“{{matter}}”，签到码 {{code}}，请带齐材料；不能前来请及时取消。",
                "Reminder: {{time}} at {{hall_en}} for \"{{matter_en}}\", check in with {{code}}. Please cancel if you cannot come.",
            ],
        ),
    ]
}
