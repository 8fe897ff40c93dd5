//! How deep types and values go. A node's metadata may have types that contain themselves: some honestly, as a call
//! that holds calls, others to bring down whoever reads them. The library that decodes values goes down with them,
//! frame by frame of the stack, whose end is the end of the process. So both are gone through here first, without it.

use scale_info::form::PortableForm;
use scale_info::{PortableRegistry, TypeDef, TypeDefPrimitive};
use subxt::ext::codec::{Compact, Decode};

/// How deep types may lie in each other where no byte stands between them: a struct in a struct, an array, a tuple.
/// Those of spec 425 are eight deep at most.
pub(crate) const TYPE_DEPTH_MAX: u32 = 32;

/// How deep values may lie in each other. Substrate itself takes no call deeper than 256; no event holds one.
pub(crate) const VALUE_DEPTH_MAX: u32 = 96;

/// Types looked at for each byte of a value, and to begin with. A value without bytes can be of a type with more parts
/// than anybody can count.
const STEPS_PER_BYTE: usize = 16;
const STEPS_FREE: usize = 4_096;

/// The first type that holds itself, or others too deep, with no byte in between: no value of it could be read.
pub(crate) fn bottomless(types: &PortableRegistry) -> Option<String> {
    let mut depths: Vec<Option<u32>> = vec![None; types.types.len()];
    for (id, _) in (0u32..).zip(&types.types) {
        if measure(types, id, &mut depths).is_none() {
            let path = types.resolve(id).map(|ty| ty.path.to_string()).unwrap_or_default();
            let path: String = path.chars().filter(|c| !c.is_control()).take(100).collect();
            return Some(format!("type {id} ({path}) contains itself, or others more than {TYPE_DEPTH_MAX} deep"));
        }
    }
    None
}

/// How deep a type is, which is written down with those in it; None where it is too deep. Goes down with a stack of its
/// own, never more than the bound.
fn measure(types: &PortableRegistry, id: u32, depths: &mut [Option<u32>]) -> Option<u32> {
    let known = |depths: &[Option<u32>], id: u32| depths.get(id as usize).copied().flatten();
    if let Some(depth) = known(depths, id) {
        return Some(depth);
    }
    // Each with its parts that are not looked at yet, and the deepest of those that are.
    let mut open: Vec<(u32, Vec<u32>, u32)> = vec![(id, parts(types, id), 0)];
    while let Some((id, left, deepest)) = open.last_mut() {
        let Some(part) = left.pop() else {
            let (id, depth) = (*id, deepest.saturating_add(1));
            if let Some(place) = depths.get_mut(id as usize) {
                *place = Some(depth);
            }
            open.pop();
            if let Some((.., deepest)) = open.last_mut() {
                *deepest = depth.max(*deepest);
            }
            if depth > TYPE_DEPTH_MAX {
                return None;
            }
            continue;
        };
        match known(depths, part) {
            Some(depth) => *deepest = depth.max(*deepest),
            None if open.len() > TYPE_DEPTH_MAX as usize => return None,
            None => open.push((part, parts(types, part), 0)),
        }
    }
    known(depths, id)
}

/// What a value of a type begins with, or has in it, before any byte of its own.
fn parts(types: &PortableRegistry, id: u32) -> Vec<u32> {
    match types.resolve(id).map(|ty| &ty.type_def) {
        Some(TypeDef::Composite(composite)) => composite.fields.iter().map(|field| field.ty.id).collect(),
        Some(TypeDef::Tuple(tuple)) => tuple.fields.iter().map(|field| field.id).collect(),
        Some(TypeDef::Array(array)) => vec![array.type_param.id],
        Some(TypeDef::Compact(compact)) => vec![compact.type_param.id],
        _ => Vec::new(),
    }
}

/// Why a value is not read.
type Fault = &'static str;

const SHORT: Fault = "its bytes end too early";

/// Goes through a value of type `id` at the beginning of `bytes`, and says what is left of them after it.
///
/// # Errors
/// The value is deeper than [`VALUE_DEPTH_MAX`], has more parts than its bytes explain, or is none.
pub(crate) fn skip<'a>(types: &PortableRegistry, id: u32, bytes: &'a [u8]) -> Result<&'a [u8], Fault> {
    let mut steps = bytes.len().saturating_mul(STEPS_PER_BYTE).saturating_add(STEPS_FREE);
    let mut rest = bytes;
    // So many values of a type, so deep.
    let mut open: Vec<(u32, u64, u32)> = vec![(id, 1, 0)];
    while let Some((id, count, depth)) = open.pop() {
        steps = steps.checked_sub(1).ok_or("it has more parts than its bytes explain")?;
        if depth > VALUE_DEPTH_MAX {
            return Err("it is nested deeper than anything this chain says");
        }
        let Some(more) = count.checked_sub(1) else { continue };
        let def = types.resolve(id).map(|ty| &ty.type_def).ok_or("its type does not exist")?;
        if let TypeDef::Primitive(primitive) = def
            && let Some(size) = size_of(primitive)
        {
            rest = cut(rest, count.saturating_mul(size))?;
            continue;
        }
        if more > 0 {
            open.push((id, more, depth));
        }
        let inside = skip_own(types, def, &mut rest)?;
        open.extend(inside.into_iter().rev().map(|(id, count)| (id, count, depth + 1)));
    }
    Ok(rest)
}

