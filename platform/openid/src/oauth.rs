//! Errors as OAuth 2.0 says them (RFC 6749 5.2 and 4.1.2.1, OpenID Connect Core 3.1.2.6): a word
//! for the program, a sentence in English for its developer.

use kernel::Fault;
use kernel::fault::FaultKind;

/// An error of the protocol.
#[derive(Clone, Debug, PartialEq)]
pub struct OAuthError {
    /// The word, such as `invalid_grant`.
    pub error: &'static str,
    /// What is wrong, for the developer of the application.
    pub description: String,
    /// HTTP status where it is answered as JSON.
    pub status: u16,
    /// When to try again, seconds.
    pub retry_after_s: Option<u32>,
}

impl OAuthError {
    /// Answered with 400.
    pub fn new(error: &'static str, description: impl Into<String>) -> OAuthError {
        OAuthError {
            error,
            description: description.into(),
            status: 400,
            retry_after_s: None,
        }
    }

    /// The application did not prove who it is: 401.
    pub fn client(description: impl Into<String>) -> OAuthError {
        OAuthError {
            status: 401,
            ..OAuthError::new("invalid_client", description)
        }
    }

    /// The access token does not count: 401 (RFC 6750).
    pub fn token() -> OAuthError {
        OAuthError {
            status: 401,
            ..OAuthError::new(
                "invalid_token",
                "the access token is unknown, revoked or over",
            )
        }
    }

    /// Too often: 429.
    pub fn too_many(wait_s: u32) -> OAuthError {
        OAuthError {
            status: 429,
            retry_after_s: Some(wait_s),
            ..OAuthError::new(
                "temporarily_unavailable",
                format!("too many attempts; try again in {wait_s} s"),
            )
        }
    }
}

impl From<Fault> for OAuthError {
    fn from(fault: Fault) -> OAuthError {
        let status = fault.status();
        let (error, status) = match fault.kind {
            FaultKind::TooMany => ("temporarily_unavailable", 429),
            FaultKind::Overloaded => ("temporarily_unavailable", 503),
            FaultKind::Internal => ("server_error", 500),
            FaultKind::Denied => ("access_denied", 403),
            _ => ("invalid_request", status),
        };
        // The cause of an internal failure is for the log.
        let description = match fault.kind {
            FaultKind::Internal => "internal error".into(),
            _ => fault.words.en,
        };
        OAuthError {
            error,
            description,
            status,
            retry_after_s: fault.retry_after_s,
        }
    }
}
