//! The codes of refusals that prove nothing was created (R15, assumption A3).
//!
//! Owns the list and how it is matched. A code that is not on it proves nothing.

/// How every documented validation code begins (portal-api.md section 1).
const BUILT_IN: &str = "parameter_validation_";

/// The list: built in, extended by `validation_codes` of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationCodes {
    exact: Vec<String>,
    prefixes: Vec<String>,
}

impl ValidationCodes {
    /// The built-in list and `extra`: exact codes, or prefixes ending in `*`. An empty entry or a bare `*` would make every refusal a
    /// proof; neither matches anything.
    pub fn new(extra: &[String]) -> Self {
        let mut list = Self { exact: Vec::new(), prefixes: vec![BUILT_IN.to_owned()] };
        for code in extra.iter().map(|code| code.trim()) {
            match code.strip_suffix('*') {
                Some("") => {}
                Some(prefix) => list.prefixes.push(prefix.to_owned()),
                None => list.exact.push(code.to_owned()),
            }
        }
        list
    }

    /// Whether a refusal with this code proves that nothing was created.
    pub fn contains(&self, code: &str) -> bool {
        !code.is_empty()
            && (self.exact.iter().any(|exact| exact == code) || self.prefixes.iter().any(|prefix| code.starts_with(prefix)))
    }
}

impl Default for ValidationCodes {
    fn default() -> Self {
        Self::new(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_codes_are_proofs() {
        let codes = ValidationCodes::new(&["quantity_mismatch".to_owned(), "field_*".to_owned()]);
        for listed in ["parameter_validation_failed", "quantity_mismatch", "field_missing"] {
            assert!(codes.contains(listed), "{listed}");
        }
        for other in
            ["", "parameter_validation", "PARAMETER_VALIDATION_FAILED", "quantity_mismatch_2", "balance_insufficient", "success"]
        {
            assert!(!codes.contains(other), "{other}");
        }
    }

    #[test]
    fn no_entry_turns_every_refusal_into_a_proof() {
        let codes = ValidationCodes::new(&["*".to_owned(), String::new(), " ".to_owned()]);
        assert!(!codes.contains("balance_insufficient"));
        assert!(!codes.contains(""));
    }
}
