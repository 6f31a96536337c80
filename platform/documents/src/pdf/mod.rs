//! PDF as far as this engine must understand it: objects read within limits from any bytes
//! ([`read`]), every object of a file found by looking at all of it ([`scan`]), and objects written
//! ([`write`]). Pages are never drawn and content streams never opened.

pub(crate) mod read;
pub(crate) mod scan;

/// An object (ISO 32000-1, 7.3). Streams are a dictionary and where their data begin.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Object {
    Null,
    Bool(bool),
    Integer(i64),
    Real(f64),
    Text(Vec<u8>),
    Name(Vec<u8>),
    Array(Vec<Object>),
    Dictionary(Dictionary),
    Reference(u32),
}

/// Entries in their order; of twins the last counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Dictionary(pub(crate) Vec<(Vec<u8>, Object)>);

impl Dictionary {
    pub(crate) fn get(&self, key: &str) -> Option<&Object> {
        let mut found = self.0.iter().rev();
        found
            .find(|(name, _)| name == key.as_bytes())
            .map(|(_, v)| v)
    }

    pub(crate) fn set(&mut self, key: &str, value: Object) {
        self.0.retain(|(name, _)| name != key.as_bytes());
        self.0.push((key.as_bytes().to_vec(), value));
    }
}

impl Object {
    pub(crate) fn name(text: &str) -> Object {
        Object::Name(text.as_bytes().to_vec())
    }
    pub(crate) fn is_name(&self, text: &str) -> bool {
        matches!(self, Object::Name(name) if name == text.as_bytes())
    }
    pub(crate) fn integer(&self) -> Option<i64> {
        match self {
            Object::Integer(n) => Some(*n),
            _ => None,
        }
    }
    pub(crate) fn dictionary(&self) -> Option<&Dictionary> {
        match self {
            Object::Dictionary(dictionary) => Some(dictionary),
            _ => None,
        }
    }
    pub(crate) fn array(&self) -> Option<&[Object]> {
        match self {
            Object::Array(items) => Some(items),
            _ => None,
        }
    }
    pub(crate) fn reference(&self) -> Option<u32> {
        match self {
            Object::Reference(n) => Some(*n),
            _ => None,
        }
    }
}

/// Writes an object.
pub(crate) fn write(object: &Object, out: &mut Vec<u8>) {
    match object {
        Object::Null => out.extend(b"null"),
        Object::Bool(true) => out.extend(b"true"),
        Object::Bool(false) => out.extend(b"false"),
        Object::Integer(n) => out.extend(n.to_string().as_bytes()),
        Object::Real(n) => out.extend(n.to_string().as_bytes()),
        Object::Text(bytes) => {
            out.push(b'<');
            for byte in bytes {
                out.extend(format!("{byte:02X}").as_bytes());
            }
            out.push(b'>');
        }
        Object::Name(name) => write_name(name, out),
        Object::Array(items) => {
            out.push(b'[');
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    out.push(b' ');
                }
                write(item, out);
            }
            out.push(b']');
        }
        Object::Dictionary(dictionary) => {
            out.extend(b"<<");
            for (key, value) in &dictionary.0 {
                write_name(key, out);
                out.push(b' ');
                write(value, out);
                out.push(b'\n');
            }
            out.extend(b">>");
        }
        Object::Reference(n) => out.extend(format!("{n} 0 R").as_bytes()),
    }
}

fn write_name(name: &[u8], out: &mut Vec<u8>) {
    out.push(b'/');
    for &byte in name {
        match byte {
            b'!'..=b'~' if !b"#()<>[]{}/%".contains(&byte) => out.push(byte),
            _ => out.extend(format!("#{byte:02X}").as_bytes()),
        }
    }
}
