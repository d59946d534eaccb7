//! `cellgate record`: the traffic of clients with another server into a HAR file, or the file of a
//! browser into one without secrets.

use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cellgate_record::{Limits, Options, Payload, Recorded, Recorder, Recording, Scrubber, Upstream, Writer};
use tokio::signal::unix::{SignalKind, signal};

#[derive(clap::Args)]
pub struct Record {
    /// The server behind the recorder, as in `https://files.example.com`; a path is put in front of
    /// every target
    #[arg(long, required_unless_present = "import", conflicts_with = "import")]
    upstream: Option<String>,
    /// Scrub and normalise a recording of a browser or of another proxy instead
    #[arg(long, value_name = "FILE")]
    import: Option<PathBuf>,
    /// Where the recording goes
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Address and port for clients; port 0 takes a free one [default: 127.0.0.1:8090]
    #[arg(long)]
    listen: Option<String>,
    /// Bytes of a body that are kept; of longer ones length and hash, of forms the fields too
    #[arg(long, value_name = "BYTES", default_value_t = 1024 * 1024)]
    limit: usize,
    /// Write passwords, tokens, cookies and signatures as they are
    #[arg(long)]
    no_scrub: bool,
    /// Send the upstream's own name as `Host`, not what clients send
    #[arg(long)]
    upstream_host: bool,
    /// Trust the authorities of this PEM file for the upstream, and no others
    #[arg(long, value_name = "FILE")]
    upstream_ca: Option<PathBuf>,
    /// What the recording is, kept in the file
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
}

pub fn run(command: &Record) -> ExitCode {
    let done = match (&command.import, &command.upstream) {
        (Some(foreign), _) => import(command, foreign),
        (None, Some(upstream)) => record(command, upstream),
        (None, None) => Err("expected `--upstream` or `--import`".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("cellgate: {why}");
            ExitCode::from(2)
        }
    }
}

fn record(command: &Record, upstream: &str) -> Result<(), String> {
    let upstream: Upstream = upstream.parse().map_err(|error| format!("--upstream: {error}"))?;
    let listen = command.listen.as_deref().unwrap_or("127.0.0.1:8090");
    let listen: SocketAddr = listen.parse().map_err(|_| {
        format!("--listen: expected an address and a port as in `127.0.0.1:8090`, found `{listen}`")
    })?;
    let options = Options {
        upstream: upstream.clone(),
        listen,
        limit: command.limit,
        scrub: !command.no_scrub,
        upstream_host: command.upstream_host,
        upstream_ca: command.upstream_ca.clone(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start the runtime: {error}"))?;
    let recorded = runtime.block_on(async {
        let recorder = Recorder::bind(options).await.map_err(|error| error.to_string())?;
        // Not before it is known that there will be something to write.
        let writer = create(command)?;
        let mut ends = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
        let mut terms = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
        // Whoever started us may have stopped reading.
        let _ = writeln!(
            std::io::stdout(),
            "cellgate records on http://{}, upstream {upstream}",
            recorder.address()
        );
        let counting = std::io::stderr().is_terminal().then(|| tokio::spawn(count(recorder.counter())));
        let ended = async {
            tokio::select! {
                _ = ends.recv() => {}
                _ = terms.recv() => {}
            }
        };
        let recorded = recorder.run(writer, ended).await;
        if let Some(counting) = counting {
            counting.abort();
            eprintln!();
        }
        recorded.map_err(|error| error.to_string())
    })?;
    let Recorded { calls, tunnels, secrets } = recorded;
    let mut said = format!("{} recorded in {}\n", counted(calls, "call"), command.out.display());
    if tunnels > 0 {
        said.push_str(&format!("{} passed through, not recorded\n", counted(tunnels, "web socket")));
    }
    said.push_str(&named(secrets.into_iter()));
    print(&said);
    Ok(())
}

fn import(command: &Record, foreign: &Path) -> Result<(), String> {
    let wrong = |error: &dyn std::fmt::Display| format!("`{}`: {error}", foreign.display());
    let mut recording = Recording::read(foreign, &Limits::default()).map_err(|error| wrong(&error))?;
    for exchange in &mut recording.exchanges {
        exchange.request.limit_body(command.limit);
        let body = &mut exchange.response.body;
        *body = std::mem::replace(body, Payload::EMPTY).within(command.limit);
    }
    let mut scrubber = Scrubber::new();
    if !command.no_scrub {
        recording.exchanges.iter().for_each(|exchange| scrubber.learn(exchange));
        recording.exchanges.iter_mut().for_each(|exchange| scrubber.scrub(exchange));
    }
    if command.comment.is_some() {
        recording.comment.clone_from(&command.comment);
    }
    if !command.force && command.out.exists() {
        return Err(exists(&command.out));
    }
    recording.write(&command.out).map_err(|error| format!("`{}`: {error}", command.out.display()))?;
    let mut said = String::new();
    for note in &recording.notes {
        said.push_str(&format!("note: {note}\n"));
    }
    for (number, why) in &recording.skipped {
        said.push_str(&format!("skipped: entry {number}: {why}\n"));
    }
    let calls = recording.exchanges.len();
    said.push_str(&format!(
        "{} of {} imported into {}\n",
        counted(calls, "call"),
        recording.creator,
        command.out.display()
    ));
    said.push_str(&named(scrubber.counts()));
    print(&said);
    Ok(())
}

fn create(command: &Record) -> Result<Writer, String> {
    let out = &command.out;
    let comment = command.comment.as_deref();
    let created = if command.force { Writer::create(out, comment) } else { Writer::create_new(out, comment) };
    created.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => exists(out),
        _ => format!("`{}`: {error}", out.display()),
    })
}

