//! From what the compiler made to what is shipped: takes out what pallet-contracts refuses, and checks the rest against
//! what it takes.

use wasm_encoder::{ExportKind, ExportSection, Module, RawSection};
use wasmparser::{ExternalKind, Import, Parser, Payload, TypeRef, Validator, WasmFeatures};

/// Largest module that is shipped, in bytes. The chain would take twice as much.
pub const MAX_BYTES: usize = 64 * 1024;

/// Most memory that pallet-contracts gives a contract, in pages of 64 KiB.
pub const MAX_PAGES: u64 = 16;

/// What the vault may ask of its host, and nothing else: no call to another contract, no instantiation, no delegation,
/// no change of its own code, no end.
pub const IMPORTS: &[&str] = &[
    "env.memory",
    "seal0.address",
    "seal0.balance",
    "seal0.caller",
    "seal0.deposit_event",
    "seal0.ecdsa_recover",
    "seal0.ecdsa_to_eth_address",
    "seal0.hash_blake2_256",
    "seal0.hash_keccak_256",
    "seal0.input",
    "seal0.now",
    "seal0.transfer",
    "seal0.value_transferred",
    "seal1.call_chain_extension",
    "seal0.call_chain_extension",
    "seal1.clear_storage",
    "seal1.contains_storage",
    "seal1.get_storage",
    "seal0.seal_return",
    "seal1.take_storage",
    "seal0.take_storage",
    "seal2.set_storage",
];

/// What is wrong with a module.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The module without custom sections (names, the compiler's mark) and with two exports: pallet-contracts refuses every
/// other, and the linker exports some helpers and marks of memory.
///
/// # Errors
/// The module cannot be read.
pub fn strip(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut module = Module::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        if let Payload::ExportSection(reader) = payload {
            let mut exports = ExportSection::new();
            for export in reader {
                let export = export?;
                if matches!(export.name, "call" | "deploy") {
                    exports.export(export.name, ExportKind::Func, export.index);
                }
            }
            module.section(&exports);
        } else if let (Some((id, range)), false) = (payload.as_section(), matches!(payload, Payload::CustomSection(_)))
        {
            module.section(&RawSection { id, data: &wasm[range] });
        }
    }
    Ok(module.finish())
}

/// Whether pallet-contracts would take the module, and whether it asks for nothing that it must not do.
///
/// # Errors
/// What is wrong with it.
pub fn check(wasm: &[u8]) -> Result<()> {
    // Floats, sign extension, bulk memory and all that came later are not in this set.
    let features = WasmFeatures::MUTABLE_GLOBAL;
    Validator::new_with_features(features).validate_all(wasm)?;
    if wasm.len() >= MAX_BYTES {
        return Err(format!("{} bytes, want less than {MAX_BYTES}", wasm.len()).into());
    }
    let mut exports = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ImportSection(reader) => {
                for import in reader {
                    check_import(&import?)?;
                }
            }
            Payload::ExportSection(reader) => {
                for export in reader {
                    let export = export?;
                    exports.push((export.name.to_owned(), export.kind == ExternalKind::Func));
                }
            }
            Payload::StartSection { .. } => return Err("has a start function".into()),
            Payload::MemorySection(_) => return Err("has a memory of its own, must import it".into()),
            Payload::CustomSection(section) => return Err(format!("has a section {}", section.name()).into()),
            _ => {}
        }
    }
    exports.sort();
    if exports != [("call".to_owned(), true), ("deploy".to_owned(), true)] {
        return Err(format!("exports {exports:?}, want the functions call and deploy").into());
    }
    Ok(())
}

fn check_import(import: &Import<'_>) -> Result<()> {
    let name = format!("{}.{}", import.module, import.name);
    if !IMPORTS.contains(&name.as_str()) {
        return Err(format!("imports {name}, which the vault must not use").into());
    }
    match import.ty {
        TypeRef::Memory(memory) if memory.maximum.is_some_and(|pages| pages <= MAX_PAGES) => Ok(()),
        TypeRef::Memory(_) => Err(format!("memory without a maximum of at most {MAX_PAGES} pages").into()),
        TypeRef::Func(_) => Ok(()),
        _ => Err(format!("imports {name}, which is no function").into()),
    }
}

/// What the module imports, in its order.
///
/// # Errors
/// The module cannot be read.
pub fn imports(wasm: &[u8]) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::ImportSection(reader) = payload? {
            for import in reader {
                let import = import?;
                names.push(format!("{}.{}", import.module, import.name));
            }
        }
    }
    Ok(names)
}
