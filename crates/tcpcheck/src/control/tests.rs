use super::*;

/// A folder of its own for a test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tcpcheck-control-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn listen(path: &Path) -> Result<Control, String> {
    Control::listen(path, &Engine::new(1).unwrap()).map_err(|e| e.to_string())
}

#[test]
fn what_is_no_socket_stays_and_its_path_is_named() {
    let folder = Folder::new("file");
    let file = folder.0.join("precious");
    fs::write(&file, "data").unwrap();
    let long = folder.0.join("x".repeat(120));
    let nowhere = folder.0.join("none/sock");
    for path in [&file, &folder.0, &long, &nowhere] {
        let why = listen(path).err().unwrap();
        assert!(why.starts_with(&path.display().to_string()), "{why}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "data");
}

#[test]
fn a_socket_that_answers_is_not_taken_over_and_a_leftover_is() {
    let folder = Folder::new("taken");
    let path = folder.0.join("sock");
    let first = listen(&path).unwrap();
    let why = listen(&path).err().unwrap();
    assert!(why.contains("another program answers here"), "{why}");
    UnixStream::connect(&path).unwrap();
    drop(first);
    assert!(!path.exists());
    drop(UnixListener::bind(&path).unwrap());
    listen(&path).unwrap();
}

#[test]
fn at_the_end_only_its_own_socket_goes() {
    let folder = Folder::new("own");
    let path = folder.0.join("sock");
    let control = listen(&path).unwrap();
    fs::rename(&path, folder.0.join("moved")).unwrap();
    let _other = UnixListener::bind(&path).unwrap();
    drop(control);
    UnixStream::connect(&path).unwrap();
}

#[test]
fn who_says_that_nothing_more_comes_is_still_answered() {
    let folder = Folder::new("half");
    let path = folder.0.join("sock");
    let mut engine = Engine::new(1).unwrap();
    let mut control = Control::listen(&path, &engine).unwrap();
    let mut heard = |say: &str| {
        let mut client = UnixStream::connect(&path).unwrap();
        client.write_all(say.as_bytes()).unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let (mut done, mut events) = (Vec::new(), Vec::new());
        let end = lvs_core::sys::clock::now() + std::time::Duration::from_secs(10);
        loop {
            engine.turn(Some(end), &mut done, &mut events).unwrap();
            for event in events.drain(..) {
                match control.ready(event, &engine) {
                    Heard::Nothing => {}
                    Heard::End => return None,
                    Heard::Request(line) => {
                        assert!(control.answer(event.token, format!("you said {line}"), &engine));
                        let mut answer = String::new();
                        client.read_to_string(&mut answer).unwrap();
                        return Some(answer);
                    }
                }
            }
            assert!(lvs_core::sys::clock::now() < end, "nothing was heard");
        }
    };
    assert_eq!(heard("status\n").as_deref(), Some("you said status"));
    assert_eq!(heard("stat"), None, "half a line is no request");
}
