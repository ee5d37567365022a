"""From a queued backlog to committed and detected, and from a flood to the operator's screen."""
