//! Accounts: made, changed and disabled, never deleted, because the audit log refers to them.

use crate::{Engine, passwords, record_change};
use kernel::access::Actor;
use kernel::fault::FaultKind;
use kernel::{Fault, Problem, Time, Words};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use store::accounts::{self, AccountRow};
use store::{Run, Tx};

/// The machine itself acts under this name.
const SYSTEM: &str = "system";
/// Characters of a name for people, at most.
const DISPLAY_LIMIT: usize = 100;

/// An account, as it may be shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Account {
    /// Name.
    pub name: String,
    /// Name for people.
    pub display: String,
    /// Roles.
    pub roles: Vec<String>,
    /// Organisation code.
    pub organisation: Option<String>,
    /// May not sign in.
    pub disabled: bool,
    /// When it was made.
    pub created_at: Time,
    /// When its holder last signed in.
    pub last_sign_in: Option<Time>,
    /// Second factors that are active.
    pub second_factors: i64,
    /// The password was set by somebody else and must be changed at the next sign-in.
    pub must_change_password: bool,
    /// Number of changes, from 1; the ETag.
    pub version: i64,
}

/// A page of accounts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AccountPage {
    /// In order of name.
    pub items: Vec<Account>,
    /// Name to continue after.
    pub next: Option<String>,
    /// How many there are in all.
    pub total: u64,
}

/// What a new account is made from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// 2 to 32 of `a-z 0-9 . _ -`, beginning with a letter.
    pub name: String,
    /// Name for people.
    pub display: String,
    /// First password.
    pub password: String,
    /// Declared roles.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Declared organisation.
    #[serde(default)]
    pub organisation: Option<String>,
}

/// What is to change; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountChange {
    /// Name for people.
    #[serde(default)]
    pub display: Option<String>,
    /// Roles, all of them.
    #[serde(default)]
    pub roles: Option<Vec<String>>,
    /// Organisation; empty for none.
    #[serde(default)]
    pub organisation: Option<String>,
    /// May not sign in. Disabling ends every session.
    #[serde(default)]
    pub disabled: Option<bool>,
    /// New password, set by an operator. Ends every session.
    #[serde(default)]
    pub password: Option<String>,
}

impl Account {
    /// Whom the account stands for.
    pub fn actor(&self) -> Actor {
        Actor {
            account: self.name.clone(),
            display: self.display.clone(),
            roles: self.roles.clone(),
            organisation: self.organisation.clone(),
            ..Actor::default()
        }
    }
}

/// Reads a stored list of roles.
pub(crate) fn roles_of(text: &str) -> Result<Vec<String>, Fault> {
    serde_json::from_str(text).map_err(|e| Fault::internal("reading roles", e))
}

/// The account of a row.
pub(crate) fn shown(row: &AccountRow) -> Result<Account, Fault> {
    Ok(Account {
        name: row.name.clone(),
        display: row.display.clone(),
        roles: roles_of(&row.roles)?,
        organisation: row.organisation.clone(),
        disabled: row.disabled,
        created_at: Time(row.created_at),
        last_sign_in: row.last_sign_in.map(Time),
        second_factors: row.second_factors,
        must_change_password: row.must_change,
        version: row.version,
    })
}

fn problem(at: &str, zh: impl Into<String>, en: impl Into<String>) -> Problem {
    Problem {
        at: at.into(),
        words: Words::new(zh, en),
    }
}

fn refuse(problems: Vec<Problem>) -> Result<(), Fault> {
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Fault::invalid(problems))
    }
}

/// The reason an operator gives for an act on somebody's account, or what is wrong with it.
pub(crate) fn reason(text: &str) -> Result<String, Fault> {
    let text = text.trim();
    if (1..=DISPLAY_LIMIT * 2).contains(&text.chars().count()) && !text.contains(char::is_control) {
        return Ok(text.into());
    }
    Err(Fault::invalid_at(
        "reason",
        "请写明原因，1 至 200 个字",
        "give a reason of 1 to 200 characters",
    ))
}

