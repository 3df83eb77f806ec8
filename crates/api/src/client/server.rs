//! Where a server is: `http://` or `https://`, a host, a port, perhaps a path in front of everything.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// A server's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    tls: bool,
    host: Host,
    port: u16,
    prefix: String,
}

/// Why a text is no server's address. It never repeats the text, in which somebody may have put a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadServer {
    /// Not a URL with a host.
    #[error("use a URL such as `https://hooks.example.com`")]
    NoUrl,
    /// Something else than http.
    #[error("use `https://` or `http://`")]
    Scheme,
    /// A user's name or a password.
    #[error("a server's URL holds no user name and no password; give the key as the API key")]
    Credentials,
    /// A query or a fragment.
    #[error("a server's URL ends before `?` and `#`")]
    Tail,
}

impl Server {
    /// TLS is spoken.
    pub(super) fn tls(&self) -> bool {
        self.tls
    }

    pub(super) fn host(&self) -> &Host {
        &self.host
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// What stands before every path; empty or without a slash at its end.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Host and port as they stand in `Host`.
    pub(super) fn authority(&self) -> String {
        let usual = if self.tls { 443 } else { 80 };
        if self.port == usual {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for Server {
    type Err = BadServer;

    fn from_str(text: &str) -> Result<Self, BadServer> {
        let url = Url::parse(text.trim()).map_err(|_| BadServer::NoUrl)?;
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(BadServer::Scheme),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BadServer::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BadServer::Tail);
        }
        let host = url.host().ok_or(BadServer::NoUrl)?.to_owned();
        let port = url.port_or_known_default().ok_or(BadServer::NoUrl)?;
        Ok(Self { tls, host, port, prefix: url.path().trim_end_matches('/').to_owned() })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: Result<&str, BadServer>) {
        let read = text.parse::<Server>().map(|it| it.to_string());
        assert_eq!(read, want.map(str::to_owned), "{text}");
    }

    #[test]
    fn a_server_is_a_url_that_holds_nothing_secret() {
        check("https://hooks.example.com/", Ok("https://hooks.example.com"));
        check("http://127.0.0.1:8080", Ok("http://127.0.0.1:8080"));
        check("http://[::1]:8080/a/b/", Ok("http://[::1]:8080/a/b"));
        check("HTTPS://EXAMPLE.com:443", Ok("https://example.com"));
        check("localhost:8080", Err(BadServer::Scheme));
        check("example.com", Err(BadServer::NoUrl));
        check("https://a:b@example.com", Err(BadServer::Credentials));
        check("https://example.com/?key=1", Err(BadServer::Tail));
    }
}
