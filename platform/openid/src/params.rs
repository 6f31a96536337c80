//! Parameters of a request of the protocol: each at most once (RFC 6749 3.1), none too long,
//! an empty one as if it were not there.

use crate::oauth::OAuthError;
use std::collections::BTreeMap;

/// Bytes of all parameters together, at most.
pub const TOTAL_LIMIT: usize = 32 * 1024;
/// Bytes of one value, at most; `request`-like and assertion parameters are the longest.
pub const VALUE_LIMIT: usize = 16 * 1024;
/// Parameters, at most.
const COUNT_LIMIT: usize = 64;

/// The parameters of one request.
#[derive(Clone, Debug, Default)]
pub struct Params {
    values: BTreeMap<String, String>,
    fault: Option<OAuthError>,
}

impl Params {
    /// Reads `application/x-www-form-urlencoded`. A fault is kept for [`Params::sound`], so that
    /// what is readable can still be used to say it to the right place.
    pub fn read(text: &str) -> Params {
        let mut params = Params::default();
        if text.len() > TOTAL_LIMIT {
            params.fault = Some(OAuthError::new(
                "invalid_request",
                format!("the parameters are longer than {TOTAL_LIMIT} bytes"),
            ));
            return params;
        }
        for (count, (name, value)) in url::form_urlencoded::parse(text.as_bytes()).enumerate() {
            let fault = |what: String| Some(OAuthError::new("invalid_request", what));
            if count >= COUNT_LIMIT {
                params.fault = fault(format!("more than {COUNT_LIMIT} parameters"));
                break;
            }
            let shown: String = name
                .chars()
                .filter(|c| c.is_ascii_graphic())
                .take(40)
                .collect();
            if value.len() > VALUE_LIMIT {
                params.fault = fault(format!("the parameter {shown} is too long"));
                continue;
            }
            if value.chars().any(|c| c.is_control()) {
                params.fault = fault(format!("the parameter {shown} has a control character"));
                continue;
            }
            if params
                .values
                .insert(name.into_owned(), value.into_owned())
                .is_some()
            {
                params.fault = fault(format!("the parameter {shown} is given twice"));
            }
        }
        params
    }

    /// Says what is wrong with the parameters as a whole.
    pub fn sound(&self) -> Result<(), OAuthError> {
        self.fault.clone().map_or(Ok(()), Err)
    }

    /// A parameter, when it is there and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// A parameter that must be there.
    pub fn need(&self, name: &str) -> Result<&str, OAuthError> {
        self.get(name).ok_or_else(|| {
            OAuthError::new(
                "invalid_request",
                format!("the parameter {name} is missing"),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_once_and_none_too_long() {
        let check = |text: &str, sound: bool| {
            assert_eq!(Params::read(text).sound().is_ok(), sound, "{:.80}", text);
        };
        check("a=1&b=2&c=", true);
        check("a=1&a=1", false);
        check("a=%00", false);
        check("a=x%0d%0aSet-Cookie:y", false);
        check(&format!("a={}", "x".repeat(VALUE_LIMIT + 1)), false);
        check(&"x".repeat(TOTAL_LIMIT + 1), false);
        check(&"a=1&".repeat(100), false);
        assert_eq!(Params::read("a=&b=x+y%2F").get("a"), None);
        assert_eq!(Params::read("a=&b=x+y%2F").get("b"), Some("x y/"));
    }
}
