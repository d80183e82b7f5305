//! Declares every command of the app, so that none is open unless a capability in `tauri.conf.json` names it.

const COMMANDS: &[&str] = &["about", "general_set_theme"];

fn main() {
    // The screens are embedded; without this line a new file among them would wait for the next change of Rust code.
    println!("cargo:rerun-if-changed=ui");
    println!("cargo:rerun-if-changed=src-tauri/build.rs");

    let app = tauri_build::AppManifest::new().commands(COMMANDS);
    if let Err(error) = tauri_build::try_build(tauri_build::Attributes::new().app_manifest(app)) {
        println!("cargo:warning={error:#}");
        std::process::exit(1);
    }
}
