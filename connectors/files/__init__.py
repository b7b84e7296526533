"""The kind `files`: on disk or in an object store, of any format that a reader is there for."""