/// Cuts off a value's own bytes, and names what comes after them in it: types, and how many of each.
fn skip_own(types: &PortableRegistry, def: &TypeDef<PortableForm>, rest: &mut &[u8]) -> Result<Vec<(u32, u64)>, Fault> {
    match def {
        TypeDef::Composite(composite) => Ok(composite.fields.iter().map(|field| (field.ty.id, 1)).collect()),
        TypeDef::Tuple(tuple) => Ok(tuple.fields.iter().map(|field| (field.id, 1)).collect()),
        TypeDef::Array(array) => Ok(vec![(array.type_param.id, array.len.into())]),
        TypeDef::Sequence(list) => Ok(vec![(list.type_param.id, number(rest)?)]),
        TypeDef::Variant(variants) => {
            let index = *rest.first().ok_or(SHORT)?;
            *rest = cut(rest, 1)?;
            let found = variants.variants.iter().find(|variant| variant.index == index);
            let found = found.ok_or("it has a variant that its type does not have")?;
            Ok(found.fields.iter().map(|field| (field.ty.id, 1)).collect())
        }
        TypeDef::Compact(_) => number_of_any_size(rest).map(|()| Vec::new()),
        TypeDef::BitSequence(bits) => {
            let store = types.resolve(bits.bit_store_type.id).map(|ty| &ty.type_def);
            let Some(TypeDef::Primitive(store)) = store else { return Err("its bits are stored in no number") };
            let bytes = size_of(store).ok_or("its bits are stored in no number")?;
            let words = number(rest)?.div_ceil(bytes.saturating_mul(8));
            *rest = cut(rest, words.saturating_mul(bytes))?;
            Ok(Vec::new())
        }
        // Text: those of a fixed size are cut off in one piece.
        TypeDef::Primitive(_) => {
            let bytes = number(rest)?;
            *rest = cut(rest, bytes)?;
            Ok(Vec::new())
        }
    }
}

fn size_of(primitive: &TypeDefPrimitive) -> Option<u64> {
    Some(match primitive {
        TypeDefPrimitive::Bool | TypeDefPrimitive::U8 | TypeDefPrimitive::I8 => 1,
        TypeDefPrimitive::U16 | TypeDefPrimitive::I16 => 2,
        TypeDefPrimitive::Char | TypeDefPrimitive::U32 | TypeDefPrimitive::I32 => 4,
        TypeDefPrimitive::U64 | TypeDefPrimitive::I64 => 8,
        TypeDefPrimitive::U128 | TypeDefPrimitive::I128 => 16,
        TypeDefPrimitive::U256 | TypeDefPrimitive::I256 => 32,
        TypeDefPrimitive::Str => return None,
    })
}

fn cut(bytes: &[u8], count: u64) -> Result<&[u8], Fault> {
    usize::try_from(count).ok().and_then(|count| bytes.get(count..)).ok_or(SHORT)
}

fn number(rest: &mut &[u8]) -> Result<u64, Fault> {
    Compact::<u32>::decode(rest).map(|count| count.0.into()).map_err(|_| SHORT)
}

/// The first two bits of a compact number say how long it is.
fn number_of_any_size(rest: &mut &[u8]) -> Result<(), Fault> {
    let first = *rest.first().ok_or(SHORT)?;
    let bytes = match first & 3 {
        0 => 1,
        1 => 2,
        2 => 4,
        _ => u64::from(first >> 2) + 5,
    };
    *rest = cut(rest, bytes)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use subxt::metadata::Metadata;

    const METADATA: &[u8] = include_bytes!("../../../tests/vectors/subtensor-native/metadata-spec425-v15.scale");

    #[test]
    fn the_recorded_types_are_far_from_the_bound() {
        let metadata = Metadata::decode_from(METADATA).unwrap();
        let types = metadata.types();
        let mut depths = vec![None; types.types.len()];
        let measured: Option<Vec<u32>> =
            (0u32..).zip(&types.types).map(|(id, _)| measure(types, id, &mut depths)).collect();
        assert_eq!(measured.unwrap().into_iter().max(), Some(8));
        assert_eq!(bottomless(types), None);
    }
}
