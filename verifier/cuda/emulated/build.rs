//! Compiles `../kernels/surety.cu` as C, once with the warp-wide products and once with `dp4a`.

fn main() {
    for variant in ["0", "1"] {
        cc::Build::new()
            .file("emulate.c")
            .include(".")
            .define("SURETY_EMULATED", None)
            .define("SURETY_MMA", variant)
            .opt_level(2)
            .flag("-Wno-unknown-pragmas")
            .compile(&format!("surety_emulated_{variant}"));
    }
    for file in ["build.rs", "emulate.c", "emulate.h", "../kernels/surety.cu"] {
        println!("cargo:rerun-if-changed={file}");
    }
}
