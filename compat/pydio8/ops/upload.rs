//! `upload`: a file in a form, or as the body itself.
//!
//! Failures are HTTP 200 in plain text, `message (code)`: clients look for the code in brackets.
//! A file sent in parts is appended part by part (`appendto_urlencoded_part`); every append writes
//! the file anew, so that readers see the file before or after it and never a mixture.
//!
//! Known gaps: parts of a raw body (`X-Append-To`, `X-Partial-Upload`; the original's own code for
//! the first is broken), the HTML answer of `simple_uploader`, which gets the XML one. Parts cost a
//! copy of what is there already.

use cellgate_core::NodePath;
use cellgate_core::error::Error;
use cellgate_core::http::Response;
use cellgate_core::http::conditional::{Conditions, ETags};
use cellgate_core::ports::ByteStream;
use cellgate_core::tree::{Existing, ReadOptions, Transfer, Write, Written};
use futures_util::{StreamExt, TryStreamExt, stream};
use http::StatusCode;

use crate::body::FilePart;
use crate::call::Call;
use crate::error::{Fault, upload_code};
use crate::ops::transfer::numbered;
use crate::params::decode_form;
use crate::place::{folder_of, inside, name_of};
use crate::render::envelope::Envelope;
use crate::render::node::{Attributes, Value};
use crate::render::{TEXT, blank, ok};

/// How many names are tried before the core picks one.
const NAMES: u32 = 1_000;

pub async fn upload(call: Call, file: Option<FilePart>) -> Result<Response, Fault> {
    let Some(file) = file else {
        return Ok(refusal("No file was sent", 411));
    };
    let stored = match store(&call, file).await {
        Ok(stored) => stored,
        Err(fault) => return refuse(&call, fault),
    };
    let wanted = ["xhr_uploader", "force_post", "simple_uploader"];
    if !wanted.iter().any(|name| call.params.has(name)) {
        return Ok(blank());
    }
    let mut envelope = Envelope::default();
    if let Some(written) = stored {
        let original = inside(&written.path);
        let mut node = call.shown(&written.node, &written.path, (!written.created).then_some(&original));
        if call.params.is_true("hash") {
            with_hash(&mut node, &written.node.etag);
        }
        let list = if written.created { &mut envelope.diff.add } else { &mut envelope.diff.update };
        list.push(node);
    }
    Ok(envelope.respond(StatusCode::OK, call.format))
}

/// The file, or nothing yet: a part of one.
type Stored = Option<Written>;

async fn store(call: &Call, file: FilePart) -> Result<Stored, Fault> {
    if file.raw && ["x-append-to", "x-partial-upload"].iter().any(|name| call.headers.contains_key(*name)) {
        return Err(Fault::NotBuilt("A raw upload in parts".into()));
    }
    let name = file_name(call, &file)?;
    let folder = folder(call, &name);
    let appended = call.params.filled("appendto_urlencoded_part").map(|name| decode_form(name.as_bytes()));
    let whole = call.place.child(&folder, appended.as_deref().unwrap_or(&name))?;
    if call.params.is_true("partial_upload") {
        let partial = call.place.child(&folder, &format!("{}.dlpart", name_of(&whole)))?;
        let written = match appended {
            Some(_) => append(call, &partial, file).await?,
            None => write(call, &partial, file, Write::default()).await?,
        };
        return complete(call, written, &whole).await;
    }
    if appended.is_some() {
        // Never renamed: the first part has the name, and this is its continuation.
        return Ok(Some(append(call, &whole, file).await?));
    }
    if renames(call, &file) {
        let free = free_name(call, &whole).await?;
        let how = Write { existing: Existing::Rename, ..Write::default() };
        return Ok(Some(write(call, &free, file, how).await?));
    }
    Ok(Some(write(call, &whole, file, Write::default()).await?))
}

/// Gives a file that has all its bytes its own name.
async fn complete(call: &Call, written: Written, whole: &NodePath) -> Result<Stored, Fault> {
    let size = call.params.filled("partial_target_bytesize").and_then(|size| size.parse::<u64>().ok());
    if size.is_none_or(|size| written.node.size < size) {
        return Ok(None);
    }
    let renamed = call.tree.rename(&written.path, whole, &Transfer::default()).await?;
    Ok(Some(renamed))
}

async fn write(call: &Call, path: &NodePath, file: FilePart, how: Write) -> Result<Written, Error> {
    let how = Write { size: file.size, ..how };
    call.tree.write(path, never_empty(file.bytes), how).await
}

