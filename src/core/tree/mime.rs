//! Media types of leaves: given by a client, or guessed from the name.
//!
//! A guess follows the name: editors save under a temporary name and rename, and what a door shows
//! must not depend on that. A type that was given stays. Which of the two a type is, an attribute of
//! the leaf tells; in rows from before there was one, a type that the name alone would not lead to
//! counts as given.

use crate::node::{Attributes, Node};

/// Attribute of a leaf whose type was given.
const GIVEN: &str = "mime:given";

/// The type of a leaf by its name. TypeScript is no video, whatever the table says.
pub(crate) fn mime_of(name: &str) -> String {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    if extension.is_some_and(|extension| matches!(extension, "ts" | "tsx" | "mts" | "cts")) {
        return "text/x-typescript".to_owned();
    }
    mime_guess::from_path(name).first_raw().unwrap_or("application/octet-stream").to_owned()
}

/// The type that a client gave a leaf; `None` when it was guessed. For who writes the leaf again as
/// it was.
pub fn given_mime(node: &Node) -> Option<String> {
    let given = node.attributes.get(GIVEN).is_some() || node.mime != mime_of(&node.name);
    (node.is_leaf() && given).then(|| node.mime.clone())
}

/// The type of a leaf that is being written, with a note where it comes from.
pub(crate) fn settled(given: Option<String>, name: &str, attributes: &mut Attributes) -> String {
    match given {
        Some(given) => {
            attributes.set(GIVEN, "1");
            given
        }
        None => {
            attributes.0.remove(GIVEN);
            mime_of(name)
        }
    }
}

/// Gives a node another name, and a leaf the type that goes with it.
pub(crate) fn rename(node: &mut Node, name: &str) {
    if node.is_leaf() {
        let given = given_mime(node);
        node.mime = settled(given, name, &mut node.attributes);
    }
    name.clone_into(&mut node.name);
}
