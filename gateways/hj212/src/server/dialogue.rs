//! The dialogue of a command (HJ 212-2017 §6.4): request → 9011 (QnRtn) → data, if any → 9012
//! (ExeRtn); a notice is answered by 9013. What is not answered in time is sent again, a few
//! times; every step is written down.

use super::{Shared, book::Route, commands};
use crate::codec::{Check, Frame, Outgoing};
use kernel::Fault;
use kernel::devices::{Command, CommandState};
use kernel::fault::FaultKind;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Dialogues open at once, all devices together.
const OPEN: usize = 1_000;
/// Steps written down of one command; data frames beyond are stored but no longer listed.
const STEPS: usize = 100;
/// Characters of a data frame written down in a step.
const STEP_CHARS: usize = 300;

/// What a station said within a dialogue.
enum Reply {
    /// 9011 with its QnRtn.
    Request(u32),
    /// 9012 with its ExeRtn.
    Execution(u32),
    /// 9013: a notice was heard.
    Notice,
    /// A frame with data, as text.
    Data(String),
}

type Key = (String, String);

/// Dialogues that are open, by device and request number.
#[derive(Default)]
pub(super) struct Dialogues {
    open: Mutex<HashMap<Key, mpsc::Sender<Reply>>>,
    count: AtomicUsize,
}

impl Dialogues {
    /// An accepted frame: tells the dialogue it belongs to, if any.
    pub fn heard(&self, frame: &Frame<'_>) {
        if self.count.load(Relaxed) == 0 {
            return;
        }
        let Some(request) = frame.request() else {
            return;
        };
        let open = self.open.lock();
        let Some(to) = open.get(&(frame.mn.to_owned(), request.to_owned())) else {
            return;
        };
        let number = |name| frame.field(name).and_then(|n| n.parse().ok()).unwrap_or(0);
        let reply = match frame.cn {
            9011 => Reply::Request(number("QnRtn")),
            9012 => Reply::Execution(number("ExeRtn")),
            9013 => Reply::Notice,
            cn => {
                let text = String::from_utf8_lossy(frame.cp);
                let text: String = text.chars().take(STEP_CHARS).collect();
                Reply::Data(format!("CN={cn} {text}"))
            }
        };
        // A full queue means that a hundred data frames wait to be listed; they are stored anyway.
        let _ = to.try_send(reply);
    }

    fn begin(&self, key: Key) -> Result<mpsc::Receiver<Reply>, Fault> {
        let mut open = self.open.lock();
        if open.len() >= OPEN {
            return Err(Fault::new(
                FaultKind::TooMany,
                "input.too_many",
                format!("同时进行的命令已达 {OPEN} 条，请稍后再试"),
                format!("{OPEN} commands are under way already; try again later"),
            ));
        }
        let (to, from) = mpsc::channel(100);
        open.insert(key, to);
        self.count.store(open.len(), Relaxed);
        Ok(from)
    }

    fn end(&self, key: &Key) {
        let mut open = self.open.lock();
        open.remove(key);
        self.count.store(open.len(), Relaxed);
    }
}

/// Checks and starts a command; its dialogue runs on by itself.
pub(super) async fn start(shared: &Arc<Shared>, mut command: Command) -> Result<(), Fault> {
    let route = shared
        .book
        .find(&command.thing)
        .and_then(|entry| entry.route());
    let Some(route) = route else {
        return Err(Fault::new(
            FaultKind::Conflict,
            "commands.not_connected",
            format!("设备 {} 未连接", command.thing),
            format!("device {} is not connected", command.thing),
        ));
    };
    let now = shared.city.clock.now();
    let (cn, cp) = commands::write(&command.name, &command.parameters, route.edition, now)?;
    let request = shared.next_request();
    let message = Outgoing {
        qn: &request,
        st: &route.system_code,
        cn,
        pw: &route.password,
        mn: &command.thing,
        edition: route.edition,
        answer: true,
        back_filled: false,
        cp: &cp,
        check: if route.modbus {
            Check::Modbus
        } else {
            Check::Standard
        },
    }
    .bytes();
    let key = (command.thing.clone(), request);
    let replies = shared.dialogues.begin(key.clone())?;
    command.state = CommandState::Queued;
    if let Err(fault) = shared.city.devices.put_command(&command).await {
        shared.dialogues.end(&key);
        return Err(fault);
    }
    let shared = shared.clone();
    tokio::spawn(async move {
        let talk = Talk {
            shared: &shared,
            command,
            replies,
        };
        talk.run(&route, message).await;
        shared.dialogues.end(&key);
    });
    Ok(())
}