/// Writes what is there followed by the part, unless it changes meanwhile.
async fn append(call: &Call, path: &NodePath, file: FilePart) -> Result<Written, Error> {
    let read = match call.tree.read(path, &ReadOptions::default()).await {
        Ok(read) => read,
        Err(Error::NotFound(_)) => {
            let how = Write { existing: Existing::Refuse, ..Write::default() };
            return write(call, path, file, how).await;
        }
        Err(error) => return Err(error),
    };
    let unchanged = ETags::List(vec![read.node.etag.clone()]);
    let how = Write {
        conditions: Conditions { if_match: Some(unchanged), ..Conditions::default() },
        size: file.size.map(|size| size.saturating_add(read.node.size)),
        ..Write::default()
    };
    let bytes = Box::pin(read.bits.into_stream().chain(never_empty(file.bytes)));
    call.tree.write(path, bytes, how).await
}

/// The original takes an upload without bytes for a failed one; clients make empty files with
/// `mkfile`.
fn never_empty(bytes: ByteStream) -> ByteStream {
    Box::pin(stream::try_unfold((bytes, false), |(mut bytes, seen)| async move {
        match bytes.try_next().await? {
            Some(piece) => {
                let seen = seen || !piece.is_empty();
                Ok(Some((piece, (bytes, seen))))
            }
            None if seen => Ok(None),
            None => Err(Error::BrokenBody("the file is empty".into())),
        }
    }))
}

/// `urlencoded_filename`, encoded once more inside the form; else what the part or the header says.
fn file_name(call: &Call, file: &FilePart) -> Result<String, Fault> {
    if let Some(name) = call.params.filled("urlencoded_filename") {
        return Ok(decode_form(name.as_bytes()));
    }
    if let Some(name) = &file.name {
        return Ok(name.clone());
    }
    let path = call.params.filled("path").and_then(|path| path.rsplit('/').next());
    path.filter(|name| !name.is_empty())
        .map(str::to_owned)
        .ok_or_else(|| Fault::text("Warning, missing either 'path' parameter or X-File-Name header."))
}

/// `dir`; without it the folder of `path` or `file`.
fn folder(call: &Call, name: &str) -> String {
    let params = &call.params;
    match params.filled("dir") {
        // Scripts that name the file twice, in the path and in the header.
        Some(dir) if call.headers.contains_key("x-file-name") && dir.strip_prefix('/') == Some(name) => {
            "/".to_owned()
        }
        Some(dir) => dir.to_owned(),
        None => {
            let path = params.filled("path").or_else(|| params.filled("file")).unwrap_or_default();
            path.rsplit_once('/').map_or("/", |(folder, _)| folder).to_owned()
        }
    }
}

/// The original renames whenever the parameter is there. The Java SDK always sends it and means
/// its value, so a literal `false` is one.
fn renames(call: &Call, file: &FilePart) -> bool {
    let header = call.headers.get("x-rename-if-exists").filter(|_| file.raw);
    call.params.get("auto_rename").is_some_and(|value| value != "false")
        || header.is_some_and(|value| value.as_bytes() != b"false")
}

/// The path, or the next one that is free: `name-1.ext`. Taken meanwhile, the core evades it.
async fn free_name(call: &Call, path: &NodePath) -> Result<NodePath, Fault> {
    for number in 0..NAMES {
        let candidate = match number {
            0 => path.clone(),
            number => call.place.child(&folder_of(path), &numbered(name_of(path), number))?,
        };
        match call.tree.stat(&candidate).await {
            Ok(_) => {}
            Err(Error::NotFound(_)) => return Ok(candidate),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(path.clone())
}

/// The ETag of a single write is the MD5 that clients compare.
fn with_hash(node: &mut Attributes, etag: &str) {
    if etag.len() == 32 {
        let last = node.0.len().saturating_sub(1);
        node.0.insert(last, ("hash", Value::Text(etag.to_owned())));
    }
}

fn refuse(call: &Call, fault: Fault) -> Result<Response, Fault> {
    let code = match &fault {
        Fault::Core(error) => upload_code(error),
        Fault::Text(_) | Fault::Hidden(_) => Some(411),
        Fault::NotBuilt(_) | Fault::NoWorkspaceRight => None,
    };
    match code {
        Some(412) => {
            let folder = call.params.filled("dir").unwrap_or("/");
            Ok(refusal(&format!("The directory {folder} is not writeable."), 412))
        }
        Some(code) => Ok(refusal(&fault.message(), code)),
        None => Err(fault),
    }
}

fn refusal(text: &str, code: u16) -> Response {
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    ok(TEXT, format!("{text} ({code})"))
}
