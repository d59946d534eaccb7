//! `ls` with `recursive=true`: folders keep their children inside.
//!
//! The document is written while the tree is read. An error behind its beginning breaks it off: a
//! client must not take half a tree for the whole.

use bytes::Bytes;
use cellgate_core::NodePath;
use cellgate_core::error::Error;
use cellgate_core::http::{Response, settle};
use futures_util::future::BoxFuture;
use futures_util::stream;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use tokio::sync::mpsc;

use crate::call::Call;
use crate::error::Fault;
use crate::ops::ls::gather::gather;
use crate::ops::ls::{Options, View, is_filled, prefix_of, wants_pagination};
use crate::render::XML;
use crate::render::node::Row;
use crate::render::xml::Xml;

/// The document goes out in pieces of about this size.
const PIECE_BYTES: usize = 32 * 1024;

pub async fn respond(call: Call, options: Options, path: NodePath, folder: Row) -> Result<Response, Fault> {
    let view = View::of(&call, options, &path).await?;
    let limit = |name| call.params.filled(name).and_then(|text| text.parse::<u64>().ok()).filter(|n| *n > 0);
    let (send, receive) = mpsc::channel(4);
    let walker = Walker {
        max_depth: limit("max_depth"),
        nodes_left: limit("max_nodes"),
        call,
        options,
        view,
        xml: Xml::document(),
        send,
    };
    tokio::spawn(walker.run(path, folder));
    let pieces =
        stream::unfold(
            receive,
            |mut receive| async move { receive.recv().await.map(|piece| (piece, receive)) },
        );
    let mut response = Response::new(settle(Box::pin(pieces)).await?);
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(XML));
    Ok(response)
}

struct Walker {
    call: Call,
    options: Options,
    view: View,
    max_depth: Option<u64>,
    nodes_left: Option<u64>,
    xml: Xml,
    send: mpsc::Sender<Result<Bytes, Error>>,
}

/// Nobody reads any more.
struct Gone;

impl Walker {
    async fn run(mut self, path: NodePath, folder: Row) {
        let root = self.view.root(&folder, &path);
        self.xml.open("tree", root.xml());
        match self.children(&path, 1).await {
            Ok(Ok(())) => {
                self.xml.close("tree");
                let _ = self.flush().await;
            }
            Ok(Err(Gone)) => {}
            Err(error) => {
                // The reader may be gone; then nobody is to be told.
                let _ = self.send.send(Err(error)).await;
            }
        }
    }

    fn children<'a>(
        &'a mut self,
        path: &'a NodePath,
        depth: u64,
    ) -> BoxFuture<'a, Result<Result<(), Gone>, Error>> {
        Box::pin(async move {
            let slice = match gather(&self.call, self.options, path, 1).await {
                // A folder inside that the caller may not read is shown, and nothing in it.
                Err(Error::Denied { .. }) if depth > 1 => return Ok(Ok(())),
                slice => slice?,
            };
            if wants_pagination(&self.call, &slice.pagination) {
                slice.pagination.write(&mut self.xml);
            }
            let ids: Vec<_> = slice.rows.iter().map(|row| row.id).collect();
            let locks = self.view.locks(&self.call.tree, &ids).await?;
            let prefix = prefix_of(path);
            for row in &slice.rows {
                match &mut self.nodes_left {
                    Some(0) => break,
                    Some(left) => *left -= 1,
                    None => {}
                }
                let shown = format!("{prefix}/{}", row.name);
                let locked = locks.get(&row.id).copied();
                if !row.is_collection() {
                    self.xml.empty("tree", self.view.node(row, &shown, locked, None).xml());
                } else {
                    let child = path.join(&row.name)?;
                    let cut = self.max_depth.is_some_and(|max| depth >= max) || self.nodes_left == Some(0);
                    if cut {
                        let has_children = is_filled(&self.call.tree, &child).await?;
                        let attributes = self.view.node(row, &shown, locked, Some(has_children));
                        self.xml.empty("tree", attributes.xml());
                    } else {
                        self.xml.open("tree", self.view.node(row, &shown, locked, None).xml());
                        if self.children(&child, depth + 1).await?.is_err() {
                            return Ok(Err(Gone));
                        }
                        self.xml.close("tree");
                    }
                }
                if self.xml.len() >= PIECE_BYTES && self.flush().await.is_err() {
                    return Ok(Err(Gone));
                }
            }
            Ok(Ok(()))
        })
    }

    async fn flush(&mut self) -> Result<(), Gone> {
        let piece = std::mem::replace(&mut self.xml, Xml::fragment()).finish();
        self.send.send(Ok(piece.into())).await.map_err(|_| Gone)
    }
}
