//! The document of `ls`: its root is the folder itself, not the envelope's `<tree >`.

use std::borrow::Cow;

use serde_json::json;

use crate::render::json as php;
use crate::render::node::Attributes;
use crate::render::xml::Xml;

/// Above this many entries a folder is shown in pages.
pub const UNPAGED: u64 = 500;
pub const PAGE: u64 = 200;

/// Where a listing stands among the pages of its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pagination {
    pub count: u64,
    pub dirs: u64,
    pub total: u64,
    pub current: u64,
}

impl Pagination {
    /// `total` is the original's formula: a multiple of the page size gets an empty last page.
    pub fn of(count: u64, dirs: u64, asked: u64) -> Self {
        if count <= UNPAGED {
            return Self { count, dirs, total: 1, current: 1 };
        }
        let total = count / PAGE + 1;
        Self { count, dirs, total, current: asked.clamp(1, total) }
    }

    pub fn write(&self, xml: &mut Xml) {
        xml.empty(
            "pagination",
            [
                ("count", Cow::Owned(self.count.to_string())),
                ("total", Cow::Owned(self.total.to_string())),
                ("current", Cow::Owned(self.current.to_string())),
                ("overflowMessage", Cow::Owned(format!("{}/{}", self.current, self.total))),
                ("icon", Cow::Borrowed("folder.png")),
                ("openicon", Cow::Borrowed("folder_open.png")),
                ("dirsCount", Cow::Owned(self.dirs.to_string())),
            ],
        );
    }
}

/// A listing that fits into memory: one page.
pub struct Document {
    pub root: Attributes,
    /// `None` where the client reads a single page better without.
    pub pagination: Option<Pagination>,
    /// Path and attributes, in order.
    pub children: Vec<(String, Attributes)>,
}

impl Document {
    pub fn xml(&self) -> Vec<u8> {
        let mut xml = Xml::document();
        xml.open("tree", self.root.xml());
        if let Some(pagination) = &self.pagination {
            pagination.write(&mut xml);
        }
        for (_, child) in &self.children {
            xml.empty("tree", child.xml());
        }
        xml.close("tree");
        xml.finish()
    }

    pub fn json(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if let Some(page) = &self.pagination {
            let pagination = json!({
                "count": page.count,
                "current": page.current,
                "total": page.total,
                "dirs": page.dirs,
                "remoteSort": null,
            });
            out.extend_from_slice(b"{\"pagination\":");
            out.extend(php::text(&pagination));
            out.extend_from_slice(b",\"data\":");
        }
        out.extend_from_slice(b"{\"node\":");
        out.extend(php::text(&self.root.json()));
        out.extend_from_slice(b",\"children\":");
        // By hand, because a map of ours would sort what the listing has in order.
        for (index, (path, child)) in self.children.iter().enumerate() {
            out.push(if index == 0 { b'{' } else { b',' });
            out.extend(php::text(&json!(path)));
            out.push(b':');
            out.extend(php::text(&child.json()));
        }
        // PHP cannot tell an empty object from an empty list.
        out.extend_from_slice(if self.children.is_empty() { b"[]" } else { b"}" });
        out.push(b'}');
        if self.pagination.is_some() {
            out.push(b'}');
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::node::Value;

    fn node(path: &str) -> Attributes {
        Attributes(vec![("filename", Value::Text(path.into()))])
    }

    #[test]
    fn pages_begin_above_five_hundred() {
        assert_eq!(Pagination::of(500, 0, 9), Pagination { count: 500, dirs: 0, total: 1, current: 1 });
        assert_eq!(Pagination::of(523, 12, 0), Pagination { count: 523, dirs: 12, total: 3, current: 1 });
        assert_eq!(Pagination::of(600, 0, 9).total, 4);
        assert_eq!(Pagination::of(523, 0, 9).current, 3);
    }

    #[test]
    fn pagination_is_the_first_child() {
        let document = Document {
            root: node("/"),
            pagination: Some(Pagination::of(523, 12, 1)),
            children: vec![("/a".into(), node("/a"))],
        };
        assert_eq!(
            String::from_utf8(document.xml()).unwrap(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><tree filename=\"/\">\
             <pagination count=\"523\" total=\"3\" current=\"1\" overflowMessage=\"1/3\" icon=\"folder.png\" \
             openicon=\"folder_open.png\" dirsCount=\"12\"/><tree filename=\"/a\"/></tree>"
        );
    }

    #[test]
    fn json_keeps_the_order() {
        let mut document = Document {
            root: node("/"),
            pagination: None,
            children: vec![("/b".into(), node("/b")), ("/a".into(), node("/a"))],
        };
        assert_eq!(
            String::from_utf8(document.json()).unwrap(),
            r#"{"node":{"path":"\/"},"children":{"\/b":{"path":"\/b"},"\/a":{"path":"\/a"}}}"#
        );
        document.children.clear();
        document.pagination = Some(Pagination::of(0, 0, 1));
        let json: serde_json::Value = serde_json::from_slice(&document.json()).unwrap();
        assert_eq!(
            json,
            json!({
                "pagination": {"count": 0, "current": 1, "total": 1, "dirs": 0, "remoteSort": null},
                "data": {"node": {"path": "/"}, "children": []},
            })
        );
    }
}
