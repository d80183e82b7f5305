//! What the page may call: named in four places, and the same in all of them.

use std::collections::BTreeSet;

use crate::support::root;

type Names = BTreeSet<String>;

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// The part of `text` after `start` and before the next `end`.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("nothing starts with {start}"));
    rest.split_once(end).unwrap_or_else(|| panic!("nothing ends with {end}")).0
}

fn handled() -> Names {
    let list = read("src-tauri/src/lib.rs");
    let names = between(&list, "generate_handler![", "]").split(',').map(str::trim);
    names
        .filter_map(|path| path.rsplit("::").next())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

fn declared() -> Names {
    let list = read("src-tauri/build.rs");
    between(&list, "COMMANDS: &[&str] = &[", "]").split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

fn granted() -> Names {
    let config: serde_json::Value = serde_json::from_str(&read("tauri.conf.json")).unwrap();
    let permissions = config["app"]["security"]["capabilities"][0]["permissions"].as_array().unwrap();
    let names = permissions.iter().filter_map(|permission| permission.as_str()?.strip_prefix("allow-"));
    names.map(|name| name.replace('-', "_")).collect()
}

#[test]
fn every_command_is_handled_declared_and_granted() {
    assert_eq!(handled(), declared(), "src-tauri/src/lib.rs and src-tauri/build.rs");
    assert_eq!(declared(), granted(), "src-tauri/build.rs and tauri.conf.json");
}
