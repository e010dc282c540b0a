//! A way to the broker on which its answers can get lost without the connection being cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use super::Failure;

/// Hands everything on, until the connections of that moment are made deaf.
pub struct DeafLine {
    /// Where to connect in place of the broker.
    pub url: String,
    current: Arc<std::sync::Mutex<Vec<Arc<AtomicBool>>>>,
}

impl DeafLine {
    /// A line to the broker at `url`.
    pub async fn to(url: &str) -> Result<Self, Failure> {
        let (start, vhost) = url.rsplit_once('/').ok_or("no virtual host")?;
        let (user, broker) = start.rsplit_once('@').ok_or("no user")?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("{user}@{}/{vhost}", listener.local_addr()?);
        let current = Arc::<std::sync::Mutex<Vec<_>>>::default();
        tokio::spawn(serve(listener, broker.to_owned(), Arc::clone(&current)));
        Ok(Self { url, current })
    }

    /// From now on, nothing comes back on the connections that are open now.
    pub fn lose_answers(&self) {
        for is_deaf in self.current.lock().expect("no panic").drain(..) {
            is_deaf.store(true, Ordering::SeqCst);
        }
    }
}

async fn serve(listener: TcpListener, broker: String, current: Arc<std::sync::Mutex<Vec<Arc<AtomicBool>>>>) {
    while let Ok((client, _)) = listener.accept().await {
        let Ok(server) = TcpStream::connect(&broker).await else { continue };
        let is_deaf = Arc::new(AtomicBool::new(false));
        current.lock().expect("no panic").push(Arc::clone(&is_deaf));
        let (client_in, client_out) = client.into_split();
        let (server_in, server_out) = server.into_split();
        tokio::spawn(pump(client_in, server_out, Arc::default()));
        tokio::spawn(pump(server_in, client_out, is_deaf));
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, is_deaf: Arc<AtomicBool>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if !is_deaf.load(Ordering::SeqCst) && to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
