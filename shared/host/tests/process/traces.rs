//! Spans reach the collector that the settings name.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use rustix::process::Signal;

use crate::rig::{OUTPUT, Surroundings};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Takes one request and returns its head and body.
fn take_request(listener: &TcpListener) -> (String, Vec<u8>) {
    let (mut stream, _) = listener.accept().expect("somebody comes");
    let mut bytes = Vec::new();
    let end_of_head = loop {
        read_more(&mut stream, &mut bytes);
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end_of_head]).into_owned();
    let length = head.to_lowercase().lines().find_map(|l| l.strip_prefix("content-length: ")?.parse().ok());
    let length: usize = length.expect("the body's length");
    while bytes.len() < end_of_head + length {
        read_more(&mut stream, &mut bytes);
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").expect("it listens");
    (head, bytes.split_off(end_of_head))
}

fn read_more(stream: &mut TcpStream, bytes: &mut Vec<u8>) {
    let mut buffer = [0; 4096];
    let n = stream.read(&mut buffer).expect("it speaks");
    assert!(n > 0, "the request ended early");
    bytes.extend(&buffer[..n]);
}

#[tokio::test]
async fn a_jobs_span_belongs_to_the_trace_of_its_message_and_is_exported() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let request = std::thread::spawn(move || take_request(&collector));

    let around = Surroundings::new().await;
    let service = around.start_ready(&[("service.otlp_endpoint", &endpoint)]);
    around.submit("WRITE", Some(&format!("00-{TRACE}-00f067aa0ba902b7-01"))).await;
    let following = around.next_of(OUTPUT).await;
    let header = following.message.headers.trace_context.clone().expect("it carries a trace context");
    following.ack().await.unwrap();
    let parts: Vec<_> = header.split('-').collect();
    assert_eq!((parts[1], parts[3]), (TRACE, "01"));
    assert_ne!(parts[2], "00f067aa0ba902b7", "it is below the job's span, not beside it");
    service.signal(Signal::TERM);
    assert_eq!(service.exit_code(), Some(0));

    let (head, body) = request.join().unwrap();
    assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
    let holds = |part: &[u8]| body.windows(part.len()).any(|window| window == part);
    assert!(holds(&TRACE_BYTES) && holds(b"tester-svc") && holds(b"job"), "{body:?}");
    assert!(holds(&[0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7]), "the parent's id");
}

/// [`TRACE`] as it travels.
const TRACE_BYTES: [u8; 16] =
    [0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36];