fn exists(out: &Path) -> String {
    format!("`{}` exists; write over it with `--force`", out.display())
}

/// A line that counts, for who is watching.
async fn count(written: Arc<AtomicUsize>) {
    let mut shown = usize::MAX;
    loop {
        let now = written.load(Ordering::Relaxed);
        if now != shown {
            eprint!("\r{} recorded ", counted(now, "call"));
            shown = now;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// `names in place of 3 secrets: 1 jwt, 2 password`
fn named(secrets: impl Iterator<Item = (&'static str, usize)>) -> String {
    let secrets: Vec<_> = secrets.collect();
    if secrets.is_empty() {
        return String::new();
    }
    let all = secrets.iter().map(|(_, count)| count).sum();
    let kinds: Vec<String> = secrets.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    format!("names in place of {}: {}\n", counted(all, "secret"), kinds.join(", "))
}

fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

fn print(text: &str) {
    // Whoever started us may have stopped reading.
    let _ = std::io::stdout().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_scrubs_what_comes_before_as_well_and_overwrites_only_when_told() {
        let folder = tempfile::tempdir().unwrap();
        let (foreign, out) = (folder.path().join("foreign.har"), folder.path().join("out.har"));
        let entry = |second: u8, url: &str, headers: &str| {
            format!(
                r#"{{"startedDateTime":"2026-01-01T00:00:0{second}Z","request":{{"method":"GET","url":"{url}",
                "headers":[{headers}]}},"response":{{"status":200,"content":{{"text":"0123456789"}}}}}}"#
            )
        };
        let entries = [
            entry(2, "http://h/b", r#"{"name":"Authorization","value":"Bearer hush-hush-token"}"#),
            entry(1, "http://h/a?note=hush-hush-token", ""),
            entry(3, "wss://h/ws", ""),
        ];
        let har = format!(r#"{{"log":{{"version":"1.2","entries":[{}]}}}}"#, entries.join(","));
        std::fs::write(&foreign, har).unwrap();
        let mut command = Record {
            upstream: None,
            import: Some(foreign.clone()),
            out: out.clone(),
            listen: None,
            limit: 9,
            no_scrub: false,
            upstream_host: false,
            upstream_ca: None,
            comment: Some("of a browser".to_owned()),
            force: false,
        };
        import(&command, &foreign).unwrap();
        let recording = Recording::read(&out, &Limits::default()).unwrap();
        assert_eq!(recording.comment.as_deref(), Some("of a browser"));
        let [first, second] = recording.exchanges.as_slice() else { panic!("two calls") };
        assert_eq!(first.request.target, "/a?note=__jwt_1__");
        assert_eq!(second.request.header("authorization"), Some("Bearer __jwt_1__"));
        // The digest of the text, of another program.
        let sha256 = "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882";
        let omitted = Payload::Omitted { length: 10, sha256: Some(sha256.to_owned()) };
        assert_eq!(first.response.body, omitted);

        let error = import(&command, &foreign).unwrap_err();
        assert_eq!(error, format!("`{}` exists; write over it with `--force`", out.display()));
        command.force = true;
        import(&command, &foreign).unwrap();
    }

    #[test]
    fn kinds_of_secrets_are_counted_and_not_shown() {
        let kinds = [("jwt", 1), ("password", 2)];
        assert_eq!(named(kinds.into_iter()), "names in place of 3 secrets: 1 jwt, 2 password\n");
        assert_eq!(named([("jwt", 1)].into_iter()), "names in place of 1 secret: 1 jwt\n");
        assert_eq!(named([].into_iter()), "");
    }
}
