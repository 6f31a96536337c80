//! Configuration: defaults, then a TOML file, then environment variables `JICHENG_*`, then flags;
//! the later wins. `jicheng config show` prints every value and where it came from. Secrets are
//! never printed. Only this crate reads the environment.

use kernel::crypto::Suite;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One setting: name, default, what it is for.
struct Setting {
    name: &'static str,
    default: &'static str,
    about: &'static str,
}

/// Every setting there is. A name not in this list is refused wherever it comes from.
const SETTINGS: &[Setting] = &[
    Setting {
        name: "data",
        default: "data",
        about: "folder of the embedded store and of everything the city keeps",
    },
    Setting {
        name: "store",
        default: "",
        about: "postgres://… for the city profile; empty: SQLite in the data folder",
    },
    Setting {
        name: "city",
        default: "shijiazhuang",
        about: "city pack, a folder under cities/",
    },
    Setting {
        name: "declarations",
        default: "",
        about: "folder with systems/ and cities/; empty: those built in",
    },
    Setting {
        name: "http",
        default: "127.0.0.1:8080",
        about: "address of the web and API",
    },
    Setting {
        name: "public_url",
        default: "",
        about: "address people use, such as https://city.example.cn; passkeys are bound to it; requests for other hosts are refused; empty: any host",
    },
    Setting {
        name: "also_hosts",
        default: "",
        about: "further host names that are answered, with commas between",
    },
    Setting {
        name: "trusted_proxies",
        default: "",
        about: "addresses of our own proxies, with commas between; only their X-Forwarded-For is believed",
    },
    Setting {
        name: "http_redirect",
        default: "",
        about: "address of a plain listener that sends everything to public_url, such as 0.0.0.0:80; empty: none",
    },
    Setting {
        name: "http_max_connections",
        default: "12000",
        about: "web connections at once; more are closed",
    },
    Setting {
        name: "http_max_per_address",
        default: "2000",
        about: "web connections at once from one address",
    },
    Setting {
        name: "http_header_s",
        default: "30",
        about: "seconds a client may take for the head of a request, or be idle",
    },
    Setting {
        name: "rate_caller_per_s",
        default: "1000",
        about: "requests a second of one account or program, five times as many at once; 0: no limit",
    },
    Setting {
        name: "rate_address_per_s",
        default: "100",
        about: "the same for one address without a session; this machine's own is free; 0: no limit",
    },
    Setting {
        name: "tls_certificate",
        default: "",
        about: "PEM file of the certificate chain; with it the web speaks TLS",
    },
    Setting {
        name: "tls_key",
        default: "",
        about: "PEM file of the private key",
    },
    Setting {
        name: "tls_clients",
        default: "",
        about: "PEM file of authorities; programs must then show a certificate of theirs beside their token",
    },
    Setting {
        name: "tls_acme",
        default: "",
        about: "directory of an ACME authority (RFC 8555), instead of files",
    },
    Setting {
        name: "tls_acme_challenge",
        default: "http-01",
        about: "http-01 (needs http_redirect) or tls-alpn-01",
    },
    Setting {
        name: "tls_acme_contact",
        default: "",
        about: "e-mail address the authority may write to",
    },
    Setting {
        name: "trusted_roots",
        default: "",
        about: "PEM file of further authorities that other machines' certificates may come from",
    },
    Setting {
        name: "outgoing_allow",
        default: "",
        about: "inner networks, addresses or hosts that may be called, with commas between",
    },
    Setting {
        name: "hj212",
        default: "127.0.0.1:9212",
        about: "address of the HJ 212 gateway",
    },
    Setting {
        name: "hj212_max_connections",
        default: "12000",
        about: "stations connected at once",
    },
    Setting {
        name: "hj212_idle_s",
        default: "1800",
        about: "seconds of silence after which a connection is closed",
    },
    Setting {
        name: "hj212_answer_bad_crc",
        default: "false",
        about: "answer QnRtn=9 to a wrong check value instead of dropping it",
    },
    Setting {
        name: "hj212_frames_per_s",
        default: "5000",
        about: "frames a second read from one connection; 0: no limit; beyond it reading pauses",
    },
    Setting {
        name: "max_requests",
        default: "512",
        about: "HTTP requests worked on at once; more are answered 503",
    },
    Setting {
        name: "max_live",
        default: "1000",
        about: "readers of the live stream at once; more are answered 503",
    },
    Setting {
        name: "session_idle_min",
        default: "120",
        about: "minutes without use after which a session ends",
    },
    Setting {
        name: "session_longest_h",
        default: "12",
        about: "hours after which a session ends in any case",
    },
    Setting {
        name: "sessions_per_account",
        default: "20",
        about: "sessions of one account at once; the oldest is ended for another",
    },
    Setting {
        name: "step_up_min",
        default: "10",
        about: "minutes after a proof of identity within which dangerous acts are allowed",
    },
    Setting {
        name: "second_factor",
        default: "roles",
        about: "who needs a second factor: roles (those that say so) or all",
    },
    Setting {
        name: "password_days",
        default: "0",
        about: "days after which a password must be changed; 0: never",
    },
    Setting {
        name: "passwords_remembered",
        default: "5",
        about: "passwords before the present one that may not be used again",
    },
    Setting {
        name: "argon2_memory_kib",
        default: "19456",
        about: "memory of one password hash, KiB",
    },
    Setting {
        name: "argon2_passes",
        default: "2",
        about: "passes of one password hash",
    },
    Setting {
        name: "argon2_at_once",
        default: "0",
        about: "password hashes computed at once; 0: half of the processors",
    },
    Setting {
        name: "fonts",
        default: "",
        about: "further folders with fonts for letters, with commas between; a Chinese font is needed",
    },
    Setting {
        name: "clamav",
        default: "",
        about: "address of clamd that searches uploads for viruses, such as 127.0.0.1:3310; empty: none",
    },
    Setting {
        name: "smtp_host",
        default: "",
        about: "mail server; empty: no e-mail is sent",
    },
    Setting {
        name: "smtp_port",
        default: "587",
        about: "its port",
    },
    Setting {
        name: "smtp_security",
        default: "starttls",
        about: "starttls, tls or none (none only on this machine, without an account)",
    },
    Setting {
        name: "smtp_account",
        default: "",
        about: "account at the mail server",
    },
    Setting {
        name: "smtp_password",
        default: "",
        about: "its password",
    },
    Setting {
        name: "smtp_from",
        default: "",
        about: "address mail comes from",
    },
    Setting {
        name: "smtp_from_name",
        default: "",
        about: "name mail comes from",
    },
    Setting {
        name: "payment_secret",
        default: "",
        about: "secret a payment service signs its notices with; empty: none is connected",
    },
    Setting {
        name: "payment_url",
        default: "",
        about: "page of the payment service, with {bill}, {fen} and {back} in it, such as https://pay.example.cn/?order={bill}&amount={fen}&return={back}; empty: at the counter only",
    },
    Setting {
        name: "sms_url",
        default: "",
        about: "address of the carrier of short messages; empty: none, mobile numbers cannot be proven",
    },
    Setting {
        name: "sms_token",
        default: "",
        about: "bearer token for sms_url",
    },
    Setting {
        name: "prover_url",
        default: "",
        about: "address of the service that verifies identities; empty: at the counter only",
    },
    Setting {
        name: "prover_token",
        default: "",
        about: "bearer token for prover_url",
    },
    Setting {
        name: "metrics_token",
        default: "",
        about: "bearer token for /metrics from other machines; empty: loopback only",
    },
    Setting {
        name: "crypto_suite",
        default: "international",
        about: "international (Ed25519, ES256, SHA-256, AES-GCM) or national (SM2, SM3, SM4)",
    },
    Setting {
        name: "master_key_file",
        default: "",
        about: "file of the key that encrypts the city's keys; empty: master.key in the data folder",
    },
    Setting {
        name: "master_key",
        default: "",
        about: "that key itself, 64 hexadecimal digits, in place of a file; for vaults that hand over environment variables",
    },
    Setting {
        name: "backup_folder",
        default: "",
        about: "backup repository, best on another disk or a mount; empty: no continuous backup (SQLite)",
    },
    Setting {
        name: "backup_interval_s",
        default: "10",
        about: "seconds between two looks at what is new: as much can be lost with the machine",
    },
    Setting {
        name: "backup_base_hours",
        default: "24",
        about: "hours after which a new base is made",
    },
    Setting {
        name: "backup_keep",
        default: "window=7d,last=2,daily=14,weekly=8,monthly=12,yearly=3",
        about: "every moment of the window can be restored; before it the newest base of so many days, weeks, months, years",
    },
    Setting {
        name: "backup_copy_folder",
        default: "",
        about: "second place the repository is copied to every hour; empty: none",
    },
    Setting {
        name: "drill_folder",
        default: "",
        about: "where drills restore to for a moment; empty: the temporary folder of the machine",
    },
    Setting {
        name: "jobs",
        default: "true",
        about: "run background jobs; false only for a copy of a city that must not act, as in a drill",
    },
    Setting {
        name: "log",
        default: "info",
        about: "log filter, such as info or jicheng=debug",
    },
    Setting {
        name: "log_format",
        default: "text",
        about: "text or json",
    },
];

