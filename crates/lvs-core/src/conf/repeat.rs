//! `~SEQ(var, [start,] [step,] end) text` and `~LST(var, a, b) text`, `~LST({v1,v2}, {a,b}, {c,d}) text`.

/// A line that is repeated.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Repeat<'l> {
    /// The variables that change from round to round.
    pub(super) names: Vec<&'l str>,
    values: Values<'l>,
}

#[derive(Debug, PartialEq, Eq)]
enum Values<'l> {
    Sequence { start: i64, step: i64, end: i64, hex: bool },
    List(Vec<Vec<&'l str>>),
}

/// A line may be repeated this often.
const ROUNDS: u64 = 1_000_000;

/// The `~SEQ(...)` and the rest of a line that begins with one.
pub(super) fn split(line: &str) -> Option<(&str, &str)> {
    let body = line.trim_start();
    if !["~SEQ(", "~SEQx(", "~LST("].iter().any(|k| body.starts_with(k)) {
        return None;
    }
    // Without its ')' the whole line is the head, and reading it says so.
    let end = line.find(')').map_or(line.len(), |n| n + 1);
    Some(line.split_at(end))
}

/// Reads the head of a repetition, in which definitions are replaced already.
pub(super) fn parse(head: &str) -> Result<Repeat<'_>, String> {
    let body = head.trim_start();
    let (kind, inner) = body.split_once('(').unwrap_or((body, ""));
    let Some(values) = inner.strip_suffix(')') else {
        return Err("a ')' is missing after the repetition's values".to_owned());
    };
    if kind == "~LST" { parse_list(values) } else { parse_sequence(values, kind == "~SEQx") }
}

fn parse_sequence(values: &str, hex: bool) -> Result<Repeat<'_>, String> {
    let mut parts = values.split(',').map(str::trim);
    let name = parts.next().filter(|n| !n.is_empty()).ok_or("the repetition has no variable")?;
    let numbers: Vec<i64> = parts
        .map(|p| number(p).ok_or_else(|| format!("'{p}' is no whole number")))
        .collect::<Result<_, _>>()?;
    let (start, step, end) = match numbers[..] {
        [end] => (1, 1, end),
        [start, end] => (start, if end < start { -1 } else { 1 }, end),
        [start, step, end] => (start, step, end),
        _ => return Err("a sequence takes a variable and one to three numbers".to_owned()),
    };
    if step == 0 || (end < start) != (step < 0) && end != start {
        return Err(format!("a sequence from {start} to {end} in steps of {step} never ends"));
    }
    if start.abs_diff(end) / step.unsigned_abs() >= ROUNDS {
        return Err(format!("a sequence may have at most {ROUNDS} rounds"));
    }
    Ok(Repeat { names: vec![name], values: Values::Sequence { start, step, end, hex } })
}

fn number(text: &str) -> Option<i64> {
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    };
    parsed.filter(|n| n.unsigned_abs() <= u64::from(u32::MAX))
}

fn parse_list(values: &str) -> Result<Repeat<'_>, String> {
    let mut groups = groups(values).into_iter();
    let names =
        groups.next().filter(|n| n.iter().all(|n| !n.is_empty())).ok_or("the repetition has no variable")?;
    let rounds: Vec<Vec<&str>> = groups.collect();
    match rounds.iter().find(|r| r.len() != names.len()) {
        Some(r) => Err(format!("{} values for {} variables", r.len(), names.len())),
        None => Ok(Repeat { names, values: Values::List(rounds) }),
    }
}

/// Splits `a, {b, c}, d` at the outer commas.
fn groups(text: &str) -> Vec<Vec<&str>> {
    let mut out = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (group, after) = match rest.strip_prefix('{') {
            Some(inner) => inner.split_once('}').unwrap_or((inner, "")),
            None => rest.split_once(',').map_or((rest, ""), |(a, _)| (a, &rest[a.len()..])),
        };
        out.push(group.split(',').map(str::trim).collect());
        rest = after.trim_start().strip_prefix(',').unwrap_or(after).trim();
    }
    out
}

impl Repeat<'_> {
    /// The values of the variables, round after round.
    pub(super) fn rounds(&self) -> Box<dyn Iterator<Item = Vec<String>> + '_> {
        match &self.values {
            Values::List(rounds) => {
                Box::new(rounds.iter().map(|r| r.iter().map(|v| (*v).to_owned()).collect()))
            }
            Values::Sequence { start, step, end, hex } => {
                let count = start.abs_diff(*end) / step.unsigned_abs();
                Box::new((0..=count as i64).map(move |i| {
                    let n = start + i * step;
                    vec![if *hex { format!("{n:x}") } else { n.to_string() }]
                }))
            }
        }
    }
}
