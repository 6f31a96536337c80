//! What people call the kinds of things that access is granted to: denials say it in plain words.

use crate::fault::Words;

/// What people call a kind of thing that access is granted to.
pub fn object_words(object: &str) -> Words {
    let (zh, en) = match object {
        "observations" => ("监测数据", "what devices measure"),
        "alerts" => ("告警", "alerts"),
        "devices" => ("设备", "devices"),
        "frames" => ("设备原始报文", "frames of devices"),
        "layers" => ("地图图层", "layers of the map"),
        "registers" => ("登记簿", "registers"),
        "indicators" => ("指标", "indicators"),
        "reports" => ("报表", "reports"),
        "system" => ("系统运行", "how the system runs"),
        "audit" => ("审计日志", "the audit log"),
        "accounts" => ("账号", "accounts"),
        "organisations" => ("机构", "organisations"),
        "directory" => ("通讯录", "the directory"),
        "keys" => ("密钥", "keys"),
        "grants" => ("授权", "grants"),
        "meters" => ("计量", "meters"),
        "data_questions" => ("个人信息查询申请", "questions about personal data"),
        "applications" => ("接入的应用", "programs that sign in here"),
        "metrics" => ("运行指标", "metrics"),
        "parties" => ("自然人和单位", "persons and enterprises"),
        "posture" => ("安全状况", "the security posture"),
        "backups" => ("备份", "backups"),
        "holds" => ("依法保留", "legal holds"),
        "licences" => ("电子证照", "licences"),
        "cases" => ("办件流程", "cases"),
        "processes" => ("流程图", "processes"),
        "items" => ("政务服务事项", "items of service"),
        "calendar" => ("工作日历", "the calendar"),
        "decisions" => ("决策表", "decision tables"),
        "service_applications" => ("办件", "applications for services"),
        "messages" => ("消息", "messages"),
        "office" => ("办公平台", "the office platform"),
        "visits" => ("大厅预约和叫号", "appointments and queues of halls"),
        other if other.starts_with("register.") => ("这个登记簿", "this register"),
        _ => ("这项内容", "this"),
    };
    Words::new(zh, en)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_thing_has_words() {
        for object in crate::declare::check::OBJECTS {
            let words = object_words(object);
            assert_ne!(words.zh, "这项内容", "{object}");
            assert!(!words.zh.is_ascii() && !words.en.contains('_'), "{object}");
        }
    }
}
