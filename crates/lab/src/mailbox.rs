//! A mail server that shows what it is sent.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv6Addr, TcpListener, TcpStream};
use std::thread;

use anyhow::Result;

/// Takes mails on this port of all addresses, and prints a line for each: who says hello, sender, recipients, subject and text. Stays until it is
/// killed.
///
/// # Errors
/// When the port cannot be had.
pub fn run(port: u16) -> Result<()> {
    let listener = TcpListener::bind((Ipv6Addr::UNSPECIFIED, port))?;
    writeln!(std::io::stdout().lock(), "takes mails on {port}")?;
    thread::scope(|scope| {
        for client in listener.incoming() {
            // A client that goes away has sent nothing, and one that waits keeps no other waiting.
            scope.spawn(move || client.map_err(Into::into).and_then(|c| take(&c)));
        }
    });
    Ok(())
}

fn take(client: &TcpStream) -> Result<()> {
    let mut out = client.try_clone()?;
    let mut envelope = Vec::new();
    out.write_all(b"220 mailbox\r\n")?;
    let mut lines = BufReader::new(client).lines();
    while let Some(line) = lines.next().transpose()? {
        let (answer, word) = match line.split(' ').next().unwrap_or_default() {
            "DATA" => ("354 go on", None),
            "QUIT" => ("221 bye", None),
            "HELO" | "EHLO" => ("250 good", line.split(' ').nth(1)),
            _ => ("250 good", line.split_once(":<").and_then(|(_, rest)| rest.split('>').next())),
        };
        envelope.extend(word.map(str::to_owned));
        out.write_all(format!("{answer}\r\n").as_bytes())?;
        if line == "DATA" {
            let text: Vec<String> = lines.by_ref().map_while(Result::ok).take_while(|l| l != ".").collect();
            writeln!(std::io::stdout().lock(), "{}: {}", envelope.join(" "), in_short(&text.join("\n")))?;
            out.write_all(b"250 taken\r\n")?;
        }
    }
    Ok(())
}

/// Subject and text of a mail. A long subject goes on in the next line, after a blank (RFC 5322, 2.2.3).
fn in_short(mail: &str) -> String {
    let (head, body) = mail.split_once("\n\n").unwrap_or((mail, ""));
    let head = head.replace("\n ", " ");
    let subject = head.lines().find_map(|l| l.strip_prefix("Subject: ")).unwrap_or_default();
    format!("{subject} {}", body.trim())
}
