//! Requests to servers on this machine, one connection each.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs};

use anyhow::{Context, Result};

/// What a server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its status code.
    pub status: u16,
    /// Its body; what is no UTF-8 in it is replaced.
    pub body: String,
}

impl Answer {
    /// Whether the server did as it was asked.
    #[must_use]
    pub fn is_good(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// What `address` has at `path`.
pub fn get(address: impl ToSocketAddrs, path: &str) -> Result<Answer> {
    request(address, ("GET", path), &[], b"")
}

/// The answer to `method` on `path`, which is escaped already.
pub fn request(
    address: impl ToSocketAddrs,
    (method, path): (&str, &str),
    headers: &[&str],
    body: &[u8],
) -> Result<Answer> {
    // HTTP/1.0: the answer comes in one piece and ends with the connection.
    let mut head =
        format!("{method} {path} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {}\r\n", body.len());
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(&[head.as_bytes(), body].concat())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) =
        answer.split_once("\r\n\r\n").with_context(|| format!("{method} {path}: no answer"))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.with_context(|| format!("{method} {path}: {head}"))?;
    Ok(Answer { status, body: body.to_owned() })
}
