//! A node's attributes (`reference` 3.4), in the order of the original's documents.
//!
//! Not shown: what needs a feature that is not built (bookmarks, shares, comments, user metadata,
//! image sizes), and `ajxp_browsable_archive` on `.zip` files, which would make clients list them
//! as folders. Times read in UTC: the protocol does not say where its user is.

use std::borrow::Cow;

use cellgate_core::node::{Node, NodeId, NodeKind};
use cellgate_core::workspace::RECYCLE_BIN;
use serde_json::{Map, Value as Json};
use time::OffsetDateTime;

/// A node as a listing keeps it while it sorts: no more than it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub id: NodeId,
    pub name: String,
    pub kind: NodeKind,
    pub size: u64,
    pub mtime_s: i64,
}

impl From<&Node> for Row {
    fn from(node: &Node) -> Self {
        Self {
            id: node.id,
            name: node.name.clone(),
            kind: node.kind,
            size: node.size,
            mtime_s: node.mtime_s(),
        }
    }
}

impl Row {
    pub fn is_collection(&self) -> bool {
        self.kind == NodeKind::Collection
    }
}

/// Where a node is shown, and what is known beside its row.
#[derive(Debug, Clone, Default)]
pub struct Show<'a> {
    /// Path inside the workspace.
    pub path: &'a str,
    pub readonly: bool,
    /// The element around a listing. That of the workspace itself has no name.
    pub root: bool,
    /// The short form of `ls` without `l`.
    pub short: bool,
    /// `repo_has_recycle`.
    pub has_recycle: bool,
    /// The recycle bin, and whether something is in it.
    pub bin: Option<bool>,
    /// Whether children exist, on a collection where a recursive listing stops.
    pub has_children: Option<bool>,
    /// Locked, and whether by the caller.
    pub locked: Option<bool>,
    /// In a diff: the workspace's id.
    pub workspace: Option<&'a str>,
    /// In an update: the path before.
    pub original: Option<&'a str>,
    /// Seconds since the epoch, the same for a whole answer.
    pub now_s: i64,
}

/// A value as XML and JSON tell it apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Word(&'static str),
    Number(i64),
    /// `1` in XML, `true` in JSON: owner and group are booleans by an accident of the original.
    Yes,
}

/// Attributes in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes(pub Vec<(&'static str, Value)>);

impl Attributes {
    pub fn xml(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        self.0.iter().map(|(name, value)| {
            let value = match value {
                Value::Text(text) => Cow::Borrowed(text.as_str()),
                Value::Word(word) => Cow::Borrowed(*word),
                Value::Number(number) => Cow::Owned(number.to_string()),
                Value::Yes => Cow::Borrowed("1"),
            };
            (*name, value)
        })
    }

    /// JSON renames three of them.
    pub fn json(&self) -> Json {
        let mut object = Map::new();
        for (name, value) in &self.0 {
            let value = match value {
                Value::Text(text) => Json::from(text.as_str()),
                Value::Word(word) => Json::from(*word),
                Value::Number(number) => Json::from(*number),
                Value::Yes => Json::Bool(true),
            };
            let (name, value) = match *name {
                "filename" => ("path", value),
                "text" => ("label", value),
                "is_file" => ("type", Json::from(if value == "true" { "leaf" } else { "collection" })),
                name => (name, value),
            };
            object.insert(name.to_owned(), value);
        }
        Json::Object(object)
    }
}