struct Talk<'a> {
    shared: &'a Shared,
    command: Command,
    replies: mpsc::Receiver<Reply>,
}

impl Talk<'_> {
    async fn run(mut self, route: &Route, message: Vec<u8>) {
        let config = &self.shared.config;
        let patience = Duration::from_secs(config.command_time_out_s);
        let text = String::from_utf8_lossy(&message).trim_end().to_owned();
        let mut first = None;
        for attempt in 0..=config.command_retries {
            if !route.link.send(message.clone()) {
                return self
                    .step(CommandState::Failed, "发送队列已满 send queue full".into())
                    .await;
            }
            let label = match attempt {
                0 => format!("→ {text}"),
                n => format!("→ 重发 retry {n}"),
            };
            self.step(CommandState::Sent, label).await;
            if let Ok(reply) = timeout(patience, self.replies.recv()).await {
                first = reply;
                break;
            }
        }
        let Some(mut reply) = first else {
            let text = format!("无应答 no answer after {} retries", config.command_retries);
            return self.step(CommandState::TimedOut, text).await;
        };
        let patience = Duration::from_secs(config.execution_time_out_s);
        loop {
            if self.handle(reply).await {
                return;
            }
            match timeout(patience, self.replies.recv()).await {
                Ok(Some(next)) => reply = next,
                _ => {
                    let text = "未收到执行结果 no result (9012) in time".to_owned();
                    return self.step(CommandState::TimedOut, text).await;
                }
            }
        }
    }

    /// Writes a reply down; true when it was the last.
    async fn handle(&mut self, reply: Reply) -> bool {
        let (state, text, last) = match reply {
            Reply::Request(1) => (
                CommandState::Accepted,
                "← 9011 QnRtn=1 请求被接受 accepted".into(),
                false,
            ),
            Reply::Request(n) => {
                let (zh, en) = refusal(n);
                (
                    CommandState::Failed,
                    format!("← 9011 QnRtn={n} {zh} {en}"),
                    true,
                )
            }
            Reply::Execution(1) => (
                CommandState::Done,
                "← 9012 ExeRtn=1 执行成功 done".into(),
                true,
            ),
            Reply::Execution(n) => {
                let (zh, en) = failure(n);
                (
                    CommandState::Failed,
                    format!("← 9012 ExeRtn={n} {zh} {en}"),
                    true,
                )
            }
            Reply::Notice => (
                CommandState::Done,
                "← 9013 通知应答 notice heard".into(),
                true,
            ),
            Reply::Data(text) => (CommandState::Accepted, format!("← {text}"), false),
        };
        self.step(state, text).await;
        last
    }

    async fn step(&mut self, state: CommandState, text: String) {
        let text = crate::without_passwords(&text);
        let changed = self.command.state != state;
        self.command.state = state;
        if self.command.steps.len() < STEPS || changed {
            self.command
                .steps
                .push((self.shared.city.clock.now(), text));
        } else {
            return;
        }
        if let Err(fault) = self.shared.city.devices.put_command(&self.command).await {
            tracing::error!(%fault, command = self.command.id, "the step of a command was not kept");
        }
    }
}

/// QnRtn of HJ 212-2017, table 7.
fn refusal(code: u32) -> (&'static str, &'static str) {
    match code {
        2 => ("请求被拒绝", "refused"),
        3 => ("PW 错误", "wrong PW"),
        4 => ("MN 错误", "wrong MN"),
        5 => ("ST 错误", "wrong ST"),
        6 => ("Flag 错误", "wrong Flag"),
        7 => ("QN 错误", "wrong QN"),
        8 => ("CN 错误", "wrong CN"),
        9 => ("CRC 校验错误", "wrong check value"),
        _ => ("未知错误", "unknown error"),
    }
}

/// ExeRtn of HJ 212-2017, table 6.
fn failure(code: u32) -> (&'static str, &'static str) {
    match code {
        2 => ("执行失败，原因未知", "failed"),
        3 => ("命令请求条件错误", "wrong condition"),
        4 => ("通讯超时", "time-out"),
        5 => ("系统繁忙", "busy"),
        6 => ("系统故障", "fault"),
        100 => ("没有数据", "no data"),
        _ => ("未知错误", "unknown error"),
    }
}
