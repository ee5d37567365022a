"""One file for each outside gateway, found by its name; docs/adapters.md says how to write one."""
