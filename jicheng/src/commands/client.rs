//! A small HTTP client for commands that speak to a running city: plain HTTP/1.1, one request a
//! connection. Through a network such a city is reached over a tunnel or from its own machine.

use kernel::Problem;
use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Bytes of an answer, at most.
const ANSWER_LIMIT: u64 = 64 << 20;
/// An answer comes within this.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where the running city is, and who asks.
#[derive(clap::Args, Clone, Debug)]
pub struct Server {
    /// Address of the running city.
    #[arg(long, default_value = "http://127.0.0.1:8080", env = "JICHENG_URL")]
    pub url: String,
    /// Token of a program or session; also JICHENG_TOKEN.
    #[arg(long, env = "JICHENG_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
}

impl Server {
    /// Sends a request and answers its JSON, or what the city says is wrong, line by line.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        kind: &str,
        body: &[u8],
    ) -> Result<Value, String> {
        let token = self.token.as_deref().ok_or(
            "需要 --token 或 JICHENG_TOKEN / give --token or JICHENG_TOKEN (jicheng account token …)",
        )?;
        let exchange = self.exchange(method, path, kind, token, body);
        let (status, text) = tokio::time::timeout(PATIENCE, exchange)
            .await
            .map_err(|_| format!("{}: 没有回答 / no answer", self.url))??;
        if (200..300).contains(&status) {
            return match text.as_str() {
                "" => Ok(Value::Null),
                text => serde_json::from_str(text).map_err(|e| e.to_string()),
            };
        }
        Err(complaint(status, &text))
    }

    async fn exchange(
        &self,
        method: &str,
        path: &str,
        kind: &str,
        token: &str,
        body: &[u8],
    ) -> Result<(u16, String), String> {
        let host = self
            .url
            .strip_prefix("http://")
            .map(|rest| rest.trim_end_matches('/'))
            .filter(|host| !host.contains('/'))
            .ok_or_else(|| {
                format!(
                    "{}: 应为 http://主机:端口 / expected http://host:port",
                    self.url
                )
            })?;
        if token.contains(char::is_control) {
            return Err("令牌含有控制字符 / the token holds control characters".into());
        }
        let fail = |e: std::io::Error| format!("{}: {e}", self.url);
        let mut stream = TcpStream::connect(host).await.map_err(fail)?;
        let head = format!(
            "{method} {path} HTTP/1.0\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\
             content-type: {kind}\r\ncontent-length: {}\r\naccept-encoding: identity\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.map_err(fail)?;
        stream.write_all(body).await.map_err(fail)?;
        let mut bytes = vec![];
        let mut limited = stream.take(ANSWER_LIMIT);
        limited.read_to_end(&mut bytes).await.map_err(fail)?;
        let text = String::from_utf8_lossy(&bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok());
        let status = status.ok_or_else(|| format!("{}: 不是 HTTP / not HTTP", self.url))?;
        Ok((status, body.to_string()))
    }
}

/// A problem document in words.
fn complaint(status: u16, text: &str) -> String {
    let json: Value = serde_json::from_str(text).unwrap_or(Value::Null);
    let mut lines = vec![format!(
        "{status} {}: {}",
        json["code"].as_str().unwrap_or(""),
        json["title"]
            .as_str()
            .or(json["detail"].as_str())
            .unwrap_or(text)
    )];
    let problems: Vec<Problem> =
        serde_json::from_value(json["problems"].clone()).unwrap_or_default();
    for problem in problems {
        lines.push(format!(
            "  {}: {} / {}",
            problem.at, problem.words.zh, problem.words.en
        ));
    }
    lines.join("\n")
}

/// Percent-encodes a value of a query.
pub fn escape(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte as char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
