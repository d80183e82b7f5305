use std::fmt;

use keyquay_protocol::{Code, Problem};
use reqwest::Url;

/// The address of a sync server: scheme and authority, as the server names itself. https, or http on loopback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAddress(String);

impl ServerAddress {
    /// Reads what a person typed; `https://` may be left out.
    ///
    /// # Errors
    /// [`Code::ServerAddress`] for anything but a host with an optional port.
    pub fn parse(typed: &str) -> Result<Self, Problem> {
        let typed = typed.trim();
        let typed = if typed.ends_with("://") { typed } else { typed.trim_end_matches('/') };
        let refused = |detail: &str| Problem::new(Code::ServerAddress).with_detail(detail);
        if typed.is_empty() || typed.len() > 300 {
            return Err(refused("The address is empty or too long."));
        }
        let whole = if typed.contains("://") { typed.to_owned() } else { format!("https://{typed}") };
        let url = Url::parse(&whole).map_err(|_| refused("The address cannot be read."))?;
        let host =
            url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| refused("It names no host."))?;
        let is_loopback = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        match url.scheme() {
            "https" => {}
            "http" if is_loopback => {}
            "http" => return Err(refused("Without TLS only a server on this computer may be used.")),
            _ => return Err(refused("It begins with neither https:// nor http://.")),
        }
        let has_more = url.path() != "/" || url.query().is_some() || url.fragment().is_some();
        if has_more || !url.username().is_empty() || url.password().is_some() {
            return Err(refused("Leave out everything after the host and port."));
        }
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        Ok(Self(format!("{}://{host}{port}", url.scheme())))
    }

    /// `https://host:port`, without a trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_type_them() {
        let cases = [
            ("sync.example", "https://sync.example"),
            (" https://Sync.Example:8443/ ", "https://sync.example:8443"),
            ("https://sync.example:443", "https://sync.example"),
            ("http://127.0.0.1:4000", "http://127.0.0.1:4000"),
            ("http://[::1]:4000", "http://[::1]:4000"),
        ];
        for (typed, expected) in cases {
            assert_eq!(ServerAddress::parse(typed).unwrap().as_str(), expected);
        }
    }

    #[test]
    fn plain_http_works_on_loopback_only_and_other_forms_are_explained() {
        let cases = [
            "",
            "http://sync.example",
            "ftp://sync.example",
            "https://",
            "https://a/b",
            "https://u:p@a",
            "https://a?q",
            "http://127.0.0.1.example",
            "javascript:alert(1)",
            "https://a b",
        ];
        for typed in cases {
            let problem = ServerAddress::parse(typed).unwrap_err();
            assert_eq!(problem.code, Code::ServerAddress, "{typed}");
            assert!(problem.detail.is_some(), "{typed}");
        }
    }
}
