//! Registering: an account from a wish for a name and a password. Five characters are put behind
//! every wish, so that no answer tells whether a name is taken.

use crate::limits::{self, network};
use crate::{Deed, Engine, account_subject, actor_of, change, problem, refuse, too_many};
use kernel::fault::FaultKind;
use kernel::parties::NewResident;
use kernel::{Fault, Problem, Time};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::Tx;
use store::parties::{self as rows, PortalAccountRow};

/// Characters that cannot be mistaken for one another.
const LETTERS: &[u8] = b"23456789abcdefghjkmnpqrstuvwxyz";
/// Characters of a wish for a name.
const WISH: std::ops::RangeInclusive<usize> = 2..=20;
/// Edition of the notice on personal data that is agreed to.
const NOTICE: &str = "2026-11";

/// What an account is made from. Level and person are not among it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRegistration {
    /// Wish for an account name; five characters are added to it.
    #[serde(default)]
    pub name: Option<String>,
    /// What to be called by.
    pub display: String,
    /// Password.
    pub password: String,
    /// The notice on personal data was read and agreed to.
    pub consent: bool,
}

/// The new account.
#[derive(Clone, Debug, Serialize)]
pub struct Registered {
    /// Account name to sign in with.
    pub account: String,
    /// Level of proof: 0.
    pub level: i64,
}

fn drawn(letters: usize) -> String {
    let mut random = rand::rng();
    let draw = |_| char::from(LETTERS[random.random_range(0..LETTERS.len())]);
    (0..letters).map(draw).collect()
}

fn wish_problem(wish: &str) -> Option<Problem> {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    let sound = WISH.contains(&wish.len())
        && wish.starts_with(|c: char| c.is_ascii_lowercase())
        && wish.chars().all(letter);
    (!sound).then(|| {
        problem(
            "name",
            "账号名须为 2 至 20 个小写字母、数字或 . _ -，以字母开头；也可不填",
            "2 to 20 of a-z 0-9 . _ - beginning with a letter; or leave it empty",
        )
    })
}

/// What to be called by: letters and digits of any script, nothing invisible.
fn display_problem(display: &str) -> Option<Problem> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '·' | '-' | '.' | '\'');
    let sound = (1..=30).contains(&display.chars().count())
        && display.trim() == display
        && display.chars().all(plain);
    (!sound).then(|| {
        problem(
            "display",
            "称呼须为 1 至 30 个汉字、字母或数字",
            "1 to 30 letters or digits",
        )
    })
}

impl Engine {
    /// Makes an account of level 0.
    pub async fn register(&self, new: NewRegistration, address: &str) -> Result<Registered, Fault> {
        let now = self.clock.now();
        let wish = new.name.as_deref().filter(|wish| !wish.is_empty());
        let mut problems: Vec<Problem> = wish.and_then(wish_problem).into_iter().collect();
        problems.extend(display_problem(&new.display));
        if !new.consent {
            problems.push(problem(
                "consent",
                "请阅读并同意个人信息处理规则后再注册",
                "please read the notice on personal data and agree to it",
            ));
        }
        let mut resident = NewResident {
            // The rules of passwords are asked without a name; it is not drawn yet.
            name: String::new(),
            display: new.display,
            password: new.password,
        };
        let of_identity = self.accounts.problems(&resident);
        problems.extend(of_identity.into_iter().filter(|p| p.at == "password"));
        refuse(problems)?;
        // A form sent back costs nothing: a hall of people is one network.
        self.limits
            .count(limits::REGISTER, &network(address), now)
            .map_err(too_many)?;
        for _ in 0..5 {
            resident.name = match wish {
                Some(wish) => format!("{wish}-{}", drawn(5)),
                None => format!("r-{}", drawn(9)),
            };
            let copy = NewResident {
                name: resident.name.clone(),
                display: resident.display.clone(),
                password: resident.password.clone(),
            };
            match self.accounts.create(copy).await {
                Ok(()) => return self.enrol(&resident.name, now).await,
                Err(fault) if fault.kind == FaultKind::Conflict => {}
                Err(fault) => return Err(fault),
            }
        }
        Err(Fault::overloaded("registration", 5))
    }

    async fn enrol(&self, account: &str, now: Time) -> Result<Registered, Fault> {
        let mut tx = self.store.begin().await?;
        let row = self.ensure(&mut tx, account).await?;
        let subject = account_subject(account);
        let details = json!({ "notice": NOTICE });
        let deed = Deed::own(&subject, "registered", details);
        change(&mut tx, now, &actor_of(account), row.version, None, deed).await?;
        tx.commit().await?;
        Ok(Registered {
            account: account.into(),
            level: row.level,
        })
    }

    /// The open portal account of an account, made at its first use. A program has none.
    pub(crate) async fn ensure(
        &self,
        tx: &mut Tx,
        account: &str,
    ) -> Result<PortalAccountRow, Fault> {
        if let Some(row) = rows::account(tx, account).await? {
            return Some(row)
                .filter(|row| row.closed_at.is_none())
                .ok_or_else(|| Fault::missing("portal account"));
        }
        if account.contains(':') || account == "system" {
            return Err(Fault::missing("portal account"));
        }
        let row = blank(account, self.clock.now());
        rows::put_account(tx, &row).await?;
        Ok(row)
    }
}

/// An account nothing is known of yet.
pub(crate) fn blank(account: &str, now: Time) -> PortalAccountRow {
    PortalAccountRow {
        account: account.into(),
        party: None,
        level: 0,
        phone_digest: None,
        phone: None,
        phone_at: None,
        created_at: now.0,
        closed_at: None,
        version: 1,
    }
}
