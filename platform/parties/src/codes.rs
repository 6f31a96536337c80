//! Codes: six digits sent to a mobile number, good for ten minutes, five guesses and one use. What
//! is asked for a number nobody has gets the same answer, the same limits and the same time; only
//! no message goes out. A code is never logged and never kept, only its keyed digest.

use crate::limits::{self, network};
use crate::{Engine, too_many};
use kernel::fault::FaultKind;
use kernel::parties::Message;
use kernel::{Fault, Span, Time, new_id};
use rand::RngExt;
use serde::Serialize;
use store::parties::{self as rows, CodeRow};

/// A code is good for so long.
const GOOD: Span = Span::minutes(10);
/// Guesses at one code.
const GUESSES: i64 = 5;
/// Pause between two codes to one number from one network.
const PAUSE: Span = Span::minutes(1);
/// Codes a day to one number from one network; so that others cannot use them up.
const A_DAY: usize = 5;
/// Codes a day to one number from anywhere.
const A_DAY_IN_ALL: usize = 20;

/// A code is on its way, if there is anybody to send it to.
#[derive(Clone, Debug, Serialize)]
pub struct Sent {
    /// Identification to answer with.
    pub challenge: String,
    /// Good until.
    pub expires_at: Time,
    /// Another may be asked for at.
    pub again_at: Time,
}

/// Wrong, used, too old, guessed at too often, somebody else's: all the same to whoever asks.
pub(crate) fn wrong_code() -> Fault {
    Fault::new(
        FaultKind::Invalid,
        "parties.code",
        "验证码不正确或已失效，请核对或重新获取",
        "the code is not right or no longer good; check it or ask for another",
    )
}

/// Who asks for a code, for what.
pub(crate) struct Wanted<'a> {
    pub(crate) purpose: &'static str,
    pub(crate) account: Option<&'a str>,
    pub(crate) mobile: &'a str,
    pub(crate) address: &'a str,
    /// Send it; otherwise only pretend.
    pub(crate) send: bool,
}

fn six_digits() -> String {
    format!("{:06}", rand::rng().random_range(0..1_000_000))
}

impl Engine {
    /// Nothing can be proven by message while none can be sent.
    pub(crate) fn demand_messenger(&self) -> Result<(), Fault> {
        if self.messenger.is_ready() {
            return Ok(());
        }
        Err(unavailable("短信服务", "sending messages"))
    }

    /// Sends a code within the limits of number and network.
    pub(crate) async fn send_code(&self, wanted: Wanted<'_>) -> Result<Sent, Fault> {
        self.demand_messenger()?;
        let now = self.clock.now();
        self.limits
            .count(limits::CODES, &network(wanted.address), now)
            .map_err(too_many)?;
        let phone_digest = self.sealing.phone_digest(wanted.mobile);
        let address = self.sealing.address_digest(wanted.address);
        let mut tx = self.store.begin().await?;
        let since = (now - Span::days(1)).0;
        let earlier = rows::codes_to(&mut tx, &phone_digest, since, A_DAY_IN_ALL as u64).await?;
        let mine: Vec<&CodeRow> = earlier.iter().filter(|c| c.address == address).collect();
        if let Some(last) = mine.first()
            && now.0 < last.sent_at + PAUSE.0
        {
            return Err(too_many(seconds(last.sent_at + PAUSE.0 - now.0)));
        }
        if mine.len() >= A_DAY || earlier.len() >= A_DAY_IN_ALL {
            return Err(too_many(3600));
        }
        let (id, code) = (new_id(now), six_digits());
        let row = CodeRow {
            purpose: wanted.purpose.into(),
            account: wanted.account.map(String::from),
            phone: Some(
                self.sealing
                    .seal(&format!("party_codes/{id}"), &wanted.mobile)?,
            ),
            phone_digest,
            address,
            digest: self.sealing.code_sent_digest(&id, &code),
            attempts: 0,
            sent_at: now.0,
            expires_at: (now + GOOD).0,
            used_at: None,
            id,
        };
        rows::put_code(&mut tx, &row).await?;
        tx.commit().await?;
        if wanted.send {
            self.post(wanted.mobile, text_of(wanted.purpose, &code));
        }
        Ok(Sent {
            challenge: row.id,
            expires_at: Time(row.expires_at),
            again_at: now + PAUSE,
        })
    }

    /// Hands a message over without waiting: the time of an answer tells nothing.
    pub(crate) fn post(&self, mobile: &str, text: String) {
        let messenger = self.messenger.clone();
        let to = mobile.to_string();
        tokio::spawn(async move {
            if let Err(fault) = messenger.send(Message { to, text }).await {
                tracing::warn!(code = fault.code, "a short message was not taken");
            }
        });
    }

    /// The row and mobile number of a challenge this code answers; every wrong guess is counted.
    /// The code is not used up: [`Engine::use_code`] does that.
    pub(crate) async fn answered(
        &self,
        purpose: &str,
        account: Option<&str>,
        challenge: &str,
        code: &str,
        address: &str,
    ) -> Result<(CodeRow, String), Fault> {
        let now = self.clock.now();
        self.limits
            .count(limits::GUESSES, &network(address), now)
            .map_err(too_many)?;
        if challenge.len() > 40 || code.len() != 6 {
            return Err(wrong_code());
        }
        let mut tx = self.store.begin().await?;
        let found = rows::code(&mut tx, challenge).await?;
        let good = found.filter(|row| {
            row.purpose == purpose
                && account.is_none_or(|account| row.account.as_deref() == Some(account))
                && row.used_at.is_none()
                && row.attempts < GUESSES
                && now.0 < row.expires_at
        });
        let Some(mut row) = good else {
            return Err(wrong_code());
        };
        // Counted before it is looked at, so that many at once gain nothing.
        row.attempts += 1;
        rows::put_code(&mut tx, &row).await?;
        tx.commit().await?;
        if self.sealing.code_sent_digest(&row.id, code) != row.digest {
            return Err(wrong_code());
        }
        let sealed = row.phone.as_deref().ok_or_else(wrong_code)?;
        let place = format!("party_codes/{}", row.id);
        let mobile = self.sealing.open_value(&place, sealed)?;
        Ok((row, mobile))
    }

    /// Uses a code up; only one of several at once succeeds.
    pub(crate) async fn use_code(&self, tx: &mut store::Tx, id: &str) -> Result<(), Fault> {
        let found = rows::code(tx, id).await?;
        let mut row = found
            .filter(|row| row.used_at.is_none())
            .ok_or_else(wrong_code)?;
        row.used_at = Some(self.clock.now().0);
        row.phone = None;
        rows::put_code(tx, &row).await
    }
}

fn seconds(micros: i64) -> u32 {
    (micros / 1_000_000 + 1).clamp(1, 86_400) as u32
}

fn text_of(purpose: &str, code: &str) -> String {
    let what = match purpose {
        "recovery" => "找回账号",
        _ => "验证手机号",
    };
    format!("【冀城】您的验证码是 {code}，用于{what}，10 分钟内有效。工作人员不会向您索要验证码。")
}

/// Something outside that this needs is not there.
pub(crate) fn unavailable(zh: &str, en: &str) -> Fault {
    let mut fault = Fault::new(
        FaultKind::Overloaded,
        "parties.unavailable",
        format!("{zh}暂不可用，请稍后再试，或到政务服务窗口办理"),
        format!("{en} is not possible at present; try later, or come to a counter"),
    );
    fault.retry_after_s = Some(60);
    fault
}
