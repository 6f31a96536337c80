//! The commands the platform may give a station: their names, parameters and CP.

use crate::codec::{Edition, format_time};
use kernel::devices::CommandKind;
use kernel::fault::{FaultKind, Problem};
use kernel::{Fault, Time, Words};
use serde_json::{Map, Value};

/// How a parameter is written into CP.
#[derive(Clone, Copy)]
enum Kind {
    /// A whole number in a range.
    Number(i64, i64),
    /// Minutes that divide the hour: 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30.
    MinuteStep,
    /// A time, written with 14 digits.
    Moment,
    /// A factor code or other short name of letters and digits.
    Code,
    /// Six digits `hhmmss`.
    Clock,
}

struct Parameter {
    name: &'static str,
    field: &'static str,
    kind: Kind,
    required: bool,
    title: (&'static str, &'static str),
}

struct Known {
    name: &'static str,
    cn: u16,
    title: (&'static str, &'static str),
    parameters: &'static [Parameter],
    since: Edition,
}

const fn parameter(
    name: &'static str,
    field: &'static str,
    kind: Kind,
    required: bool,
    zh: &'static str,
    en: &'static str,
) -> Parameter {
    Parameter {
        name,
        field,
        kind,
        required,
        title: (zh, en),
    }
}

const FROM: Parameter = parameter("from", "BeginTime", Kind::Moment, true, "开始时间", "From");
const TO: Parameter = parameter("to", "EndTime", Kind::Moment, true, "结束时间", "To");
const FACTOR: Parameter = parameter(
    "factor",
    "PolId",
    Kind::Code,
    true,
    "因子编码",
    "Factor code",
);
const MAYBE_FACTOR: Parameter = parameter(
    "factor",
    "PolId",
    Kind::Code,
    false,
    "因子编码（可空）",
    "Factor code (optional)",
);

const fn known(
    name: &'static str,
    cn: u16,
    zh: &'static str,
    en: &'static str,
    parameters: &'static [Parameter],
    since: Edition,
) -> Known {
    Known {
        name,
        cn,
        title: (zh, en),
        parameters,
        since,
    }
}

use Edition::{E2005, E2017};

/// Table 9 of HJ 212-2017, as far as the platform asks and the station answers.
const COMMANDS: &[Known] = &[
    known(
        "set_time",
        1012,
        "设置现场机时间",
        "Set the station's clock",
        &[
            MAYBE_FACTOR,
            parameter(
                "time",
                "SystemTime",
                Kind::Moment,
                false,
                "时间（空为现在）",
                "Time (empty: now)",
            ),
        ],
        E2005,
    ),
    known(
        "read_time",
        1011,
        "提取现场机时间",
        "Read the station's clock",
        &[MAYBE_FACTOR],
        E2005,
    ),
    known(
        "set_realtime_interval",
        1062,
        "设置实时数据间隔",
        "Set the real-time interval",
        &[parameter(
            "interval_s",
            "RtdInterval",
            Kind::Number(30, 3600),
            true,
            "间隔（秒，30–3600）",
            "Interval (s, 30 to 3600)",
        )],
        E2005,
    ),
    known(
        "read_realtime_interval",
        1061,
        "提取实时数据间隔",
        "Read the real-time interval",
        &[],
        E2005,
    ),
    known(
        "set_minute_interval",
        1064,
        "设置分钟数据间隔",
        "Set the minute interval",
        &[parameter(
            "interval_min",
            "MinInterval",
            Kind::MinuteStep,
            true,
            "间隔（分钟）",
            "Interval (min)",
        )],
        E2017,
    ),
    known(
        "read_minute_interval",
        1063,
        "提取分钟数据间隔",
        "Read the minute interval",
        &[],
        E2017,
    ),
    known(
        "start_realtime",
        2011,
        "开始上传实时数据",
        "Start (and extract) real-time data",
        &[],
        E2005,
    ),
    known(
        "stop_realtime",
        2012,
        "停止上传实时数据",
        "Stop real-time data",
        &[],
        E2005,
    ),
    known(
        "device_states",
        2021,
        "开始上传设备运行状态",
        "Start device states",
        &[],
        E2005,
    ),
    known(
        "stop_device_states",
        2022,
        "停止上传设备运行状态",
        "Stop device states",
        &[],
        E2005,
    ),
    known(
        "extract_day",
        2031,
        "提取日历史数据",
        "Extract daily data",
        &[FROM, TO],
        E2005,
    ),
    known(
        "extract_running_time",
        2041,
        "提取设备运行时间",
        "Extract running times",
        &[FROM, TO],
        E2005,
    ),
    known(
        "extract_minute",
        2051,
        "提取分钟历史数据",
        "Extract minute data",
        &[FROM, TO],
        E2005,
    ),
    known(
        "extract_hour",
        2061,
        "提取小时历史数据",
        "Extract hourly data",
        &[FROM, TO],
        E2005,
    ),
    known(
        "zero_span",
        3011,
        "零点量程校准",
        "Calibrate zero and span",
        &[FACTOR],
        E2005,
    ),
    known(
        "sample_now",
        3012,
        "即时采样",
        "Sample now",
        &[FACTOR],
        E2005,
    ),
    known(
        "clean",
        3013,
        "启动清洗/反吹",
        "Clean or blow back",
        &[FACTOR],
        E2017,
    ),
    known(
        "compare_sample",
        3014,
        "比对采样",
        "Comparison sample",
        &[FACTOR],
        E2017,
    ),
    known(
        "set_sampling_period",
        3016,
        "设置采样周期",
        "Set the sampling period",
        &[
            FACTOR,
            parameter(
                "start",
                "CstartTime",
                Kind::Clock,
                true,
                "起始时刻 hhmmss",
                "Start, hhmmss",
            ),
            parameter(
                "period_h",
                "Ctime",
                Kind::Number(0, 24),
                true,
                "周期（小时）",
                "Period (h)",
            ),
        ],
        E2017,
    ),
    known(
        "read_sampling_period",
        3017,
        "提取采样周期",
        "Read the sampling period",
        &[FACTOR],
        E2017,
    ),
    known(
        "read_sampling_time",
        3018,
        "提取出样时间",
        "Read the sampling lead time",
        &[FACTOR],
        E2017,
    ),
    known(
        "read_device_id",
        3019,
        "提取设备唯一标识",
        "Read the instrument's identification",
        &[FACTOR],
        E2017,
    ),
    known(
        "read_information",
        3020,
        "提取现场机信息",
        "Read station information",
        &[
            FACTOR,
            parameter(
                "information",
                "InfoId",
                Kind::Code,
                true,
                "信息编码",
                "Information code",
            ),
            FROM,
            TO,
        ],
        E2017,
    ),
];

