"""The kind `platform`: what the platform itself was told over HTTP, landed like any other source."""
