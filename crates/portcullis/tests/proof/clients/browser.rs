//! A browser's EventSource: events arrive one by one while the answer goes on, and the browser asks again when it ends.

use crate::house::{House, Setup};
use portcullis_testkit::deadline::Deadline;
use portcullis_testkit::{FakeUpstream, Talk};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Tells the upstream of each event as it comes. The page itself does not come through the gateway, which lets no page of
/// an API run scripts; what the page may ask of another origin is not the question here, so the browser does not ask it.
const PAGE: &str = "<!doctype html><title>events</title><script>
const source = new EventSource('GATEWAY/events');
source.onmessage = event => fetch('/seen/' + event.lastEventId + '/' + event.data);
</script>";

type Seen = Arc<Mutex<Vec<String>>>;

/// A browser that is stopped with its test.
struct Browser(Child);

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn wait_for(seen: &Seen, what: &str) {
    let deadline = Deadline::after(Duration::from_secs(60));
    while !seen.lock().unwrap().iter().any(|have| have == what) {
        assert!(deadline.left().is_some(), "no `{what}` from the browser; it asked for {:?}", seen.lock().unwrap());
        // SLEEP: what a browser does cannot be waited for; the deadline is above.
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Sends the second event only after the browser has seen the first: a gateway that held it back would never get there.
fn events(talk: &mut Talk, seen: &Seen, again: bool) {
    talk.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n");
    talk.send("Transfer-Encoding: chunked\r\n\r\n");
    let event = |talk: &mut Talk, id: u32, data: &str| {
        let text = format!("retry: 50\nid: {id}\ndata: {data}\n\n");
        talk.send(format!("{:x}\r\n{text}\r\n", text.len()));
    };
    if again {
        event(talk, 3, "three");
        wait_for(seen, "/seen/3/three");
    } else {
        event(talk, 1, "one");
        wait_for(seen, "/seen/1/one");
        event(talk, 2, "two");
        wait_for(seen, "/seen/2/two");
    }
    talk.send("0\r\n\r\n");
}

#[test]
fn an_event_source_gets_each_event_as_it_happens() {
    let seen = Seen::default();
    let shared = Arc::clone(&seen);
    let upstream = FakeUpstream::with(move |talk| {
        while let Some(heard) = talk.request() {
            let target = heard.target();
            shared.lock().unwrap().push(target.clone());
            if target == "/events" {
                let last = heard.field("last-event-id");
                shared.lock().unwrap().push(format!("last event: {last:?}"));
                events(talk, &shared, last.is_some());
                continue;
            }
            let page =
                target.strip_prefix("/page/").map(|gateway| PAGE.replace("GATEWAY", &format!("http://{gateway}")));
            let body = page.unwrap_or_default();
            let head = format!("Content-Type: text/html\r\nContent-Length: {}", body.len());
            talk.send(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}"));
        }
    });
    let house = House::start(Setup::new("browser", &[upstream.address()]));
    let profile = house.folder.join("profile");
    let mut chromium = Command::new("chromium");
    chromium.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]);
    chromium.args(["--disable-background-networking", "--disable-component-update", "--remote-debugging-port=0"]);
    chromium.arg(format!("--user-data-dir={}", profile.display())).arg("--disable-web-security");
    chromium.arg(format!("http://{}/page/{}", upstream.address(), house.plain));
    chromium.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let started = chromium.spawn();
    let browser = Browser(
        started.unwrap_or_else(|error| panic!("{error}: chromium is missing; `cargo xtask test needs` installs it")),
    );
    wait_for(&seen, "/seen/2/two");
    // The answer ended; the browser comes back and says where it was.
    wait_for(&seen, "last event: Some(\"2\")");
    wait_for(&seen, "/seen/3/three");
    drop(browser);
    house.stop();
}
