//! What the broker tells of a test's virtual host, and messages that no service has published.

use std::fs;

use facereel_domain::settings::QueueSettings;
use facereel_queue::{Message, Queue, QueueName};

use super::Cluster;

impl Cluster {
    /// The virtual host.
    #[must_use]
    pub fn vhost(&self) -> &str {
        self.queue_url.rsplit('/').next().unwrap_or_default()
    }

    /// Queues that hold jobs nobody works on, with their number.
    ///
    /// # Panics
    ///
    /// Where the broker does not answer.
    #[must_use]
    pub fn jobs(&self) -> Vec<(String, u64)> {
        let depths = QueueName::all().map(|name| (name.to_string(), self.depth(&name)));
        depths.filter(|(_, depth)| *depth > 0).collect()
    }

    /// Jobs in a queue that nobody works on.
    ///
    /// # Panics
    ///
    /// Where the broker does not answer.
    #[must_use]
    pub fn depth(&self, name: &QueueName) -> u64 {
        let depth = self.runtime.block_on(self.queue().depth(name)).expect("the broker tells depths");
        depth.ready + depth.delayed
    }

    /// Bytes that the connections to the broker that are open now have carried so far, both ways.
    ///
    /// # Panics
    ///
    /// Where the broker does not tell.
    #[must_use]
    pub fn broker_bytes(&self) -> u64 {
        let listed = self.rabbit.ctl(&["list_connections", "vhost", "recv_oct", "send_oct"]);
        let bytes_of = |line: &str| {
            let mut cells = line.split_whitespace();
            let is_ours = cells.next() == Some(self.vhost());
            is_ours.then(|| cells.filter_map(|cell| cell.parse::<u64>().ok()).sum::<u64>())
        };
        listed.expect("the broker lists connections").lines().filter_map(bytes_of).sum()
    }

    /// Puts bytes into a queue, as if a service had published them.
    ///
    /// # Panics
    ///
    /// Where the broker refuses.
    pub fn publish(&self, messages: Vec<(QueueName, Vec<u8>)>) {
        let queue = self.queue();
        self.runtime.block_on(async {
            for (name, body) in messages {
                let message = Message::new(body).expect("a small message");
                queue.publish(&name, message).await.expect("the broker takes messages");
            }
        });
    }

    /// Jobs that were given up, with the reasons.
    ///
    /// # Panics
    ///
    /// Where the broker does not answer.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<String> {
        let letters = self.runtime.block_on(self.queue().dead_letters(100));
        let letters = letters.expect("the broker tells of dead letters");
        letters.into_iter().map(|letter| format!("{}: {}", letter.queue, letter.reason)).collect()
    }

    /// Ids of the processes of this machine that were told of this virtual host, this one aside.
    ///
    /// # Panics
    ///
    /// Where there is no `/proc`.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        let entries = fs::read_dir("/proc").expect("processes can be listed");
        let ids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let variable = format!("FACEREEL__QUEUE__URL={}", self.queue_url);
        // One that ends meanwhile was none of those that stay.
        let is_told = |id: &u32| {
            let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|entry| entry == variable.as_bytes())
        };
        ids.filter(is_told).collect()
    }

    fn queue(&self) -> &dyn Queue {
        let settings = QueueSettings { url: self.queue_url.clone(), ..QueueSettings::default() };
        let open = || self.runtime.block_on(facereel_queue::open(&settings, "test"));
        self.queue.get_or_init(|| open().expect("the broker is there")).as_ref()
    }
}
