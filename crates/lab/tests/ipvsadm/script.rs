//! The table of cases: see the head of cases.txt.

/// One case: command lines from a table.
pub(crate) struct Case {
    /// Its line in the file, and what stands there.
    pub(crate) title: String,
    pub(crate) setup: Vec<String>,
    /// Both programs look at one namespace: the order of this table is the kernel's own.
    pub(crate) shared: bool,
    pub(crate) commands: Vec<Line>,
}

/// One command line with its standard input.
pub(crate) struct Line {
    /// `ipvsadm`, `ipvsadm-save` or `ipvsadm-restore`.
    pub(crate) program: String,
    pub(crate) words: Vec<String>,
    pub(crate) input: String,
}

/// Reads the cases.
pub(crate) fn cases(text: &str) -> Vec<Case> {
    let mut setup = Vec::new();
    let mut shared = false;
    let mut all = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.starts_with("# ") || line.is_empty() {
            continue;
        }
        if let Some(rules) = line.strip_prefix("setup:").or_else(|| line.strip_prefix("shared:")) {
            shared = line.starts_with("shared:");
            setup = rules.split(" ; ").map(|r| r.trim().to_owned()).filter(|r| !r.is_empty()).collect();
            continue;
        }
        let title = format!("cases.txt:{}: {line}", number + 1);
        all.push(Case {
            title,
            setup: setup.clone(),
            shared,
            commands: line.split(" ; ").map(Line::read).collect(),
        });
    }
    all
}

/// Cases that follow one another and begin with the same table.
pub(crate) fn groups(all: &[Case]) -> impl Iterator<Item = &[Case]> {
    all.chunk_by(|a, b| a.setup == b.setup && a.shared == b.shared)
}

impl Line {
    pub(crate) fn read(text: &str) -> Self {
        let mut parts = text.split(" | ");
        let mut words = words(parts.next().unwrap_or_default());
        let scripted = words.first().is_some_and(|w| w.starts_with("ipvsadm-"));
        let program = if scripted { words.remove(0) } else { "ipvsadm".to_owned() };
        let input = parts.map(|line| format!("{line}\n")).collect();
        Self { program, words, input }
    }
}

/// Words between blanks; single quotes hold blanks and nothing.
fn words(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    for c in text.trim().chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => all.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    all.extend(word);
    all
}
