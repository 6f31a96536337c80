//! Commands about accounts: made, helped out of trouble, their sessions ended; tokens of programs;
//! lists of leaked passwords.

use super::{declared, say};
use crate::signon;
use clap::Subcommand;
use kernel::{Actor, Fault, SystemClock};
use std::path::PathBuf;
use std::sync::Arc;

/// `jicheng account …`
#[derive(Subcommand)]
pub enum Account {
    /// Make an account; prints its first password.
    Add {
        /// Account name.
        name: String,
        /// Name for people.
        #[arg(long)]
        display: String,
        /// Roles.
        #[arg(long, value_delimiter = ',')]
        roles: Vec<String>,
        /// Organisation code.
        #[arg(long)]
        organisation: Option<String>,
    },
    /// Make an API token for a program; prints it once.
    Token {
        /// Name of the program.
        name: String,
        /// Roles it acts in.
        #[arg(long, value_delimiter = ',')]
        roles: Vec<String>,
        /// Days it is good for, at most 400.
        #[arg(long, default_value_t = 90)]
        days: u32,
    },
    /// Give a temporary password, to be changed at the next sign-in; prints it.
    ResetPassword {
        /// Account name.
        name: String,
        /// Why; kept in the audit log.
        #[arg(long)]
        reason: String,
    },
    /// Take second factors and recovery codes from somebody who lost them; ends their sessions.
    ResetFactors {
        /// Account name.
        name: String,
        /// Why; kept in the audit log.
        #[arg(long)]
        reason: String,
    },
    /// Let somebody try again at once who failed too often.
    Unlock {
        /// Account name.
        name: String,
    },
    /// End every session of an account.
    RevokeSessions {
        /// Account name.
        name: String,
    },
}

/// `jicheng passwords …`
#[derive(Subcommand)]
pub enum Passwords {
    /// Take a list of leaked passwords: one a line, or SHA-1 (Have I Been Pwned). Counts from the
    /// next start on.
    Import {
        /// The list.
        file: PathBuf,
    },
}

/// The identity engine of a city that need not run.
pub(crate) async fn engine(
    config: &crate::config::Config,
) -> Result<Arc<identity::Engine>, String> {
    let declared = Arc::new(declared(config)?);
    let store = super::admin::store(config).await?;
    let settings = signon::settings(config, None);
    let engine = identity::Engine::open_with(store, Arc::new(SystemClock), declared, settings);
    engine.await.map_err(say)
}

/// `jicheng account …`
pub async fn run(config: &crate::config::Config, what: Account) -> Result<(), String> {
    let engine = engine(config).await?;
    act(&engine, what).await.map_err(say)
}

async fn act(engine: &identity::Engine, what: Account) -> Result<(), Fault> {
    let by = Actor::system();
    match what {
        Account::Add {
            name,
            display,
            roles,
            organisation,
        } => {
            let password = super::new_password();
            let new = identity::NewAccount {
                name: name.clone(),
                display,
                password: password.clone(),
                roles,
                organisation,
            };
            engine.create(&by, new).await?;
            println!("账号 account: {name}\n初始口令 first password: {password}");
        }
        Account::Token { name, roles, days } => {
            let new = identity::NewToken {
                name,
                roles,
                organisation: None,
                days,
            };
            let (_, secret) = engine.create_token(&by, new).await?;
            println!("{secret}");
        }
        Account::ResetPassword { name, reason } => {
            let password = engine.reset_password(&by, &name, &reason).await?;
            println!("账号 account: {name}\n临时口令 temporary password: {password}");
        }
        Account::ResetFactors { name, reason } => {
            let removed = engine.reset_factors(&by, &name, &reason).await?;
            println!("已清除 {removed} 个验证方式 / {removed} second factors removed: {name}");
        }
        Account::Unlock { name } => {
            engine.unlock(&by, &name).await?;
            println!("已解除 / unlocked: {name}");
        }
        Account::RevokeSessions { name } => {
            let ended = engine.revoke_all(&by, &name, None).await?;
            println!("已结束 {ended} 个会话 / {ended} sessions ended: {name}");
        }
    }
    Ok(())
}

/// `jicheng passwords …`
pub fn passwords(config: &crate::config::Config, what: Passwords) -> Result<(), String> {
    let Passwords::Import { file } = what;
    let target = signon::breached_file(config);
    std::fs::create_dir_all(config.data()).map_err(|e| e.to_string())?;
    let entries = identity::import_breached(&file, &target).map_err(say)?;
    println!(
        "已导入 {entries} 个泄露口令，重启后生效 / {entries} leaked passwords, in force from the next start: {}",
        target.display()
    );
    Ok(())
}
