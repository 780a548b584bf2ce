//! Standard output, on which a program reads: one document of JSON a line.

use std::io;

use isotest::runner::write_all;
use serde_json::Value;

/// What is written to it, and what went wrong.
#[derive(Debug, Default)]
pub(super) struct JsonLines {
    problem: Option<io::Error>,
}

impl JsonLines {
    /// Writes a line at once: whoever reads wants to know now.
    pub(super) fn line(&mut self, document: &Value) {
        let mut line = document.to_string();
        line.push('\n');
        self.bytes(line.as_bytes());
    }

    /// Writes lines that are ready.
    pub(super) fn bytes(&mut self, lines: &[u8]) {
        // What comes after a gap would only mislead.
        if self.problem.is_none()
            && let Err(error) = write_all(&mut io::stdout().lock(), lines)
        {
            self.problem = Some(error);
        }
    }

    /// Something else went wrong, behind which nothing can be told.
    pub(super) fn fail(&mut self, problem: io::Error) {
        self.problem.get_or_insert(problem);
    }

    /// Says whether all has been written.
    pub(super) fn finish(&mut self) -> Result<(), String> {
        match self.problem.take() {
            Some(error) => Err(format!("cannot write the events to standard output: {error}")),
            None => Ok(()),
        }
    }
}