/// A password nobody can guess: sixteen letters and digits that are not mistaken for each other.
fn temporary_password() -> String {
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789";
    let letter = || char::from(LETTERS[rand::random_range(0..LETTERS.len())]);
    (0..16).map(|_| letter()).collect()
}

fn name_problem(name: &str) -> Option<Problem> {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    let sound = (2..=32).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(letter);
    if !sound {
        return Some(problem(
            "name",
            "账号名须为 2 至 32 个小写字母、数字或 . _ -，以字母开头",
            "a name has 2 to 32 of a-z 0-9 . _ - and begins with a letter",
        ));
    }
    (name == SYSTEM).then(|| problem("name", "该名称已保留", "this name is reserved"))
}

impl Engine {
    fn check(
        &self,
        display: Option<&str>,
        roles: Option<&[String]>,
        organisation: Option<&str>,
    ) -> Vec<Problem> {
        let mut found = vec![];
        if let Some(display) = display
            && (display.trim().is_empty()
                || display.chars().count() > DISPLAY_LIMIT
                || display.contains(char::is_control))
        {
            found.push(problem(
                "display",
                "姓名须为 1 至 100 个字",
                "the name for people has 1 to 100 characters",
            ));
        }
        found.extend(self.role_problems(roles.unwrap_or_default()));
        let known = |code: &str| {
            let declared = &self.declared.city.organisations;
            let tree = self.organisations.get();
            declared.iter().any(|o| o.code == code)
                || tree.is_some_and(|tree| tree.get(code, None).is_some())
        };
        if let Some(code) = organisation.filter(|code| !code.is_empty() && !known(code)) {
            found.push(problem(
                "organisation",
                format!("没有机构“{code}”"),
                format!("there is no organisation \"{code}\""),
            ));
        }
        found
    }

    /// Roles that are not declared.
    pub(crate) fn role_problems(&self, roles: &[String]) -> Vec<Problem> {
        roles
            .iter()
            .filter(|role| !self.roles.has(role))
            .map(|role| {
                problem(
                    "roles",
                    format!("没有角色“{role}”"),
                    format!("there is no role \"{role}\""),
                )
            })
            .collect()
    }

    /// An account by name; `input.not_found` when there is none.
    pub async fn account(&self, name: &str) -> Result<Account, Fault> {
        let mut reader = self.store.reader().await?;
        shown(&find(&mut reader, name).await?)
    }

    /// Accounts in order of name after this one (empty for the first), at most 1,000.
    pub async fn accounts(&self, after: &str, limit: usize) -> Result<AccountPage, Fault> {
        let limit = limit.clamp(1, accounts::PAGE_LIMIT as usize);
        let mut reader = self.store.reader().await?;
        let total = accounts::count(&mut reader).await?;
        let rows = accounts::accounts(&mut reader, after, limit as u64).await?;
        let items: Vec<Account> = rows.iter().map(shown).collect::<Result<_, _>>()?;
        let full = items.len() == limit;
        let next = items.last().filter(|_| full).map(|a| a.name.clone());
        Ok(AccountPage { items, next, total })
    }

    /// What is wrong with a new password, before there is an account; `at` is the field it came in.
    pub fn password_problems(&self, account: &str, password: &str, at: &str) -> Vec<Problem> {
        passwords::problems(&self.breached, account, password, at)
    }

    /// Everything wrong with a new account, the name already taken apart.
    pub fn problems_of(&self, new: &NewAccount) -> Vec<Problem> {
        let mut found: Vec<Problem> = name_problem(&new.name).into_iter().collect();
        found.extend(self.check(
            Some(&new.display),
            Some(&new.roles),
            new.organisation.as_deref(),
        ));
        found.extend(passwords::problems(
            &self.breached,
            &new.name,
            &new.password,
            "password",
        ));
        found
    }

