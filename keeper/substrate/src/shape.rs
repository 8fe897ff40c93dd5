//! What a type must look like for us to use it, and whether a runtime's type does.
//!
//! Names of types do not matter and change between releases; what is encoded does. So a type is compared by structure:
//! wrappers of one field are seen through, and a fixed-point number is the integer that it is encoded as.

use scale_info::PortableRegistry;
use scale_info::form::PortableForm;
use scale_info::{TypeDef, TypeDefComposite, TypeDefPrimitive, TypeDefVariant};
use std::fmt;

/// A structure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// One byte, 0 or 1.
    Bool,
    /// An unsigned integer of so many bits, little endian.
    Uint(u16),
    /// A signed integer of so many bits.
    Int(u16),
    /// A compact unsigned integer.
    Compact,
    /// So many bytes, without a length before them.
    Bytes(u32),
    /// A number of these, their count before them.
    List(&'static Shape),
    /// These in a row. A struct is one of its fields.
    Row(&'static [Shape]),
    /// A struct that may have more fields than these, by name.
    Fields(&'static [(&'static str, Shape)]),
    /// An enum that may have more variants than these, by name, each with what it carries in a row.
    Variants(&'static [(&'static str, &'static [Shape])]),
    /// Anything: it is not looked into.
    Any,
}

/// How deep types are looked into; ours are four deep at most.
const DEPTH_MAX: u32 = 12;

impl Shape {
    /// Whether the type `id` of a runtime is encoded like this.
    pub fn fits(&self, types: &PortableRegistry, id: u32) -> bool {
        self.fits_at(types, id, 0)
    }

    fn fits_at(&self, types: &PortableRegistry, id: u32, depth: u32) -> bool {
        let Some(found) = types.resolve(id) else { return false };
        if depth > DEPTH_MAX {
            return false;
        }
        match (self, &found.type_def) {
            (Self::Any, _) => true,
            (Self::Fields(wanted), TypeDef::Composite(composite)) => has_fields(wanted, composite, types, depth),
            (_, TypeDef::Composite(composite)) if composite.fields.len() == 1 => {
                self.fits_at(types, composite.fields[0].ty.id, depth + 1)
            }
            (Self::Row(wanted), TypeDef::Composite(composite)) => {
                let fields = composite.fields.iter().map(|field| field.ty.id);
                is_row(wanted, fields, types, depth)
            }
            (Self::Row(wanted), TypeDef::Tuple(tuple)) => {
                is_row(wanted, tuple.fields.iter().map(|field| field.id), types, depth)
            }
            (_, TypeDef::Tuple(tuple)) if tuple.fields.len() == 1 => self.fits_at(types, tuple.fields[0].id, depth + 1),
            (Self::List(of), TypeDef::Sequence(list)) => of.fits_at(types, list.type_param.id, depth + 1),
            (Self::Bytes(count), TypeDef::Array(array)) => {
                array.len == *count && Self::Uint(8).fits_at(types, array.type_param.id, depth + 1)
            }
            (Self::Compact, TypeDef::Compact(_)) => true,
            (Self::Variants(wanted), TypeDef::Variant(variants)) => has_variants(wanted, variants, types, depth),
            (_, TypeDef::Primitive(primitive)) => self.is_primitive(primitive),
            _ => false,
        }
    }

    fn is_primitive(&self, primitive: &TypeDefPrimitive) -> bool {
        let found = match primitive {
            TypeDefPrimitive::Bool => Self::Bool,
            TypeDefPrimitive::U8 => Self::Uint(8),
            TypeDefPrimitive::U16 => Self::Uint(16),
            TypeDefPrimitive::U32 => Self::Uint(32),
            TypeDefPrimitive::U64 => Self::Uint(64),
            TypeDefPrimitive::U128 => Self::Uint(128),
            TypeDefPrimitive::I128 => Self::Int(128),
            _ => return false,
        };
        *self == found
    }
}

fn is_row(wanted: &[Shape], found: impl ExactSizeIterator<Item = u32>, types: &PortableRegistry, depth: u32) -> bool {
    wanted.len() == found.len() && wanted.iter().zip(found).all(|(shape, id)| shape.fits_at(types, id, depth + 1))
}

fn has_fields(
    wanted: &[(&str, Shape)],
    found: &TypeDefComposite<PortableForm>,
    types: &PortableRegistry,
    depth: u32,
) -> bool {
    wanted.iter().all(|(name, shape)| {
        let named = found.fields.iter().find(|field| field.name.as_deref() == Some(*name));
        named.is_some_and(|field| shape.fits_at(types, field.ty.id, depth + 1))
    })
}

fn has_variants(
    wanted: &[(&str, &[Shape])],
    found: &TypeDefVariant<PortableForm>,
    types: &PortableRegistry,
    depth: u32,
) -> bool {
    wanted.iter().all(|(name, row)| {
        let named = found.variants.iter().find(|variant| variant.name == *name);
        named.is_some_and(|variant| is_row(row, variant.fields.iter().map(|field| field.ty.id), types, depth))
    })
}

/// A comma before all but the first.
fn comma(index: usize) -> &'static str {
    if index == 0 { "" } else { ", " }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Uint(bits) => write!(f, "u{bits}"),
            Self::Int(bits) => write!(f, "i{bits}"),
            Self::Compact => f.write_str("compact"),
            Self::Bytes(count) => write!(f, "[u8; {count}]"),
            Self::List(of) => write!(f, "[{of}]"),
            Self::Row(row) => {
                f.write_str("(")?;
                for (index, shape) in row.iter().enumerate() {
                    write!(f, "{}{shape}", comma(index))?;
                }
                f.write_str(")")
            }
            Self::Fields(fields) => {
                f.write_str("{")?;
                for (index, (name, shape)) in fields.iter().enumerate() {
                    write!(f, "{}{name}: {shape}", comma(index))?;
                }
                f.write_str("}")
            }
            Self::Variants(variants) => {
                for (index, (name, row)) in variants.iter().enumerate() {
                    write!(f, "{}{name}", if index == 0 { "" } else { " | " })?;
                    if !row.is_empty() {
                        Self::Row(row).fmt(f)?;
                    }
                }
                Ok(())
            }
            Self::Any => f.write_str("anything"),
        }
    }
}
