use std::path::Path;

use super::*;

fn failure(path: &Path) -> String {
    Config::from_file(path).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn a_file_that_cannot_be_a_configuration_says_why_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("renewals.toml");
    assert!(failure(&file).contains("there is no file"));
    assert!(failure(folder.path()).contains("is a folder"));
    std::fs::write(&file, b"timezone = \"UTC\"\n# caf\xe9\n").unwrap();
    assert!(failure(&file).contains("line 2 has a wrong byte (byte 23 of the file)"), "{}", failure(&file));
    std::fs::File::create(&file).unwrap().set_len(limits::MAX_FILE + 1).unwrap();
    assert!(failure(&file).contains("larger than 64 MiB"));
}

#[test]
fn a_wrong_file_is_drawn_with_its_path_and_a_right_one_kept_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("renewals.toml");
    std::fs::write(&file, "timezone = 5").unwrap();
    assert!(failure(&file).contains("renewals.toml:1:12"));
    std::fs::write(&file, EXAMPLE).unwrap();
    assert_eq!(Config::from_file(&file).unwrap().source, EXAMPLE);
}