/// A value with its origin.
#[derive(Clone, Debug, Serialize, PartialEq)]
pub struct Value {
    /// The text of the value.
    pub value: String,
    /// `default`, `file …`, `environment JICHENG_…` or `flag`.
    pub from: String,
}

/// The configuration in force.
#[derive(Clone, Debug)]
pub struct Config {
    values: BTreeMap<&'static str, Value>,
}

impl Config {
    /// Puts the layers together. `flags` are `name=value`. All faults come at once.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
        flags: &[(String, String)],
    ) -> Result<Config, Vec<String>> {
        let mut config = Config {
            values: BTreeMap::new(),
        };
        let mut faults = vec![];
        for setting in SETTINGS {
            let value = Value {
                value: setting.default.into(),
                from: "default".into(),
            };
            config.values.insert(setting.name, value);
        }
        if let Some(path) = file {
            match read_file(path) {
                Ok(entries) => {
                    for (name, value) in entries {
                        config.set(
                            &name,
                            value,
                            format!("file {}", path.display()),
                            &mut faults,
                        );
                    }
                }
                Err(fault) => faults.push(fault),
            }
        }
        let mut taken = vec![];
        for (key, value) in environment {
            if let Some(name) = key.strip_prefix("JICHENG_")
                && !["CONFIG", "CORPORA", "URL", "TOKEN"].contains(&name)
            {
                taken.push((
                    name.to_ascii_lowercase(),
                    value,
                    format!("environment {key}"),
                ));
            }
        }
        taken.sort();
        for (name, value, from) in taken {
            config.set(&name, value, from, &mut faults);
        }
        for (name, value) in flags {
            config.set(name, value.clone(), "flag".into(), &mut faults);
        }
        config.check(&mut faults);
        if faults.is_empty() {
            Ok(config)
        } else {
            Err(faults)
        }
    }

    fn set(&mut self, name: &str, value: String, from: String, faults: &mut Vec<String>) {
        match SETTINGS.iter().find(|s| s.name == name) {
            Some(setting) => {
                self.values.insert(setting.name, Value { value, from });
            }
            None => faults.push(format!(
                "没有名为 {name} 的配置项 / there is no setting {name} ({from})"
            )),
        }
    }

    fn check(&self, faults: &mut Vec<String>) {
        for name in ["http", "hj212"] {
            if self.text(name).parse::<std::net::SocketAddr>().is_err() {
                faults.push(format!(
                    "{name}: 应为 IP:端口 / expected IP:port, got {}",
                    self.text(name)
                ));
            }
        }
        for name in [
            "hj212_max_connections",
            "hj212_idle_s",
            "http_max_connections",
            "http_max_per_address",
            "http_header_s",
            "max_requests",
            "max_live",
            "session_idle_min",
            "session_longest_h",
            "sessions_per_account",
            "step_up_min",
            "argon2_memory_kib",
            "argon2_passes",
            "backup_interval_s",
            "backup_base_hours",
        ] {
            if !self.text(name).parse::<u32>().is_ok_and(|n| n > 0) {
                faults.push(format!(
                    "{name}: 应为正整数 / expected a positive number, got {}",
                    self.text(name)
                ));
            }
        }
        self.check_web(faults);
        for name in ["password_days", "passwords_remembered", "argon2_at_once"] {
            if !self.text(name).parse::<u32>().is_ok_and(|n| n <= 10_000) {
                faults.push(format!(
                    "{name}: 应为 0 至 10000 的整数 / expected 0 to 10000, got {}",
                    self.text(name)
                ));
            }
        }
        if !["roles", "all"].contains(&self.text("second_factor")) {
            faults.push("second_factor: 应为 roles 或 all / expected roles or all".into());
        }
        for name in ["rate_caller_per_s", "rate_address_per_s"] {
            if self.text(name).parse::<u32>().is_err() {
                faults.push(format!("{name}: 应为整数 / expected a whole number"));
            }
        }
        if self.text("hj212_frames_per_s").parse::<u32>().is_err() {
            faults.push("hj212_frames_per_s: 应为整数 / expected a whole number".into());
        }
        if !["true", "false"].contains(&self.text("hj212_answer_bad_crc")) {
            faults.push("hj212_answer_bad_crc: 应为 true 或 false / expected true or false".into());
        }
        if Suite::parse(self.text("crypto_suite")).is_none() {
            faults.push(
                "crypto_suite: 应为 international 或 national / expected international or national"
                    .into(),
            );
        }
        if backup::Policy::parse(self.text("backup_keep")).is_none() {
            faults.push(
                "backup_keep: 应形如 / expected such as window=7d,last=2,daily=14,weekly=8".into(),
            );
        }
        if !["true", "false"].contains(&self.text("jobs")) {
            faults.push("jobs: 应为 true 或 false / expected true or false".into());
        }
        if !["text", "json"].contains(&self.text("log_format")) {
            faults.push("log_format: 应为 text 或 json / expected text or json".into());
        }
    }

    fn check_web(&self, faults: &mut Vec<String>) {
        let pay = self.text("payment_url");
        let web = pay.starts_with("https://") || pay.starts_with("http://");
        if !(pay.is_empty() || web && pay.contains("{bill}")) {
            faults.push(format!(
                "payment_url: 应为含 {{bill}} 的网址 / expected an address with {{bill}} in it, got {pay}"
            ));
        }
        let redirect = self.text("http_redirect");
        if !redirect.is_empty() && redirect.parse::<std::net::SocketAddr>().is_err() {
            faults.push(format!(
                "http_redirect: 应为 IP:端口 / expected IP:port, got {redirect}"
            ));
        }
        let public = self.text("public_url");
        let parts = public
            .strip_prefix("https://")
            .or_else(|| public.strip_prefix("http://"));
        let host = parts.map(|rest| rest.trim_end_matches('/')).unwrap_or("");
        if !public.is_empty() && (host.is_empty() || host.contains(['/', '?', '#', '@', ' '])) {
            faults.push(format!(
                "public_url: 应形如 https://city.example.cn / expected https://host[:port], got {public}"
            ));
        }
        let set = |name: &str| !self.text(name).is_empty();
        if set("tls_certificate") != set("tls_key") {
            faults.push("tls_certificate, tls_key: 须同时给出 / one without the other".into());
        }
        if set("tls_acme") && (set("tls_certificate") || public.is_empty()) {
            faults.push(
                "tls_acme: 须给出 public_url，且不与 tls_certificate 并用 / needs public_url and no tls_certificate"
                    .into(),
            );
        }
        if !["http-01", "tls-alpn-01"].contains(&self.text("tls_acme_challenge")) {
            faults.push("tls_acme_challenge: http-01 | tls-alpn-01".into());
        }
        if set("tls_clients") && !set("tls_certificate") && !set("tls_acme") {
            faults.push("tls_clients: 须先启用 TLS / needs TLS".into());
        }
        for text in self.list("trusted_proxies") {
            if text.parse::<std::net::IpAddr>().is_err() {
                faults.push(format!(
                    "trusted_proxies: 应为 IP 地址 / expected addresses, got {text}"
                ));
            }
        }
    }

    /// The items of a setting with commas.
    pub fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        let items = self.text(name).split(',').map(str::trim);
        items.filter(|item| !item.is_empty())
    }

    /// Hosts (with port where it is not the usual one) requests may name; empty: any.
    pub fn web_hosts(&self) -> Vec<&str> {
        let public = self.text("public_url").split_once("://");
        let Some((_, host)) = public else {
            return vec![];
        };
        let first = std::iter::once(host.trim_end_matches('/'));
        first.chain(self.list("also_hosts")).collect()
    }

    /// The same without ports: names of the certificate.
    pub fn web_names(&self) -> Vec<String> {
        let hosts = self.web_hosts().into_iter();
        let name = |host: &str| match host.rsplit_once(':') {
            Some((name, port)) if port.parse::<u16>().is_ok() => name.to_string(),
            _ => host.to_string(),
        };
        hosts.map(name).collect()
    }

    /// Addresses of our own proxies.
    pub fn proxies(&self) -> Vec<std::net::IpAddr> {
        let items = self.list("trusted_proxies");
        items.filter_map(|item| item.parse().ok()).collect()
    }

    /// The text of a setting.
    pub fn text(&self, name: &str) -> &str {
        self.values.get(name).map_or("", |v| &v.value)
    }

    /// A setting checked to be a number.
    pub fn number(&self, name: &str) -> u32 {
        self.text(name).parse().unwrap_or(0)
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        PathBuf::from(self.text("data"))
    }

    /// How to open the keys of the city.
    pub fn crypto_options(&self) -> crypto::Options {
        crypto::Options {
            suite: Suite::parse(self.text("crypto_suite")).unwrap_or(Suite::International),
            master: self.master_key(),
        }
    }

    /// Where the master key comes from.
    pub fn master_key(&self) -> crypto::MasterSource {
        match (self.text("master_key"), self.text("master_key_file")) {
            ("", "") => crypto::MasterSource::File(self.data().join("master.key")),
            ("", file) => crypto::MasterSource::File(file.into()),
            (text, _) => crypto::MasterSource::Text(text.to_string().into()),
        }
    }

    /// Which audit log this is, and where its checkpoints are laid out for witnesses.
    pub fn audit_options(&self) -> audit::Options {
        audit::Options {
            origin: format!("jicheng/{}/audit", self.text("city")),
            file: Some(self.data().join("audit-checkpoints.txt")),
        }
    }

    /// The same with other values, such as for a copy of the city.
    #[must_use]
    pub fn with(&self, changes: &[(&str, String)]) -> Config {
        let mut other = self.clone();
        for setting in SETTINGS {
            if let Some((_, value)) = changes.iter().find(|(name, _)| *name == setting.name) {
                let from = "program".into();
                let value = value.clone();
                other.values.insert(setting.name, Value { value, from });
            }
        }
        other
    }

    /// The backup repository; `None` when there is no continuous backup.
    pub fn backup_folder(&self) -> Option<PathBuf> {
        let text = self.text("backup_folder");
        (!text.is_empty()).then(|| PathBuf::from(text))
    }

    /// How often the log is shipped and bases are made.
    pub fn backup_options(&self) -> backup::Options {
        backup::Options {
            interval: std::time::Duration::from_secs(self.number("backup_interval_s").into()),
            base_every: kernel::Span::hours(self.number("backup_base_hours").into()),
            ..backup::Options::default()
        }
    }

    /// Which backups are kept.
    pub fn backup_policy(&self) -> backup::Policy {
        backup::Policy::parse(self.text("backup_keep")).unwrap_or_default()
    }

    /// The URL of the store.
    pub fn store_url(&self) -> String {
        match self.text("store") {
            "" => format!("sqlite:{}", self.data().join("jicheng.db").display()),
            url => url.into(),
        }
    }

    /// Lines for `config show`: name, value (secrets hidden), origin, purpose.
    pub fn show(&self) -> Vec<[String; 4]> {
        let line = |s: &Setting| {
            let value = &self.values[s.name];
            let shown = hide(s.name, &value.value);
            [
                s.name.to_string(),
                shown,
                value.from.clone(),
                s.about.to_string(),
            ]
        };
        SETTINGS.iter().map(line).collect()
    }
}

