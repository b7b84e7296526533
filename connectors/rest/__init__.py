"""The kind `rest`: JSON APIs described in YAML, read with dlt's REST client; `connectors/catalog` has ready ones."""
