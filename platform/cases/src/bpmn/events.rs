//! Event definitions: what an event is of, and which of them may stand where.

use super::model::{EventWhat, Moment, Trigger};
use super::read::Reader;
use roxmltree::Node as Xml;

/// Chinese and English of a fault.
pub(super) type Words2<'a> = (&'a str, &'a str);

/// What an event is of; `None` when its definition cannot be read.
pub(super) fn what<'a>(
    reader: &mut Reader<'a>,
    xml: Xml<'a, 'a>,
    moment: Moment,
) -> Option<EventWhat> {
    let definitions: Vec<_> = reader.children(xml).into_iter().collect();
    let definition = match definitions.as_slice() {
        [] => return plain(reader, xml, moment),
        [one] => *one,
        _ => {
            reader.wrong(
                xml,
                (
                    "只能有一个事件定义",
                    "there may be one event definition only",
                ),
            );
            return None;
        }
    };
    let what = defined(reader, definition)?;
    if !fits(&what, moment) {
        reader.wrong(
            xml,
            (
                "此处不能有这种事件",
                "an event of this kind may not stand here",
            ),
        );
    }
    if let (EventWhat::Error(None) | EventWhat::Escalation(None), Moment::Throw | Moment::End) =
        (&what, moment)
    {
        reader.wrong(
            xml,
            (
                "抛出的错误或升级须指明 errorRef / escalationRef",
                "what is thrown must be named by errorRef or escalationRef",
            ),
        );
    }
    if let (
        EventWhat::Error(_) | EventWhat::Compensation(_),
        Moment::Boundary {
            interrupting: false,
            ..
        },
    ) = (&what, moment)
    {
        reader.wrong(
            xml,
            ("错误事件总是中断活动", "an error always ends its activity"),
        );
    }
    Some(what)
}

fn plain<'a>(reader: &mut Reader<'a>, xml: Xml<'a, 'a>, moment: Moment) -> Option<EventWhat> {
    match moment {
        Moment::Catch | Moment::Boundary { .. } => {
            reader.wrong(xml, ("缺少事件定义", "the event definition is missing"));
            None
        }
        Moment::Start { .. } | Moment::Throw | Moment::End => Some(EventWhat::None),
    }
}

fn defined<'a>(reader: &mut Reader<'a>, definition: Xml<'a, 'a>) -> Option<EventWhat> {
    let optional = |reader: &mut Reader<'a>, attribute: &str| match definition.attribute(attribute)
    {
        None => Some(None),
        Some(_) => reader.reference(definition, attribute).map(Some),
    };
    Some(match definition.tag_name().name() {
        "messageEventDefinition" => EventWhat::Message(reader.reference(definition, "messageRef")?),
        "signalEventDefinition" => EventWhat::Signal(reader.reference(definition, "signalRef")?),
        "errorEventDefinition" => EventWhat::Error(optional(reader, "errorRef")?),
        "escalationEventDefinition" => EventWhat::Escalation(optional(reader, "escalationRef")?),
        "terminateEventDefinition" => EventWhat::Terminate,
        "compensateEventDefinition" => {
            EventWhat::Compensation(definition.attribute("activityRef").map(String::from))
        }
        "conditionalEventDefinition" => match reader.child_text(definition, "condition") {
            Some(condition) => EventWhat::Conditional(condition),
            None => {
                reader.wrong(definition, ("缺少 condition", "condition is missing"));
                return None;
            }
        },
        "timerEventDefinition" => EventWhat::Timer(timer(reader, definition)?),
        _ => {
            reader.wrong(definition, ("不是事件定义", "is no event definition"));
            return None;
        }
    })
}

fn timer<'a>(reader: &mut Reader<'a>, definition: Xml<'a, 'a>) -> Option<Trigger> {
    let mut found = vec![];
    for (name, make) in [
        ("timeDate", Trigger::Date as fn(String) -> Trigger),
        ("timeDuration", Trigger::Duration),
        ("timeCycle", Trigger::Cycle),
    ] {
        found.extend(reader.child_text(definition, name).map(make));
    }
    if found.len() != 1 {
        reader.wrong(
            definition,
            (
                "需要 timeDate、timeDuration、timeCycle 之一",
                "exactly one of timeDate, timeDuration, timeCycle is needed",
            ),
        );
        return None;
    }
    found.pop()
}

/// May an event of this kind stand here? Table 10.93 of the standard, less what the subset leaves
/// out. Whether a start event stands in an event sub-process is looked at with the whole.
fn fits(what: &EventWhat, moment: Moment) -> bool {
    use EventWhat::*;
    match moment {
        Moment::Start { .. } => !matches!(what, Terminate),
        Moment::Catch => matches!(what, Message(_) | Signal(_) | Timer(_) | Conditional(_)),
        Moment::Throw => matches!(
            what,
            Message(_) | Signal(_) | Escalation(_) | Compensation(_)
        ),
        Moment::End => !matches!(what, Timer(_) | Conditional(_)),
        Moment::Boundary { .. } => !matches!(what, Terminate),
    }
}
