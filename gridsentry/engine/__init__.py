"""The pure middle of the service: decoded items in, one batch of changes out. No I/O."""
