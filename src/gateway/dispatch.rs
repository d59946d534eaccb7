//! Which door answers a request.
//!
//! By the raw path, on whole segments, before any decoding: `/a` must not take `/api/v2`. A host may
//! belong to one protocol with all its paths. What no mount covers, the root above all, belongs to no
//! one; headers and method decide who is meant.

use std::sync::Arc;

use cellgate_core::http::{Protocol, Request, Response, full, host};
use cellgate_core::principal::Door;
use http::{HeaderValue, Method, StatusCode, header};

#[derive(Clone)]
pub struct Dispatch {
    doors: Arc<Vec<Box<dyn Protocol>>>,
    /// Mounts, longest first, with the place of their door.
    mounts: Arc<Vec<(&'static str, usize)>>,
}

impl Dispatch {
    pub fn new(doors: Vec<Box<dyn Protocol>>) -> Self {
        let mut mounts: Vec<(&'static str, usize)> = doors
            .iter()
            .enumerate()
            .flat_map(|(at, door)| door.mounts().iter().map(move |mount| (*mount, at)))
            .collect();
        mounts.sort_by_key(|(mount, _)| std::cmp::Reverse(mount.len()));
        Self { doors: Arc::new(doors), mounts: Arc::new(mounts) }
    }

    /// The door of a request, for its answer and for the log.
    pub fn door(&self, request: &Request) -> Option<&dyn Protocol> {
        let path = request.uri().path();
        let find = |wanted: &dyn Fn(&dyn Protocol) -> bool| {
            self.doors.iter().map(AsRef::as_ref).find(|door| wanted(*door))
        };
        if let Some(host) = host(request)
            && let Some(door) = find(&|door| door.owns_host(host))
        {
            return Some(door);
        }
        if let Some((_, at)) = self.mounts.iter().find(|(mount, _)| covers(mount, path)) {
            return self.doors.get(*at).map(AsRef::as_ref);
        }
        if let Some(door) = find(&|door| door.recognizes(request)) {
            return Some(door);
        }
        let door = if path == "/" || path == "*" { root_door(request)? } else { return None };
        find(&|other| other.door() == door)
    }

    /// `door` is that of the request.
    pub async fn serve(door: Option<&dyn Protocol>, request: Request) -> Response {
        if let Some(door) = door {
            return door.serve(request).await;
        }
        if request.uri().path() == "/" && matches!(*request.method(), Method::GET | Method::HEAD) {
            return cellgate_auth::welcome(&request);
        }
        plain(
            StatusCode::NOT_FOUND,
            "there is nothing here; the mounts are /a /io /dav /api /index.php /api2 /seafhttp\n",
        )
    }
}

/// Whole segments only.
fn covers(mount: &str, path: &str) -> bool {
    path.strip_prefix(mount).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Who is meant by `/` where nobody recognizes the request: WebDAV clients probe it; a Pydio 8 client
/// may leave `index.php` away.
fn root_door(request: &Request) -> Option<Door> {
    let query = request.uri().query().unwrap_or_default();
    if *request.method() == Method::OPTIONS || request.method().as_str() == "PROPFIND" {
        return Some(Door::Dav);
    }
    let asks = |text: &str| text.split('&').any(|pair| pair.starts_with("get_action="));
    if *request.method() == Method::POST || asks(query) {
        return Some(Door::Pydio8);
    }
    None
}

pub fn plain(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(full(text));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use cellgate_core::http::empty;
    use futures_util::future::BoxFuture;

    struct Fake(Door, &'static [&'static str]);

    impl Protocol for Fake {
        fn door(&self) -> Door {
            self.0
        }
        fn mounts(&self) -> &'static [&'static str] {
            self.1
        }
        fn owns_host(&self, host: &str) -> bool {
            self.0 == Door::S3 && host.ends_with("s3.example.org")
        }
        fn recognizes(&self, request: &Request) -> bool {
            self.0 == Door::S3 && request.headers().contains_key("x-pydio-bearer")
        }
        fn serve(&self, _: Request) -> BoxFuture<'static, Response> {
            Box::pin(async { Response::new(empty()) })
        }
    }

