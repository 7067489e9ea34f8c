//! Statements and blocks, in one flat list: a block's statements follow it.

use super::lex::Word;
use super::place::Place;
use super::source::Sources;

/// A statement: its words, and where its block ends if it has one.
#[derive(Clone, Copy, Debug)]
struct Node {
    /// First word.
    words: u32,
    /// Number of words.
    count: u32,
    /// The node after this one and all inside it.
    end: u32,
    /// Whether braces follow it.
    block: bool,
    /// The line of the closing brace.
    close: u32,
}

/// The statements of a configuration with all its includes.
#[derive(Debug, Default)]
pub(super) struct Tree {
    words: Vec<Word>,
    nodes: Vec<Node>,
}

/// A statement in a tree: cheap to copy.
#[derive(Clone, Copy)]
pub(super) struct Stmt<'t> {
    tree: &'t Tree,
    sources: &'t Sources,
    node: Node,
    index: u32,
}

/// Problems of structure, for the reader to report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A `{` that belongs to nothing.
    Open(Place),
    /// A `}` too many.
    Close(Place),
    /// The `{` of this block is never closed.
    Unclosed(Place),
    /// A quote that is not closed on its line.
    Quote(Place),
    /// Blocks nested too deep; what is inside is left out.
    Deep(Place),
}

/// No configuration needs more; a limit keeps recursion over the tree safe.
const DEPTH: usize = 32;

/// Builds a tree from the words of line after line.
#[derive(Debug, Default)]
pub(super) struct Builder {
    tree: Tree,
    /// Open blocks: the node and the place of its `{`.
    open: Vec<(u32, Place)>,
    /// The statement under construction on this line.
    current: Option<u32>,
    /// The last complete statement without a block: a `{` on the next line belongs to it.
    last: Option<u32>,
    pub(super) faults: Vec<Fault>,
}

impl Builder {
    /// Adds a word of the current line.
    pub(super) fn word(&mut self, word: Word, text: &str) {
        if !word.quoted {
            match text {
                "{" => return self.open(word.place),
                "}" => return self.close(word.place),
                _ => {}
            }
        }
        self.push(word);
    }

    fn push(&mut self, word: Word) {
        let node = *self.current.get_or_insert_with(|| {
            let words = self.tree.words.len() as u32;
            self.tree.nodes.push(Node { words, count: 0, end: 0, block: false, close: 0 });
            self.tree.nodes.len() as u32 - 1
        });
        self.tree.words.push(word);
        self.tree.nodes[node as usize].count += 1;
    }

    /// The line is over.
    pub(super) fn end_line(&mut self) {
        if self.current.is_some() {
            self.finish();
        }
    }

    /// The statement is complete.
    fn finish(&mut self) {
        if let Some(node) = self.current.take() {
            self.tree.nodes[node as usize].end = node + 1;
            self.last = Some(node);
        }
    }

    /// A `{`: of the statement before it, on this line or the last.
    pub(super) fn open(&mut self, place: Place) {
        self.finish();
        let owner = self.last.take().unwrap_or_else(|| {
            self.faults.push(Fault::Open(place));
            let words = self.tree.words.len() as u32;
            self.tree.nodes.push(Node { words, count: 0, end: 0, block: false, close: 0 });
            self.tree.nodes.len() as u32 - 1
        });
        self.tree.nodes[owner as usize].block = true;
        if self.open.len() == DEPTH {
            self.faults.push(Fault::Deep(place));
        }
        self.open.push((owner, place));
    }

    /// A `}`: ends the innermost block.
    pub(super) fn close(&mut self, place: Place) {
        self.finish();
        self.last = None;
        match self.open.pop() {
            Some((node, _)) => {
                self.tree.nodes[node as usize].close = place.line;
                self.end_block(node);
            }
            None => self.faults.push(Fault::Close(place)),
        }
    }

