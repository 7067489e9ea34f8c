//! What is said over connections: pages of web servers, questions at the tools' sockets, documents for the table.

use tcpcheck::web::{Answer, LARGEST};

/// The answer of a web server, as it comes in piece by piece.
pub fn http(bytes: &[u8]) {
    let whole = Answer::read(bytes, true);
    assert!(!matches!(whole, Ok(None)), "an ended answer is complete or wrong");
    if let Ok(Some(answer)) = &whole {
        assert!(answer.body.len() <= bytes.len().min(LARGEST));
    }
    // What is complete early stays so, whatever follows.
    let early =
        (0..bytes.len()).rev().take(64).filter_map(|n| Answer::read(&bytes[..n], false).ok().flatten());
    for answer in early {
        assert_eq!(Answer::read(bytes, false).ok().flatten().map(|a| a.status), Some(answer.status));
    }
}

/// Lines of text and JSON from whoever may open a socket, or hands a document to ipvsctl.
pub fn questions(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = serde_json::from_str::<vrrpd::control::Question>(text);
    let _ = text.parse::<tcpcheck::drains::Drained>();
    if let Ok(document) = serde_json::from_str::<ipvsctl::document::Document>(text) {
        if let Ok(table) = document.table() {
            let ops = lvs_core::plan::diff(
                &lvs_core::table::Table::default(),
                &table,
                &lvs_core::plan::Scope::Everything,
            );
            assert_eq!(ops.is_empty(), table.services.is_empty());
        }
    }
    let _ = lvs_core::time::parse_duration(text);
}
