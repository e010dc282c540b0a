//! `deploy/local/up` and `down`: everything as processes, without containers.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};

use facereel_test_servers::http::{self, Answer};

use crate::manifests::deploy;

/// Ports that the script uses, from the first on.
const PORTS: u16 = 18;

/// Everything that `up` started in a folder; stopped when it is dropped.
struct Local<'a> {
    folder: &'a Path,
    port: u16,
}

impl Local<'_> {
    fn script(&self, name: &str) -> Output {
        let mut command = Command::new(deploy("local").join(name));
        command
            .env("FACEREEL_LOCAL", self.folder)
            .env("FACEREEL_LOCAL_PORT", self.port.to_string())
            .env("FACEREEL_LOCAL_PROFILE", "dev")
            // Whoever runs the tests has built what they need.
            .env("FACEREEL_LOCAL_BUILD", "no");
        command.output().expect("the script starts")
    }

    fn up(&self) -> String {
        let output = self.script("up");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(output.status.success(), "{said}");
        said
    }
}

impl Drop for Local<'_> {
    fn drop(&mut self) {
        let _ = self.script("down");
    }
}

/// The first of some ports in a row that nobody uses, below those that the system gives to outgoing connections.
fn free_ports() -> u16 {
    let start = 21_000 + (std::process::id() % 400) as u16 * 20;
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    (start..start + 2_000)
        .step_by(20)
        .find(|first| (*first..first + PORTS).all(is_free))
        .expect("there are free ports")
}

fn get(port: u16, path: &str) -> Answer {
    http::get(("127.0.0.1", port), path).expect("the service answers")
}

fn is_free(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_err()
}

#[test]
fn everything_comes_up_once_and_goes_down_without_a_trace() {
    let folder = tempfile::tempdir().expect("a folder");
    let local = Local { folder: folder.path(), port: free_ports() };

    let said = local.up();
    assert!(
        said.contains("facereel is up") && said.contains(&format!(". {}/env", folder.path().display())),
        "{said}"
    );
    for service in 0..4 {
        let port = local.port + 10 + service;
        let ready = get(port, "/readyz");
        assert!(ready.is_good(), "{ready:?}");
        assert!(get(port, "/metrics").body.contains("facereel_build_info"));
    }
    let again = local.up();
    assert!(!again.contains("starting"), "{again}");

    let down = local.script("down");
    assert!(down.status.success(), "{}", String::from_utf8_lossy(&down.stderr));
    let busy: Vec<_> = (local.port..local.port + PORTS).filter(|port| !is_free(*port)).collect();
    assert_eq!(busy, Vec::<u16>::new());
    let down_again = local.script("down");
    assert!(down_again.status.success() && down_again.stdout.is_empty());
}

#[test]
fn a_port_that_is_taken_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let local = Local { folder: folder.path(), port: free_ports() };
    let _other = TcpListener::bind(("127.0.0.1", local.port)).expect("the port is free");
    let output = local.script("up");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains(&format!("port {} is taken", local.port)), "{said}");
}

#[test]
fn a_folder_that_another_call_works_in_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let lock = std::fs::File::create(folder.path().join("lock")).expect("the folder can be written");
    lock.lock().expect("nobody else has it");
    let local = Local { folder: folder.path(), port: free_ports() };
    let output = local.script("up");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && said.contains("another up or down is at work"), "{said}");
}
