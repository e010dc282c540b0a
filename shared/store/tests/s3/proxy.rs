//! A proxy before the server that spoils chosen requests in the ways that networks and busy servers do.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What happens to a request.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// The server is not asked; this is the answer.
    Answer(u16, &'static str),
    /// The server is not asked, and no answer ever comes.
    Silence,
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
    fault: Fault,
}

#[derive(Debug, Default)]
struct State {
    plans: Vec<Plan>,
    /// The request lines so far.
    seen: Vec<String>,
}

/// The proxy; gone when dropped.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// A proxy before the server on `upstream`.
    pub(crate) async fn start(upstream: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                tokio::spawn(async move { serve(client, upstream, &state).await });
            }
        });
        Self { port, state, task }
    }

    /// The next `times` requests whose line begins with `request` suffer `fault`.
    pub(crate) fn plan(&self, request: &str, times: usize, fault: Fault) {
        self.state.lock().expect("nobody panics with it").plans.push(Plan {
            request: request.to_owned(),
            times,
            fault,
        });
    }

    /// How many requests so far had a line that begins with `request`.
    pub(crate) fn count(&self, request: &str) -> usize {
        self.state
            .lock()
            .expect("nobody panics with it")
            .seen
            .iter()
            .filter(|line| line.starts_with(request))
            .count()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves one request; the connection ends with its answer.
async fn serve(mut client: TcpStream, upstream: u16, state: &Mutex<State>) -> Option<()> {
    let (head, request) = read_request(&mut client).await?;
    let fault = {
        let mut state = state.lock().expect("nobody panics with it");
        state.seen.push(head.lines().next()?.to_owned());
        let plan = state.plans.iter_mut().find(|plan| plan.times > 0 && head.starts_with(&plan.request));
        plan.map(|plan| {
            plan.times -= 1;
            plan.fault.clone()
        })
    };
    match fault {
        Some(Fault::Answer(status, code)) => {
            let body = format!("<Error><Code>{code}</Code><Message>as planned</Message></Error>");
            let len = body.len();
            let answer =
                format!("HTTP/1.1 {status} X\r\ncontent-length: {len}\r\nconnection: close\r\n\r\n{body}");
            client.write_all(answer.as_bytes()).await.ok()
        }
        // Until the client loses patience and closes.
        Some(Fault::Silence) => client.read_to_end(&mut Vec::new()).await.map(drop).ok(),
        Some(Fault::CutAfter(len)) => {
            let answer = forward(upstream, &head, &request).await?;
            let body = end_of_head(&answer)?;
            client.write_all(&answer[..answer.len().min(body + len)]).await.ok()
        }
        Some(Fault::LoseReply) => forward(upstream, &head, &request).await.map(drop),
        None => {
            let answer = forward(upstream, &head, &request).await?;
            client.write_all(&answer).await.ok()
        }
    }
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
