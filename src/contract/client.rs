//! Which program sent a request, by its `User-Agent`: a name and a major version.
//!
//! Known programs are found by what they are known to send; any other one goes by the first product
//! of its agent, so that a script with an agent of its own keeps its name. Names are printable ASCII
//! and short whatever the agent holds.
//!
//! Known gaps: s3cmd sends no agent at all. pydio-sync and the Python SDK send that of the `requests`
//! library, Pydio 8's free Android app that of Apache's HttpClient and Seadroid that of okhttp: they
//! cannot be told from other programs on these libraries.

use std::borrow::Cow;
use std::fmt;

/// A program, without its minor version.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Client<'a> {
    pub name: Cow<'a, str>,
    pub major: Option<u32>,
}

/// Where in the agent the word of a [`KNOWN`] program is.
#[derive(Clone, Copy)]
enum At {
    Start,
    Anywhere,
}

use At::{Anywhere, Start};

/// In this order: a program comes before the libraries and browsers that its agent also names. The
/// version follows the word.
const KNOWN: &[(At, &str, &str)] = &[
    (Start, "rclone/", "rclone"),
    (Start, "aws-cli/", "aws-cli"),
    (Start, "boto3/", "Boto3"),
    (Start, "boto/", "Boto"),
    (Start, "botocore/", "Botocore"),
    (Start, "s3cmd", "s3cmd"),
    (Start, "curl/", "curl"),
    (Start, "libcurl", "curl"),
    (Start, "wget", "Wget"),
    (Start, "python-requests/", "python-requests"),
    (Anywhere, "pydiosync", "PydioSync"),
    (Anywhere, "pydio-sync", "PydioSync"),
    (Start, "pydio-native-android", "Pydio Android"),
    (Start, "pydio-native-ios", "Pydio iOS"),
    (Start, "ajaxplorer-ios-client", "Pydio iOS"),
    (Start, "pydio-native", "Pydio Java SDK"),
    // `linux/amd64 go1.22 github.com/pydio/cells-client@v4.1.0`
    (Anywhere, "github.com/pydio/cells-client", "cec"),
    // `MinIO (linux; amd64) minio-go/v6.0.44 cells-sync/0.9.2`
    (Anywhere, "cells-sync", "cells-sync"),
    (Anywhere, "aws-sdk-java", "AWS SDK for Java"),
    (Anywhere, "aws-sdk-go", "AWS SDK for Go"),
    (Anywhere, "aws-sdk-js", "AWS SDK for JavaScript"),
    (Anywhere, "aws-sdk-php", "AWS SDK for PHP"),
    (Start, "minio (", "MinIO client"),
    (Anywhere, "webdavfs/", "WebDAVFS"),
    (Anywhere, "webdavlib/", "WebDAVLib"),
    (Start, "microsoft-webdav-miniredir/", "Microsoft-WebDAV-MiniRedir"),
    (Start, "microsoft data access internet publishing provider", "Microsoft Web Folders"),
    (Start, "davclnt", "Microsoft-WebDAV-MiniRedir"),
    (Start, "microsoft office", "Microsoft Office"),
    (Start, "gvfs/", "gvfs"),
    (Start, "davfs2/", "davfs2"),
    (Start, "cadaver/", "cadaver"),
    (Start, "litmus/", "litmus"),
    (Start, "mountain duck/", "Mountain Duck"),
    (Start, "mountainduck/", "Mountain Duck"),
    (Start, "cyberduck/", "Cyberduck"),
    (Anywhere, "neon/", "neon"),
    (Anywhere, "kio/", "KIO"),
    (Anywhere, "mirall/", "ownCloud or Nextcloud desktop"),
    (Start, "seadroid", "Seadroid"),
    (Start, "seafile/", "Seafile sync"),
    (Start, "okhttp/", "okhttp"),
    (Start, "apache-httpclient/", "Apache-HttpClient"),
    (Start, "go-http-client/", "Go-http-client"),
    (Anywhere, "googlebot", "bot"),
    (Anywhere, "bot/", "bot"),
    (Anywhere, "bot;", "bot"),
    (Anywhere, "bot)", "bot"),
    (Anywhere, "bot ", "bot"),
    (Anywhere, "spider", "bot"),
    (Anywhere, "crawl", "bot"),
    // Browsers name each other; what names the most comes first.
    (Anywhere, "edg/", "Edge"),
    (Anywhere, "edge/", "Edge"),
    (Anywhere, "opr/", "Opera"),
    (Anywhere, "opera/", "Opera"),
    (Anywhere, "firefox/", "Firefox"),
    (Anywhere, "fxios/", "Firefox"),
    (Anywhere, "crios/", "Chrome"),
    (Anywhere, "chrome/", "Chrome"),
    (Anywhere, "chromium/", "Chrome"),
    (Anywhere, "trident/", "Internet Explorer"),
    (Anywhere, "msie ", "Internet Explorer"),
];