/// The commands as the desk shows them.
pub(super) fn kinds() -> Vec<CommandKind> {
    let words = |(zh, en): (&str, &str)| Words::new(zh, en);
    let kind_of = |kind: Kind| match kind {
        Kind::Number(..) | Kind::MinuteStep => "integer",
        Kind::Moment => "time",
        Kind::Code | Kind::Clock => "string",
    };
    let parameters = |known: &Known| {
        let each = known.parameters.iter();
        each.map(|p| (p.name, kind_of(p.kind), words(p.title)))
            .collect()
    };
    let shown = COMMANDS.iter().map(|known| CommandKind {
        name: known.name,
        title: words(known.title),
        parameters: parameters(known),
    });
    shown.collect()
}

/// CN and CP of a command, or every fault of it at once.
pub(super) fn write(
    name: &str,
    given: &Map<String, Value>,
    edition: Edition,
    now: Time,
) -> Result<(u16, String), Fault> {
    let known = COMMANDS.iter().find(|known| known.name == name);
    let Some(known) = known.filter(|known| known.since <= edition) else {
        return Err(Fault::new(
            FaultKind::Invalid,
            "commands.unsupported",
            format!("该设备（HJ 212-{}）不支持命令 {name}", edition.word()),
            format!(
                "a device of HJ 212-{} knows no command {name}",
                edition.word()
            ),
        ));
    };
    let mut problems = vec![];
    let mut fields = vec![];
    for unknown in given
        .keys()
        .filter(|key| known.parameters.iter().all(|p| p.name != *key))
    {
        problems.push(problem(
            unknown,
            "没有这个参数",
            "there is no such parameter",
        ));
    }
    for parameter in known.parameters {
        let value = given
            .get(parameter.name)
            .filter(|v| !v.is_null() && *v != "");
        match value {
            None if parameter.name == "time" => fields.push(field(parameter, &format_time(now))),
            None if parameter.required => {
                problems.push(problem(parameter.name, "必须填写", "is required"));
            }
            None => {}
            Some(value) => match text_of(parameter.kind, value) {
                Ok(text) => fields.push(field(parameter, &text)),
                Err((zh, en)) => problems.push(problem(parameter.name, &zh, &en)),
            },
        }
    }
    if !problems.is_empty() {
        return Err(Fault::invalid(problems));
    }
    Ok((known.cn, fields.join(",")))
}

fn field(parameter: &Parameter, text: &str) -> String {
    format!("{}={text}", parameter.field)
}

fn problem(at: &str, zh: &str, en: &str) -> Problem {
    Problem {
        at: at.into(),
        words: Words::new(zh, en),
    }
}

/// A parameter as CP writes it, or what would be right.
fn text_of(kind: Kind, value: &Value) -> Result<String, (String, String)> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    };
    let all = |test: fn(&u8) -> bool| !text.is_empty() && text.as_bytes().iter().all(test);
    let wrong = |zh: String, en: String| Err((zh, en));
    match kind {
        Kind::Number(low, high) => match text.parse::<i64>() {
            Ok(number) if (low..=high).contains(&number) => Ok(number.to_string()),
            _ => wrong(
                format!("应为 {low} 到 {high} 的整数"),
                format!("must be a whole number from {low} to {high}"),
            ),
        },
        Kind::MinuteStep => match text.parse::<i64>() {
            Ok(number) if matches!(number, 1..=6 | 10 | 12 | 15 | 20 | 30) => {
                Ok(number.to_string())
            }
            _ => wrong(
                "应为 1、2、3、4、5、6、10、12、15、20 或 30".into(),
                "must be 1, 2, 3, 4, 5, 6, 10, 12, 15, 20 or 30".into(),
            ),
        },
        Kind::Moment => match Time::parse(&text) {
            Some(time) => Ok(format_time(time)),
            None => wrong(
                "应为时间，如 2026-01-01T08:00+08:00".into(),
                "must be a time such as 2026-01-01T08:00+08:00".into(),
            ),
        },
        Kind::Code if all(u8::is_ascii_alphanumeric) && text.len() <= 16 => Ok(text),
        Kind::Code => wrong("应为字母和数字".into(), "must be letters and digits".into()),
        Kind::Clock if all(u8::is_ascii_digit) && text.len() == 6 => Ok(text),
        Kind::Clock => wrong(
            "应为六位数字 hhmmss".into(),
            "must be six digits hhmmss".into(),
        ),
    }
}
