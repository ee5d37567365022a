"""What every adapter of an outside gateway stands on; the adapters are in `ingest.adapters`."""
