use std::os::unix::net::UnixStream;

use super::*;

/// A reader that takes a line whenever it is let.
struct Stuck {
    come: Sender<Vec<u8>>,
    go: Receiver<()>,
}

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.come.send(bytes.to_vec());
        let _ = self.go.recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const LONG: Duration = Duration::from_secs(20);

#[test]
fn a_stuck_reader_costs_lines_and_no_time() {
    let ((come, seen), (go, stop)) = (channel(), channel());
    let outbox = Outbox::start("test", 10, false, Stuck { come, go: stop }, |_| {}).unwrap();
    outbox.send("first\n".to_owned()).unwrap();
    assert_eq!(seen.recv_timeout(LONG), Ok(b"first\n".to_vec()));
    let taken = (0..25).filter(|i| outbox.send(format!("{i}\n")).is_ok()).count();
    assert_eq!(taken, 9, "the line that is being written counts too");
    assert_eq!(outbox.send("one more\n".to_owned()), Err(Refused::Full));
    outbox.flush();
    assert_eq!(outbox.send("still stuck\n".to_owned()), Err(Refused::Full));
    drop(go);
    assert_eq!(
        seen.recv_timeout(LONG),
        Ok(b"0\n1\n2\n3\n4\n5\n6\n7\n8\n".to_vec()),
        "what waits goes together"
    );
    outbox.flush();
    assert_eq!(outbox.send("again\n".to_owned()), Ok(()));
}

#[test]
fn lines_that_wait_go_together_as_far_as_a_pipe_takes_them_whole() {
    let ((come, seen), (go, stop)) = (channel(), channel());
    let outbox = Outbox::start("test", 100, false, Stuck { come, go: stop }, |_| {}).unwrap();
    let line = |n: u8| format!("{}\n", char::from(b'a' + n).to_string().repeat(1499));
    outbox.send(line(0)).unwrap();
    assert_eq!(seen.recv_timeout(LONG), Ok(line(0).into_bytes()));
    (1..6).for_each(|n| outbox.send(line(n)).unwrap());
    drop(go);
    for texts in [line(1) + &line(2), line(3) + &line(4), line(5)] {
        assert_eq!(seen.recv_timeout(LONG), Ok(texts.into_bytes()));
    }
}

#[test]
fn what_was_sent_before_a_flush_is_written_after_it() {
    let (mut reader, writer) = UnixStream::pair().unwrap();
    let outbox = Outbox::start("test", 100, false, writer, |_| {}).unwrap();
    (0..50).for_each(|i| outbox.send(format!("{i}\n")).unwrap());
    outbox.flush();
    reader.set_nonblocking(true).unwrap();
    let mut text = [0; 1000];
    let len = io::Read::read(&mut reader, &mut text).unwrap();
    assert_eq!(text[..len].split(|&b| b == b'\n').count(), 51);
}

#[test]
fn a_reader_that_is_gone_is_noticed() {
    let (reader, writer) = UnixStream::pair().unwrap();
    let outbox = Outbox::start("test", 10, false, writer, |_| {}).unwrap();
    drop(reader);
    assert_eq!(outbox.send("x\n".to_owned()), Ok(()));
    outbox.flush();
    assert_eq!(outbox.send("y\n".to_owned()), Err(Refused::Closed));
}

#[test]
fn whoever_is_patient_sends_on() {
    let (reader, writer) = UnixStream::pair().unwrap();
    let outbox = Outbox::start("test", 10, true, writer, |_| {}).unwrap();
    drop(reader);
    for _ in 0..30 {
        assert_eq!(outbox.send("x\n".to_owned()), Ok(()));
        outbox.flush();
    }
}

/// A disk that has no room for the first line.
struct Disk(bool, Sender<Vec<u8>>);

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if std::mem::replace(&mut self.0, false) {
            return Err(ErrorKind::StorageFull.into());
        }
        let _ = self.1.send(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_costs_its_lines_only() {
    let (out, seen) = channel();
    let outbox = Outbox::start("test", 10, false, Disk(true, out), |_| {}).unwrap();
    outbox.send("lost\n".to_owned()).unwrap();
    outbox.flush();
    outbox.send("kept\n".to_owned()).unwrap();
    assert_eq!(seen.recv_timeout(LONG), Ok(b"kept\n".to_vec()));
}