    /// Makes an account; `input.conflict` when the name is taken.
    pub async fn create(&self, by: &Actor, new: NewAccount) -> Result<Account, Fault> {
        refuse(self.problems_of(&new))?;
        let organisation = new.organisation.filter(|code| !code.is_empty());
        let now = self.clock.now();
        let new_name = new.name.clone();
        let row = AccountRow {
            name: new.name,
            display: new.display,
            password: self.hasher.hash(&new.password).await?,
            roles: json!(new.roles).to_string(),
            organisation,
            disabled: false,
            created_at: now.0,
            version: 1,
            password_at: now.0,
            // Whoever else chose it knows it. The machine's own accounts are set up by their owner.
            must_change: ![SYSTEM, new_name.as_str()].contains(&by.account.as_str()),
            ..AccountRow::default()
        };
        let mut tx = self.store.begin().await?;
        if accounts::account(&mut tx, &row.name).await?.is_some() {
            return Err(Fault::new(
                FaultKind::Conflict,
                "input.conflict",
                format!("账号“{}”已经存在", row.name),
                format!("the account \"{}\" exists already", row.name),
            ));
        }
        accounts::insert_account(&mut tx, &row).await?;
        let details =
            json!({ "what": "created", "roles": new.roles, "organisation": row.organisation });
        record_change(&mut tx, now, &by.account, &row.name, details).await?;
        tx.commit().await?;
        shown(&row)
    }

    /// Changes an account; `expect_version` is the version the change is based on, `None` for any
    /// (`input.stale` when somebody else was first). The last account that can run the accounts
    /// cannot be disabled or stripped of it (`input.conflict`).
    pub async fn change(
        &self,
        by: &Actor,
        name: &str,
        change: AccountChange,
        expect_version: Option<i64>,
    ) -> Result<Account, Fault> {
        let mut found = self.check(
            change.display.as_deref(),
            change.roles.as_deref(),
            change.organisation.as_deref(),
        );
        if let Some(password) = &change.password {
            found.extend(passwords::problems(
                &self.breached,
                name,
                password,
                "password",
            ));
        }
        refuse(found)?;
        let password = match &change.password {
            Some(password) => Some(self.hasher.hash(password).await?),
            None => None,
        };
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let before = find(&mut tx, name).await?;
        if expect_version.is_some_and(|version| version != before.version) {
            return Err(Fault::new(
                FaultKind::Conflict,
                "input.stale",
                format!("账号“{name}”已被他人更改，请重新查看后再提交"),
                format!("the account \"{name}\" was changed by somebody else; look again"),
            ));
        }
        let ends_sessions = password.is_some() || change.disabled == Some(true);
        let details = json!({
            "what": "changed", "display": change.display, "roles": change.roles,
            "organisation": change.organisation, "disabled": change.disabled,
            "password": password.is_some(),
        });
        let mut row = AccountRow {
            version: before.version + 1,
            ..before
        };
        let could = !row.disabled && self.roles.run_accounts(&roles_of(&row.roles)?);
        row.display = change.display.unwrap_or(row.display);
        row.roles = change
            .roles
            .map_or(row.roles, |roles| json!(roles).to_string());
        row.organisation = match change.organisation {
            Some(code) => Some(code).filter(|code| !code.is_empty()),
            None => row.organisation,
        };
        row.disabled = change.disabled.unwrap_or(row.disabled);
        if let Some(password) = password {
            self.remember_password(&mut tx, &row, now).await?;
            row.password = password;
            row.password_at = now.0;
            row.must_change = ![SYSTEM, name].contains(&by.account.as_str());
        }
        let can = !row.disabled && self.roles.run_accounts(&roles_of(&row.roles)?);
        if could && !can {
            self.demand_another_operator(&mut tx, name).await?;
        }
        accounts::update_account(&mut tx, &row).await?;
        if ends_sessions {
            self.end_all_but(&mut tx, name, None).await?;
        }
        record_change(&mut tx, now, &by.account, name, details).await?;
        tx.commit().await?;
        shown(&row)
    }

