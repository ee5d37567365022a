"""One file per wire format: bytes become a noun, or `Permanent` says why not."""
