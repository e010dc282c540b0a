//! A proxy before an HTTP server that counts what passes, and spoils chosen requests in the ways that networks and busy
//! servers do. Each connection serves one request.

use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// What happens to a request.
#[derive(Debug, Clone)]
pub enum HttpFault {
    /// The server is not asked; this is the answer: a status, and the code of an error or nothing.
    Answer(u16, &'static str),
    /// The server is not asked, and no answer ever comes.
    Silence,
    /// The answer comes this much later.
    Late(Duration),
    /// So many bytes of the answer's body come, then the connection is cut.
    CutAfter(usize),
    /// The server does what it is asked, but its answer is lost.
    LoseReply,
}

/// A fault for some requests.
#[derive(Debug)]
struct Plan {
    /// What the request line begins with, such as `PUT /films/a`.
    request: String,
    /// How many more requests it strikes.
    times: usize,
    /// How many pass unharmed before.
    spared: usize,
    fault: HttpFault,
}

#[derive(Debug, Default)]
struct State {
    plans: Vec<Plan>,
    seen: Vec<Seen>,
}

/// A request that was served.
#[derive(Debug)]
struct Seen {
    line: String,
    /// Bytes of its body.
    sent_bytes: u64,
    /// Bytes of the answer's body that went to the client.
    body_bytes: u64,
}

/// The proxy; gone when dropped.
#[derive(Debug)]
pub struct HttpProxy {
    port: u16,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl HttpProxy {
    /// A proxy before the server on port `upstream` of this machine.
    pub async fn start(upstream: u16) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move { serve(client, upstream, &state).await });
            }
        });
        Ok(Self { port, state, task })
    }

    /// Where it listens, as `http://127.0.0.1:port`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The next `times` requests whose line begins with `request` suffer `fault`.
    pub fn plan(&self, request: &str, times: usize, fault: HttpFault) {
        self.plan_after(request, (0, times), fault);
    }

    /// Of the next such requests so many are spared first, and then so many suffer `fault`.
    pub fn plan_after(&self, request: &str, (spared, times): (usize, usize), fault: HttpFault) {
        locked(&self.state).plans.push(Plan { request: request.to_owned(), times, spared, fault });
    }

    /// How many requests so far had a line that begins with `request`.
    #[must_use]
    pub fn count(&self, request: &str) -> usize {
        locked(&self.state).seen.iter().filter(|seen| seen.line.starts_with(request)).count()
    }

    /// How many bytes were sent so far in answer to such requests, heads not counted.
    #[must_use]
    pub fn body_bytes(&self, request: &str) -> u64 {
        self.sum(request, |seen| seen.body_bytes)
    }

    /// How many bytes such requests had in their bodies.
    #[must_use]
    pub fn sent_bytes(&self, request: &str) -> u64 {
        self.sum(request, |seen| seen.sent_bytes)
    }

    fn sum(&self, request: &str, bytes: fn(&Seen) -> u64) -> u64 {
        let state = locked(&self.state);
        state.seen.iter().filter(|seen| seen.line.starts_with(request)).map(bytes).sum()
    }
}

impl Drop for HttpProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves one request; the connection ends with its answer.
async fn serve(mut client: TcpStream, upstream: u16, state: &Mutex<State>) -> Option<()> {
    let (head, request) = read_request(&mut client).await?;
    let (fault, number) = {
        let mut state = locked(state);
        let (line, sent_bytes) = (head.lines().next()?.to_owned(), (request.len() - head.len()) as u64);
        state.seen.push(Seen { line, sent_bytes, body_bytes: 0 });
        let number = state.seen.len() - 1;
        let plan = state.plans.iter_mut().find(|plan| plan.times > 0 && head.starts_with(&plan.request));
        let fault = plan.and_then(|plan| {
            if plan.spared > 0 {
                plan.spared -= 1;
                return None;
            }
            plan.times -= 1;
            Some(plan.fault.clone())
        });
        (fault, number)
    };
    match fault {
        Some(HttpFault::Answer(status, code)) => {
            let body = match code {
                "" => String::new(),
                code => format!("<Error><Code>{code}</Code><Message>as planned</Message></Error>"),
            };
            let len = body.len();
            let answer =
                format!("HTTP/1.1 {status} X\r\ncontent-length: {len}\r\nconnection: close\r\n\r\n{body}");
            client.write_all(answer.as_bytes()).await.ok()
        }
        // Until the client loses patience and closes.
        Some(HttpFault::Silence) => client.read_to_end(&mut Vec::new()).await.map(drop).ok(),
        Some(HttpFault::CutAfter(len)) => {
            let answer = forward(upstream, &head, &request).await?;
            let body = end_of_head(&answer)?;
            client.write_all(&answer[..answer.len().min(body + len)]).await.ok()
        }
        Some(HttpFault::LoseReply) => forward(upstream, &head, &request).await.map(drop),
        late_or_not => {
            if let Some(HttpFault::Late(by)) = late_or_not {
                let _ = timeout(by, pending::<()>()).await;
            }
            let answer = forward(upstream, &head, &request).await?;
            locked(state).seen[number].body_bytes = (answer.len() - end_of_head(&answer)?) as u64;
            client.write_all(&answer).await.ok()
        }
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The head of a request as text, and all of its bytes from the second line on.
async fn read_request(client: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let head_len = loop {
        if let Some(len) = end_of_head(&bytes) {
            break len;
        }
        if client.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_len].to_vec()).ok()?;
    let body_len = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let whole = head_len + body_len.unwrap_or(0);
    while bytes.len() < whole {
        if client.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some((head, bytes))
}

/// The server's whole answer.
async fn forward(upstream: u16, head: &str, request: &[u8]) -> Option<Vec<u8>> {
    let mut server = TcpStream::connect(("127.0.0.1", upstream)).await.ok()?;
    let (line, _) = head.split_once("\r\n")?;
    // Headers that the signature does not cover: the server ends its answer by closing.
    server.write_all(format!("{line}\r\nconnection: close\r\n").as_bytes()).await.ok()?;
    server.write_all(&request[line.len() + 2..]).await.ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await.ok()?;
    Some(answer)
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}
