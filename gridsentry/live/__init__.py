"""The running service: sessions, the writer's loop, camera workers, and what starts and stops."""
