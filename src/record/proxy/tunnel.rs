//! Web sockets: passed through, not recorded.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

use super::forward::{Answer, Client};

pub fn wanted(request: &Request<Incoming>) -> bool {
    let upgrade = request.headers().get(header::UPGRADE);
    upgrade.is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Joins both connections once the answer, which is 101, has gone to the client.
pub fn open(client: &Client, socket: OnUpgrade, mut response: Response<Incoming>) -> Answer {
    client.shared.tunnels.fetch_add(1, Ordering::Relaxed);
    let upstream = hyper::upgrade::on(&mut response);
    let mut stopped = client.stopped.clone();
    tokio::spawn(async move {
        let Ok((client, upstream)) = tokio::try_join!(socket, upstream) else { return };
        let (mut client, mut upstream) = (TokioIo::new(client), TokioIo::new(upstream));
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut client, &mut upstream) => {}
            () = super::told(&mut stopped) => {}
        }
    });
    let empty = Empty::<Bytes>::new().map_err(|never| match never {});
    Response::from_parts(response.into_parts().0, empty.boxed_unsync())
}
