//! Netlink attributes as bytes: written into one growing buffer, read without copying.
//!
//! IPVS and rtnetlink share them. Nothing here allocates for an attribute: loading a table of a hundred thousand
//! rules is a walk over one `Vec`.

/// Set in an attribute's type when attributes are nested in it.
const NESTED: u16 = 0x8000;
/// The type without the flags NESTED and NET_BYTEORDER.
const TYPE_MASK: u16 = 0x3fff;
/// Length and type before the payload.
const HEADER: usize = 4;

fn padded(len: usize) -> usize {
    (len + 3) & !3
}

/// Appends an attribute with this payload, padded to four bytes.
pub fn put(buf: &mut Vec<u8>, kind: u16, payload: &[u8]) {
    header(buf, kind, payload.len());
    buf.extend_from_slice(payload);
    pad(buf);
}

fn header(buf: &mut Vec<u8>, kind: u16, payload: usize) {
    let [a, b] = u16::try_from(HEADER + payload).unwrap_or(u16::MAX).to_ne_bytes();
    let [c, d] = kind.to_ne_bytes();
    buf.extend_from_slice(&[a, b, c, d]);
}

fn pad(buf: &mut Vec<u8>) {
    let missing = padded(buf.len()) - buf.len();
    buf.extend_from_slice(&[0; 3][..missing]);
}

/// Appends a number of `len` bytes with its padding in one piece: most of what a rule consists of.
fn put_number(buf: &mut Vec<u8>, kind: u16, len: u8, [e, f, g, h]: [u8; 4]) {
    let [a, b] = (4 + u16::from(len)).to_ne_bytes();
    let [c, d] = kind.to_ne_bytes();
    buf.extend_from_slice(&[a, b, c, d, e, f, g, h]);
}

/// Appends a byte.
pub(crate) fn put_u8(buf: &mut Vec<u8>, kind: u16, value: u8) {
    put_number(buf, kind, 1, [value, 0, 0, 0]);
}

/// Appends a 16-bit number in host order.
pub(crate) fn put_u16(buf: &mut Vec<u8>, kind: u16, value: u16) {
    let [a, b] = value.to_ne_bytes();
    put_number(buf, kind, 2, [a, b, 0, 0]);
}

/// Appends a 16-bit number in network order.
pub(crate) fn put_be16(buf: &mut Vec<u8>, kind: u16, value: u16) {
    put_u16(buf, kind, value.to_be());
}

/// Appends a 32-bit number in host order.
pub(crate) fn put_u32(buf: &mut Vec<u8>, kind: u16, value: u32) {
    put_number(buf, kind, 4, value.to_ne_bytes());
}

/// Appends a text with the NUL that the kernel expects.
pub fn put_str(buf: &mut Vec<u8>, kind: u16, text: &str) {
    header(buf, kind, text.len() + 1);
    buf.extend_from_slice(text.as_bytes());
    buf.push(0);
    pad(buf);
}

/// Appends an attribute that holds what `fill` appends.
pub(crate) fn nest(buf: &mut Vec<u8>, kind: u16, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = buf.len();
    buf.extend_from_slice(&[0, 0]);
    buf.extend_from_slice(&(kind | NESTED).to_ne_bytes());
    fill(buf);
    let len = u16::try_from(buf.len() - start).unwrap_or(u16::MAX);
    buf[start..start + 2].copy_from_slice(&len.to_ne_bytes());
}

/// One attribute of a received message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attr<'a> {
    /// The type, without flags.
    pub kind: u16,
    /// The payload, without padding.
    pub payload: &'a [u8],
}

impl<'a> Attr<'a> {
    /// The first byte; none if the payload is empty.
    pub fn u8(&self) -> Option<u8> {
        self.payload.first().copied()
    }

    /// A 16-bit number in host order; none if the payload is too short. Likewise the other numbers.
    pub fn u16(&self) -> Option<u16> {
        self.payload.first_chunk().map(|b| u16::from_ne_bytes(*b))
    }

    /// A 16-bit number in network order.
    pub fn be16(&self) -> Option<u16> {
        self.payload.first_chunk().map(|b| u16::from_be_bytes(*b))
    }

    /// A 32-bit number in host order.
    pub fn u32(&self) -> Option<u32> {
        self.payload.first_chunk().map(|b| u32::from_ne_bytes(*b))
    }

    /// A 64-bit number in host order.
    pub fn u64(&self) -> Option<u64> {
        self.payload.first_chunk().map(|b| u64::from_ne_bytes(*b))
    }

    /// A text up to its NUL; none if it is not UTF-8.
    pub fn text(&self) -> Option<&'a str> {
        let end = self.payload.iter().position(|b| *b == 0).unwrap_or(self.payload.len());
        std::str::from_utf8(&self.payload[..end]).ok()
    }

    /// The attributes nested in this one.
    pub fn nested(&self) -> Attrs<'a> {
        attrs(self.payload)
    }
}

/// The attributes in `bytes`, in order; it ends at the first that does not fit.
pub fn attrs(bytes: &[u8]) -> Attrs<'_> {
    Attrs { rest: bytes }
}

/// See [`attrs`].
#[derive(Clone, Debug)]
pub struct Attrs<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Attrs<'a> {
    type Item = Attr<'a>;

    fn next(&mut self) -> Option<Attr<'a>> {
        let [l0, l1, k0, k1] = *self.rest.first_chunk()?;
        let len = usize::from(u16::from_ne_bytes([l0, l1]));
        let payload = self.rest.get(HEADER..len)?;
        self.rest = self.rest.get(padded(len)..).unwrap_or(&[]);
        Some(Attr { kind: u16::from_ne_bytes([k0, k1]) & TYPE_MASK, payload })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_put_is_read() {
        let mut buf = Vec::new();
        put_u8(&mut buf, 1, 7);
        put_be16(&mut buf, 2, 443);
        nest(&mut buf, 3, |b| {
            put_u32(b, 1, 0xdead_beef);
            put_str(b, 2, "wlc");
        });
        let all: Vec<_> = attrs(&buf).collect();
        assert_eq!(all.iter().map(|a| a.kind).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!((all[0].u8(), all[1].be16()), (Some(7), Some(443)));
        let inner: Vec<_> = all[2].nested().collect();
        assert_eq!((inner[0].u32(), inner[1].text()), (Some(0xdead_beef), Some("wlc")));
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            for a in attrs(&bytes) {
                let _ = (a.u8(), a.u64(), a.text(), a.nested().count());
            }
        }
    }
}