    /// A new password for somebody who lost theirs: shown once, to be changed at the next sign-in.
    /// Every session ends. An operator's act, with its reason.
    pub async fn reset_password(
        &self,
        by: &Actor,
        name: &str,
        given: &str,
    ) -> Result<String, Fault> {
        let given = reason(given)?;
        let password = temporary_password();
        let hash = self.hasher.hash(&password).await?;
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let mut row = find(&mut tx, name).await?;
        self.remember_password(&mut tx, &row, now).await?;
        row.password = hash;
        row.password_at = now.0;
        row.must_change = true;
        row.unlocked_at = now.0;
        row.version += 1;
        accounts::update_account(&mut tx, &row).await?;
        self.end_all_but(&mut tx, name, None).await?;
        let details = json!({ "what": "password reset", "reason": given });
        record_change(&mut tx, now, &by.account, name, details).await?;
        tx.commit().await?;
        Ok(password)
    }

    /// Lets somebody try again at once who failed too often; failures up to now do not count.
    pub async fn unlock(&self, by: &Actor, name: &str) -> Result<(), Fault> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let mut row = find(&mut tx, name).await?;
        row.unlocked_at = now.0;
        accounts::update_account(&mut tx, &row).await?;
        let details = json!({ "what": "unlocked" });
        record_change(&mut tx, now, &by.account, name, details).await?;
        tx.commit().await
    }

    /// Notes who is behind an account and how well that was proven (0 to 3); sessions know it at
    /// once.
    pub async fn set_proofing(
        &self,
        by: &Actor,
        name: &str,
        person: Option<&str>,
        level: u8,
    ) -> Result<(), Fault> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let mut row = find(&mut tx, name).await?;
        row.person = person.map(String::from);
        row.proofing = i64::from(level.min(3));
        accounts::update_account(&mut tx, &row).await?;
        // The citizen number itself has no place in the log.
        let details = json!({ "what": "identity proven", "level": row.proofing });
        record_change(&mut tx, now, &by.account, name, details).await?;
        tx.commit().await
    }

    async fn demand_another_operator(&self, tx: &mut Tx, name: &str) -> Result<(), Fault> {
        let mut after = String::new();
        loop {
            let page = accounts::accounts(tx, &after, accounts::PAGE_LIMIT).await?;
            let Some(last) = page.last() else {
                return Err(Fault::new(
                    FaultKind::Conflict,
                    "input.conflict",
                    "这是最后一个能够管理账号的账号，不能停用或取消其角色",
                    "this is the last account that can run the accounts; it must keep its role",
                ));
            };
            after = last.name.clone();
            for row in page.iter().filter(|row| row.name != name && !row.disabled) {
                if self.roles.run_accounts(&roles_of(&row.roles)?) {
                    return Ok(());
                }
            }
        }
    }

    /// Makes the demonstration accounts of the city pack that do not exist yet, with these
    /// passwords by account, and names those made. An account without a password here is a fault.
    pub async fn ensure_demo_accounts(
        &self,
        passwords: &BTreeMap<String, String>,
    ) -> Result<Vec<String>, Fault> {
        let mut made = vec![];
        for decl in &self.declared.city.accounts {
            let mut reader = self.store.reader().await?;
            if accounts::account(&mut reader, &decl.name).await?.is_some() {
                continue;
            }
            drop(reader);
            let password = passwords.get(&decl.name).ok_or_else(|| {
                let cause = format!("no password for {}", decl.name);
                Fault::internal("making the demonstration accounts", cause)
            })?;
            let new = NewAccount {
                name: decl.name.clone(),
                display: decl.display.zh.clone(),
                password: password.clone(),
                roles: decl.roles.clone(),
                organisation: Some(decl.organisation.clone()),
            };
            self.create(&Actor::system(), new).await?;
            made.push(decl.name.clone());
        }
        Ok(made)
    }
}

/// The row of an account; `input.not_found` when there is none.
pub(crate) async fn find(run: &mut impl Run, name: &str) -> Result<AccountRow, Fault> {
    let found = accounts::account(run, name).await?;
    found.ok_or_else(|| Fault::missing(&format!("account {name}")))
}