    fn end_block(&mut self, node: u32) {
        if self.open.len() >= DEPTH {
            // Too deep: forget what was inside.
            self.tree.nodes.truncate(node as usize + 1);
        }
        self.tree.nodes[node as usize].end = self.tree.nodes.len() as u32;
    }

    /// The end of the text.
    pub(super) fn end(mut self) -> (Tree, Vec<Fault>) {
        self.end_line();
        while let Some((node, place)) = self.open.pop() {
            self.faults.push(Fault::Unclosed(place));
            self.end_block(node);
        }
        (self.tree, self.faults)
    }
}

impl Tree {
    /// The statements outside all blocks.
    pub(super) fn top<'t>(&'t self, sources: &'t Sources) -> impl Iterator<Item = Stmt<'t>> {
        Children { tree: self, sources, next: 0, end: self.nodes.len() as u32 }
    }
}

struct Children<'t> {
    tree: &'t Tree,
    sources: &'t Sources,
    next: u32,
    end: u32,
}

impl<'t> Iterator for Children<'t> {
    type Item = Stmt<'t>;

    fn next(&mut self) -> Option<Stmt<'t>> {
        if self.next >= self.end {
            return None;
        }
        let index = self.next;
        let node = self.tree.nodes[index as usize];
        self.next = node.end.max(index + 1);
        Some(Stmt { tree: self.tree, sources: self.sources, node, index })
    }
}

impl<'t> Stmt<'t> {
    /// Number of words, the keyword included. 0 only for a block that belongs to nothing.
    pub(super) fn len(self) -> usize {
        self.node.count as usize
    }

    /// The line on which it ends; for a block that of its closing brace.
    pub(super) fn last_line(self) -> u32 {
        self.node.close.max(self.place(0).line)
    }

    /// Whether braces follow.
    pub(super) fn has_block(self) -> bool {
        self.node.block
    }

    /// The statements of its block.
    pub(super) fn children(self) -> impl Iterator<Item = Stmt<'t>> {
        Children { tree: self.tree, sources: self.sources, next: self.index + 1, end: self.node.end }
    }

    fn words(self) -> &'t [Word] {
        let from = self.node.words as usize;
        &self.tree.words[from..from + self.node.count as usize]
    }

    /// The n-th word without its quotes; the keyword is word 0.
    pub(super) fn get(self, n: usize) -> Option<&'t str> {
        self.words().get(n).map(|w| {
            let raw = raw(self.sources, w);
            if !w.quoted {
                return raw;
            }
            let raw = raw.strip_prefix('"').unwrap_or(raw);
            raw.strip_suffix('"').unwrap_or(raw)
        })
    }

    /// The keyword; empty for a block that belongs to nothing.
    pub(super) fn key(self) -> &'t str {
        self.get(0).unwrap_or("")
    }

    /// The place of the n-th word; of the last one if there are fewer.
    pub(super) fn place(self, n: usize) -> Place {
        let words = self.words();
        words.get(n).or(words.last()).map_or(Place::NONE, |w| w.place)
    }

    /// The place of the word that stands at this byte of [`Stmt::rest`] from the n-th word, or follows it.
    pub(super) fn place_at(self, n: usize, byte: usize) -> Place {
        let words = &self.words()[n.min(self.len())..];
        let from = words.first().map_or(0, |w| w.start as usize);
        words
            .iter()
            .find(|w| w.start as usize >= from + byte)
            .or(words.last())
            .map_or(Place::NONE, |w| w.place)
    }

    /// The text from the n-th word to the last, as written, quotes and all.
    pub(super) fn rest(self, n: usize) -> &'t str {
        let words = self.words();
        match (words.get(n), words.last()) {
            (Some(first), Some(last)) if first.buf == last.buf => {
                let text = self.sources.text(first.buf);
                &text[first.start as usize..(last.start + last.len) as usize]
            }
            _ => "",
        }
    }
}

fn raw<'s>(sources: &'s Sources, word: &Word) -> &'s str {
    let from = word.start as usize;
    &sources.text(word.buf)[from..from + word.len as usize]
}