/// Longest name taken over from an agent that is not known.
const NAME: usize = 40;

impl<'a> Client<'a> {
    /// Of a `User-Agent`. Empty and `-`, which logs write for a missing one, are `no agent`.
    pub fn of(agent: &'a str) -> Self {
        let agent = agent.trim();
        if agent.is_empty() || agent == "-" {
            return Self { name: Cow::Borrowed("no agent"), major: None };
        }
        for &(at, word, name) in KNOWN {
            let found = match at {
                Start => starts(agent.as_bytes(), word.as_bytes()).then_some(0),
                Anywhere => find(agent.as_bytes(), word.as_bytes()),
            };
            if let Some(begin) = found {
                // A bot's version is that of nothing, and Trident's is not that of its browser.
                let versioned = name != "bot" && word != "trident/";
                let rest = agent.as_bytes().get(begin + word.len()..).unwrap_or_default();
                let major = versioned.then(|| version(rest)).flatten();
                return Self { name: Cow::Borrowed(name), major };
            }
        }
        if starts(agent.as_bytes(), b"mozilla/") {
            return Self::of_mozilla(agent);
        }
        // The apps of Seafile for iOS send what their library composes: `Seafile Pro/2.9 (iPhone; …)`.
        if starts(agent.as_bytes(), b"seafile") && find(agent.as_bytes(), b"scale/").is_some() {
            return Self { name: Cow::Borrowed("Seafile iOS"), major: slash_version(agent) };
        }
        Self::of_product(agent)
    }

    fn of_mozilla(agent: &str) -> Self {
        let safari = find(agent.as_bytes(), b"safari/").and(find(agent.as_bytes(), b"version/"));
        match safari {
            Some(at) => {
                let rest = agent.as_bytes().get(at + b"version/".len()..).unwrap_or_default();
                Self { name: Cow::Borrowed("Safari"), major: version(rest) }
            }
            None => Self { name: Cow::Borrowed("other browser"), major: None },
        }
    }

    /// The first product: `backup-job/1.2 (nightly)` is `backup-job`.
    fn of_product(agent: &'a str) -> Self {
        let product = agent.split(['/', ' ', ';', '(']).next().unwrap_or_default();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+".contains(&byte);
        let name = if product.is_empty() {
            Cow::Borrowed("other")
        } else if product.len() <= NAME && product.bytes().all(plain) {
            Cow::Borrowed(product)
        } else {
            let kept = product.bytes().take(NAME);
            Cow::Owned(kept.map(|byte| if plain(byte) { char::from(byte) } else { '?' }).collect())
        };
        Self { major: slash_version(agent), name }
    }

    pub fn into_owned(self) -> Client<'static> {
        Client { name: Cow::Owned(self.name.into_owned()), major: self.major }
    }
}

impl fmt::Display for Client<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.major {
            Some(major) => write!(out, "{} {major}", self.name),
            None => out.write_str(&self.name),
        }
    }
}

fn slash_version(agent: &str) -> Option<u32> {
    version(agent.split_once('/')?.1.as_bytes())
}

/// The number that `text` begins with, after what may stand between a name and its version.
fn version(text: &[u8]) -> Option<u32> {
    let begin = text.iter().position(u8::is_ascii_digit)?;
    let (between, rest) = text.split_at_checked(begin)?;
    if !matches!(between, b"" | b"/" | b" " | b"v" | b"/v" | b"@v" | b"-" | b" v" | b"-v2/" | b"-go-v") {
        return None;
    }
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).take(6);
    Some(digits.fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
}

fn starts(text: &[u8], word: &[u8]) -> bool {
    text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
}

fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len()).position(|window| window.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Agents as the programs send them (those of the programs at hand were captured, the others are
    /// from server logs in bug reports and from the programs' sources).
    #[test]
    fn programs_are_recognized() {
        for (agent, expected) in [
            ("rclone/v1.60.1-DEV", "rclone 1"),
            ("aws-cli/1.45.11 md/Botocore#1.43.11 ua/2.1 os/linux#6.18 botocore/1.43.11", "aws-cli 1"),
            ("aws-cli/2.15.30 Python/3.11.8 Linux/6.1 exe/x86_64.debian.12", "aws-cli 2"),
            ("Boto3/1.43.11 md/Botocore#1.43.11 ua/2.1 lang/python#3.11.7 Botocore/1.43.11", "Boto3 1"),
            ("curl/7.88.1", "curl 7"),
            ("Wget/1.21.3", "Wget 1"),
            ("python-requests/2.2.1 CPython/2.7.2 Darwin/13.3.0", "python-requests 2"),
            ("Pydio-Native-Android 1.0.52.83", "Pydio Android 1"),
            ("Pydio-Native-iOS 1.4", "Pydio iOS 1"),
            ("ajaxplorer-ios-client/1.0", "Pydio iOS 1"),
            ("Pydio-Native-PydioPro 2.1.30", "Pydio Java SDK"),
            ("Pydio-Native", "Pydio Java SDK"),
            ("linux/amd64 go1.22.1 github.com/pydio/cells-client@v4.1.0", "cec 4"),
            ("MinIO (linux; amd64) minio-go/v6.0.44 cells-sync/0.9.2", "cells-sync 0"),
            ("MinIO (linux; amd64) minio-go/v7.0.66 mc/RELEASE", "MinIO client"),
            ("WebDAVFS/3.0.0 (03008000) Darwin/21.1.0 (x86_64)", "WebDAVFS 3"),
            ("Microsoft-WebDAV-MiniRedir/10.0.22000", "Microsoft-WebDAV-MiniRedir 10"),
            ("gvfs/1.50.3", "gvfs 1"),
            ("davfs2/1.6.1 neon/0.32.2", "davfs2 1"),
            ("cadaver/0.24 neon/0.32.5", "cadaver 0"),
            ("litmus/0.13 neon/0.32.5", "litmus 0"),
            ("svn neon/0.29.0", "neon 0"),
            ("Cyberduck/7.10.0.35184 (Mac OS X/10.14.6) (x86_64)", "Cyberduck 7"),
            ("Mountain Duck/4.15.0.21720 (Windows 10/10.0) (amd64)", "Mountain Duck 4"),
            ("Seafile/4.3.3 (Windows NT)", "Seafile sync 4"),
            ("Seafile Pro/2.9.13 (iPhone; iOS 15.1; Scale/3.00)", "Seafile iOS 2"),
            ("okhttp/4.9.3", "okhttp 4"),
            ("Go-http-client/1.1", "Go-http-client 1"),
            ("Apache-HttpClient/UNAVAILABLE (java 1.4)", "Apache-HttpClient"),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0", "Firefox 115"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/124.0.0.0 Safari/537.36 Edg/124.0.2478.51",
                "Edge 124",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/17.4 Safari/605.1.15",
                "Safari 17",
            ),
            ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "bot"),
            ("Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", "bot"),
        ] {
            assert_eq!(Client::of(agent).to_string(), expected, "{agent}");
        }
    }

    #[test]
    fn an_unknown_program_goes_by_its_first_product() {
        assert_eq!(Client::of("backup-job/12.3 (nightly)").to_string(), "backup-job 12");
        assert_eq!(Client::of("Total Commander").to_string(), "Total");
        assert_eq!(Client::of("Mozilla/5.0").to_string(), "other browser");
    }

    #[test]
    fn a_missing_agent_has_a_name() {
        for agent in ["", "-", "  "] {
            assert_eq!(Client::of(agent).to_string(), "no agent");
        }
    }

    #[test]
    fn names_are_short_and_printable_whatever_the_agent_holds() {
        let escape = Client::of("\u{1b}[31mred/1").to_string();
        assert_eq!(escape, "??31mred 1");
        assert_eq!(Client::of(&"x".repeat(5000)).name.len(), NAME);
        assert_eq!(Client::of("é/99999999999999999999").to_string(), "?? 999999");
        assert_eq!(Client::of("/1").to_string(), "other 1");
    }
}