    fn dispatch() -> Dispatch {
        Dispatch::new(vec![
            Box::new(Fake(Door::Cells, &["/a"])),
            Box::new(Fake(Door::S3, &["/io"])),
            Box::new(Fake(Door::Dav, &["/dav"])),
            Box::new(Fake(Door::Pydio8, &["/api", "/index.php"])),
            Box::new(Fake(Door::Seafile, &["/api2", "/api/v2.1", "/seafhttp"])),
        ])
    }

    async fn nobody(request: Request) -> Response {
        let dispatch = dispatch();
        Dispatch::serve(dispatch.door(&request), request).await
    }

    fn door(method: &str, uri: &str, headers: &[(&str, &str)]) -> Option<Door> {
        let mut request = http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(empty()).unwrap();
        dispatch().door(&request).map(Protocol::door)
    }

    #[test]
    fn mounts_match_whole_segments_and_the_longest_wins() {
        for (path, expected) in [
            ("/a/tree/stats", Some(Door::Cells)),
            ("/a", Some(Door::Cells)),
            ("/api/v2/fs/x", Some(Door::Pydio8)),
            ("/api/v2.1/repos/", Some(Door::Seafile)),
            ("/api/v2.10/x", Some(Door::Pydio8)),
            ("/api2/ping/", Some(Door::Seafile)),
            ("/index.php?get_action=ls", Some(Door::Pydio8)),
            ("/index.phpx", None),
            ("/io/personal-files/a%2Fb", Some(Door::S3)),
            ("/iox", None),
            ("/davx/", None),
            ("/%61/tree", None),
        ] {
            assert_eq!(door("GET", path, &[]), expected, "{path}");
        }
    }

    #[test]
    fn the_root_goes_to_whoever_is_meant() {
        assert_eq!(door("GET", "/", &[]), None);
        assert_eq!(door("PROPFIND", "/", &[]), Some(Door::Dav));
        assert_eq!(door("OPTIONS", "*", &[]), Some(Door::Dav));
        assert_eq!(door("GET", "/?get_action=ping", &[]), Some(Door::Pydio8));
        assert_eq!(door("GET", "/", &[("authorization", "Basic eDp5")]), None);
    }

    #[test]
    fn what_no_mount_covers_goes_to_who_recognizes_it() {
        let own = [("x-pydio-bearer", "t")];
        assert_eq!(door("GET", "/", &own), Some(Door::S3));
        assert_eq!(door("PUT", "/bucket/key", &own), Some(Door::S3));
        assert_eq!(door("PUT", "/dav/key", &own), Some(Door::Dav));
        assert_eq!(door("PUT", "/bucket/key", &[]), None);
    }

    /// Nothing pretends to have stored what came without credentials and outside of all mounts.
    #[tokio::test]
    async fn what_nobody_recognizes_is_not_there() {
        for method in ["PUT", "POST", "DELETE", "GET", "HEAD", "OPTIONS", "MKCOL", "PROPFIND"] {
            for uri in ["/bucket", "/bucket/", "/bucket/key", "/bucket?versioning"] {
                let asked = http::Request::builder().method(method).uri(uri).body(empty()).unwrap();
                assert_eq!(nobody(asked).await.status(), 404, "{method} {uri}");
            }
        }
        for method in ["PUT", "DELETE"] {
            let asked = http::Request::builder().method(method).uri("/").body(empty()).unwrap();
            assert_eq!(nobody(asked).await.status(), 404, "{method} /");
        }
    }

    #[test]
    fn a_host_may_be_one_protocols() {
        for host in ["s3.example.org", "bucket.s3.example.org", "bucket.s3.example.org:8080"] {
            assert_eq!(door("GET", "/dav/x", &[("host", host)]), Some(Door::S3), "{host}");
            assert_eq!(door("GET", "/", &[("host", host)]), Some(Door::S3), "{host}");
        }
        assert_eq!(door("GET", "/dav/x", &[("host", "example.org")]), Some(Door::Dav));
        assert_eq!(door("GET", "/dav/x", &[("host", "[::1]:8080")]), Some(Door::Dav));
    }
}
