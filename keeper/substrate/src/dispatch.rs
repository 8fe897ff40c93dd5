//! Why the chain refused: a dispatch error, read as its own name.
//!
//! Read by a visitor of its own and not as a general value, which takes memory for as many elements as a hostile node
//! says that there are.

use crate::runtime::Runtime;
use subxt::ext::scale_decode::visitor::types::Variant;
use subxt::ext::scale_decode::visitor::{DecodeError, TypeIdFor, Unexpected, Visitor};
use subxt::ext::scale_decode::{self, DecodeAsType, IntoVisitor, TypeResolver};

/// Most characters of a name that are repeated.
const NAME_MAX: usize = 64;

/// A dispatch error as it is encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawDispatch {
    /// Its kind: `Module`, `BadOrigin`, `Token`, ...
    kind: String,
    /// Where it is a pallet's: which, and its error.
    module: Option<(u8, u8)>,
}

impl RawDispatch {
    /// `Pallet.Error`, or the kind's own name.
    pub(crate) fn name(&self, runtime: &Runtime) -> String {
        let Some((pallet, error)) = self.module else { return self.kind.clone() };
        runtime.error_name(pallet, error).unwrap_or_else(|| format!("error {error} of pallet {pallet}"))
    }
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct RawModule {
    index: u8,
    error: [u8; 4],
}

pub(crate) struct DispatchVisitor<R>(std::marker::PhantomData<R>);

impl<R: TypeResolver> Visitor for DispatchVisitor<R> {
    type Value<'scale, 'resolver> = RawDispatch;
    type Error = scale_decode::Error;
    type TypeResolver = R;

    fn visit_variant<'scale, 'resolver>(
        self,
        value: &mut Variant<'scale, 'resolver, R>,
        _type_id: TypeIdFor<Self>,
    ) -> Result<RawDispatch, scale_decode::Error> {
        let kind: String = value.name().chars().take(NAME_MAX).collect();
        if kind != "Module" {
            value.skip_decoding()?;
            return Ok(RawDispatch { kind, module: None });
        }
        let none = || DecodeError::Unexpected(Unexpected::Variant);
        let module: RawModule = value.fields().next().ok_or_else(none)??.decode_as_type()?;
        Ok(RawDispatch { kind, module: Some((module.index, module.error[0])) })
    }
}

impl IntoVisitor for RawDispatch {
    type AnyVisitor<R: TypeResolver> = DispatchVisitor<R>;

    fn into_visitor<R: TypeResolver>() -> DispatchVisitor<R> {
        DispatchVisitor(std::marker::PhantomData)
    }
}
