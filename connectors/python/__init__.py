"""The kind `python`: a module of the user's own that yields dlt resources."""