/// Hides tokens and the password inside a database address.
fn hide(name: &str, value: &str) -> String {
    let secret = ["_token", "_password", "_secret"]
        .iter()
        .any(|end| name.ends_with(end));
    if (secret || name == "master_key") && !value.is_empty() {
        return "***".into();
    }
    if name == "store"
        && let Some((scheme, rest)) = value.split_once("://")
        && let Some((login, host)) = rest.rsplit_once('@')
    {
        let user = login.split(':').next().unwrap_or("");
        return format!("{scheme}://{user}:***@{host}");
    }
    value.into()
}

fn read_file(path: &Path) -> Result<Vec<(String, String)>, String> {
    let show = path.display();
    let text = std::fs::read_to_string(path).map_err(|e| {
        format!("无法读取配置文件 / cannot read the configuration file {show}: {e}")
    })?;
    let table: toml::Table = text
        .parse()
        .map_err(|e| format!("配置文件有误 / the configuration file {show} is wrong: {e}"))?;
    let as_text = |value: toml::Value| match value {
        toml::Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(table
        .into_iter()
        .map(|(name, value)| (name, as_text(value)))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(env: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Config, Vec<String>> {
        let own = |(k, v): &(&str, &str)| (k.to_string(), v.to_string());
        let flags: Vec<_> = flags.iter().map(own).collect();
        Config::load(None, env.iter().map(own), &flags)
    }

    #[test]
    fn later_layers_win_and_say_so() {
        let config = load(
            &[("JICHENG_HTTP", "0.0.0.0:1"), ("PATH", "x")],
            &[("hj212", "0.0.0.0:2")],
        )
        .unwrap();
        assert_eq!(config.values["http"].from, "environment JICHENG_HTTP");
        assert_eq!(config.values["hj212"].from, "flag");
        assert_eq!(config.values["city"].from, "default");
    }

    #[test]
    fn all_faults_at_once_and_no_secret_shown() {
        let faults = load(
            &[("JICHENG_HTP", "x")],
            &[("http", "here"), ("max_requests", "0")],
        )
        .unwrap_err();
        assert_eq!(faults.len(), 3, "{faults:?}");
        let config = load(
            &[
                ("JICHENG_STORE", "postgres://u:s3cr3t@h/d"),
                ("JICHENG_METRICS_TOKEN", "t0k"),
                ("JICHENG_MASTER_KEY", "0123"),
            ],
            &[],
        );
        let shown = format!("{:?}", config.unwrap().show());
        assert!(
            !["s3cr3t", "t0k", "0123"].iter().any(|s| shown.contains(s)),
            "{shown}"
        );
    }
}