/// Describes a node.
pub fn attributes(row: &Row, show: &Show<'_>) -> Attributes {
    let mut out: Vec<(&'static str, Value)> = Vec::with_capacity(20);
    let mut put = |name, value| out.push((name, value));
    let collection = row.is_collection();
    let kind = kind_of(row, show);
    let nameless = show.root && show.path == "/";
    let text = match show.bin {
        _ if nameless => String::new(),
        Some(_) => "Recycle Bin".to_owned(),
        None => row.name.clone(),
    };
    let is_file = Value::Word(if collection { "false" } else { "true" });
    let path = Value::Text(show.path.to_owned());

    if show.has_recycle {
        put("repo_has_recycle", Value::Text(format!("/{RECYCLE_BIN}")));
    }
    // Folders begin with their name, files with their kind, the workspace ends with it: documents of
    // the original do, and some of its scripts cut attributes out of the text.
    if collection && !nameless {
        put("text", Value::Text(text.clone()));
    }
    put("is_file", is_file);
    if !collection {
        put("text", Value::Text(text.clone()));
    }
    put("filename", path);
    if !show.short {
        put("mimestring_id", Value::Number(kind.id));
        put("icon", Value::Word(kind.icon));
        put("fonticon", Value::Word(kind.font));
        if collection {
            put("openicon", Value::Word("folder_open.png"));
            put("ajxp_mime", Value::Word(if show.bin.is_some() { "ajxp_recycle" } else { "ajxp_folder" }));
        }
        put("file_group", Value::Yes);
        put("file_owner", Value::Yes);
        put("ajxp_readonly", Value::Word(if show.readonly { "true" } else { "false" }));
        put("file_perms", Value::Word(if collection { "0755" } else { "0644" }));
    }
    put("ajxp_modiftime", Value::Number(row.mtime_s));
    put("bytesize", Value::Number(if collection { 0 } else { i64::try_from(row.size).unwrap_or(i64::MAX) }));
    let when = relative_time(row.mtime_s, show.now_s);
    let description = format!("Modified {when}");
    put("ajxp_relativetime", Value::Text(when));
    put("ajxp_description", Value::Text(description));
    if !collection && row.size > 0 {
        put("filesize", Value::Text(human_size(row.size)));
    }
    if let (Some(name), false) = (kind.name, show.root) {
        put("mimestring", Value::Word(name));
    }
    if let Some(has_children) = show.has_children {
        put("ajxp_has_children", Value::Word(if has_children { "true" } else { "false" }));
    }
    if let Some(mine) = show.locked {
        put("sl_locked", Value::Word("true"));
        if mine {
            put("sl_mylock", Value::Word("true"));
        }
    }
    if nameless {
        put("text", Value::Text(text));
    }
    if let Some(workspace) = show.workspace {
        put("node_repository_id", Value::Text(workspace.to_owned()));
    }
    if let Some(original) = show.original {
        put("original_path", Value::Text(original.to_owned()));
    }
    put("ajxp_im_time", Value::Number(show.now_s));
    Attributes(out)
}

struct Kind {
    id: i64,
    icon: &'static str,
    font: &'static str,
    name: Option<&'static str>,
}

fn kind_of(row: &Row, show: &Show<'_>) -> Kind {
    let kind = |id, icon, font, name| Kind { id, icon, font, name: Some(name) };
    if row.is_collection() {
        return match show.bin {
            Some(false) => Kind { id: 122, icon: "trashcan.png", font: "delete", name: None },
            Some(true) => Kind { id: 122, icon: "trashcan_full.png", font: "delete", name: None },
            None => kind(8, "folder.png", "folder", "Directory"),
        };
    }
    let extension = row.name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref().unwrap_or_default() {
        "txt" => kind(10, "txt2.png", "file-document", "Text File"),
        "gif" => kind(12, "image.png", "file-image", "GIF Picture"),
        "jpg" | "jpeg" => kind(13, "image.png", "file-image", "JPG Picture"),
        "zip" => kind(19, "zip.png", "archive", "ZIP File"),
        "bmp" => kind(56, "image.png", "file-image", "BMP Picture"),
        "png" => kind(57, "image.png", "file-image", "PNG Picture"),
        "css" => kind(58, "css.png", "file-xml", "CSS File"),
        "mp3" => kind(59, "sound.png", "file-music", "MP3 File"),
        "xls" | "xlsx" | "ods" | "csv" => kind(64, "spreadsheet.png", "file-excel", "Spreadsheet"),
        "doc" | "docx" => kind(65, "word.png", "file-word", "Word Document"),
        "pdf" => kind(79, "pdf.png", "file-pdf", "PDF File"),
        _ => kind(23, "mime_empty.png", "file", "File"),
    }
}

/// `12 B`, `12.06 KB`, `1.5 MB`.
fn human_size(bytes: u64) -> String {
    let mut unit = "B";
    let mut divisor = 1_u64;
    for (next, name) in [(1 << 10, "KB"), (1 << 20, "MB"), (1 << 30, "GB"), (1 << 40, "TB")] {
        if bytes >= next {
            (divisor, unit) = (next, name);
        }
    }
    let hundredths = (u128::from(bytes) * 100 + u128::from(divisor) / 2) / u128::from(divisor);
    let (whole, part) = (hundredths / 100, hundredths % 100);
    match part {
        0 => format!("{whole} {unit}"),
        part if part % 10 == 0 => format!("{whole}.{} {unit}", part / 10),
        part => format!("{whole}.{part:02} {unit}"),
    }
}

/// `today at 10:02`, `yesterday at 10:02`, `3 days ago`, `on March, 4th 2020`.
fn relative_time(at_s: i64, now_s: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(at_s).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let clock = format!("{:02}:{:02}", at.hour(), at.minute());
    match now_s.div_euclid(86_400) - at_s.div_euclid(86_400) {
        0 => format!("today at {clock}"),
        1 => format!("yesterday at {clock}"),
        days @ 2..=6 => format!("{days} days ago"),
        _ => {
            let day = at.day();
            let suffix = match (day % 10, day) {
                (_, 11..=13) => "th",
                (1, _) => "st",
                (2, _) => "nd",
                (3, _) => "rd",
                _ => "th",
            };
            format!("on {}, {day}{suffix} {}", at.month(), at.year())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, kind: NodeKind, size: u64) -> Row {
        Row { id: NodeId(1), name: name.into(), kind, size, mtime_s: 1_700_000_000 }
    }

    fn shown(row: &Row, show: &Show<'_>) -> Vec<(String, String)> {
        let attributes = attributes(row, show);
        attributes.xml().map(|(name, value)| (name.to_owned(), value.into_owned())).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_file_shows_what_the_reference_shows() {
        let file = row("a.pdf", NodeKind::Leaf, 12_345);
        let show = Show { path: "/docs/a.pdf", now_s: 1_700_090_000, ..Show::default() };
        let expected = pairs(&[
            ("is_file", "true"),
            ("text", "a.pdf"),
            ("filename", "/docs/a.pdf"),
            ("mimestring_id", "79"),
            ("icon", "pdf.png"),
            ("fonticon", "file-pdf"),
            ("file_group", "1"),
            ("file_owner", "1"),
            ("ajxp_readonly", "false"),
            ("file_perms", "0644"),
            ("ajxp_modiftime", "1700000000"),
            ("bytesize", "12345"),
            ("ajxp_relativetime", "yesterday at 22:13"),
            ("ajxp_description", "Modified yesterday at 22:13"),
            ("filesize", "12.06 KB"),
            ("mimestring", "PDF File"),
            ("ajxp_im_time", "1700090000"),
        ]);
        assert_eq!(shown(&file, &show), expected);
    }

    #[test]
    fn the_workspace_bears_no_name_and_the_bin_its_own() {
        let folder = row("personal-files", NodeKind::Collection, 0);
        let root = shown(&folder, &Show { path: "/", root: true, has_recycle: true, ..Show::default() });
        assert_eq!(root[0], ("repo_has_recycle".into(), "/recycle_bin".into()));
        assert!(root.contains(&("text".into(), String::new())));
        assert!(!root.iter().any(|(name, _)| name == "mimestring"));
        let folder = row("docs", NodeKind::Collection, 0);
        let root = shown(&folder, &Show { path: "/docs", root: true, ..Show::default() });
        assert_eq!(root[0], ("text".into(), "docs".into()));
        assert_eq!(root.iter().filter(|(name, _)| name == "text").count(), 1);

        let bin = row("recycle_bin", NodeKind::Collection, 0);
        let bin = shown(&bin, &Show { path: "/recycle_bin", bin: Some(false), ..Show::default() });
        for expected in pairs(&[
            ("text", "Recycle Bin"),
            ("icon", "trashcan.png"),
            ("fonticon", "delete"),
            ("mimestring_id", "122"),
            ("ajxp_mime", "ajxp_recycle"),
        ]) {
            assert!(bin.contains(&expected), "{expected:?}");
        }
        assert!(!bin.iter().any(|(name, _)| name == "mimestring"));
    }

    #[test]
    fn json_renames_and_keeps_numbers() {
        let file = row("a.txt", NodeKind::Leaf, 5);
        let json = attributes(&file, &Show { path: "/a.txt", ..Show::default() }).json();
        assert_eq!(json["path"], "/a.txt");
        assert_eq!(json["label"], "a.txt");
        assert_eq!(json["type"], "leaf");
        assert_eq!(json["bytesize"], 5);
        assert_eq!(json["file_owner"], true);
        for gone in ["filename", "is_file", "text"] {
            assert!(json.get(gone).is_none(), "{gone}");
        }
    }

    #[test]
    fn sizes_and_times_for_people() {
        let sizes = [
            (12, "12 B"),
            (12_345, "12.06 KB"),
            (1_572_864, "1.5 MB"),
            (2_147_483_648, "2 GB"),
            (1_024, "1 KB"),
        ];
        for (bytes, text) in sizes {
            assert_eq!(human_size(bytes), text);
        }
        // 2020-03-14T10:02:00Z
        let now = 1_584_180_120;
        let times = [
            (now, "today at 10:02"),
            (now - 86_400, "yesterday at 10:02"),
            (now - 3 * 86_400, "3 days ago"),
            (now - 10 * 86_400, "on March, 4th 2020"),
            (now - 11 * 86_400, "on March, 3rd 2020"),
            (now - 13 * 86_400, "on March, 1st 2020"),
        ];
        for (at, text) in times {
            assert_eq!(relative_time(at, now), text);
        }
    }
}
