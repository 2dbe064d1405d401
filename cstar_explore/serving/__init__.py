"""What sandbox and listener share: a server in a thread, a database file, posting deliveries, replacing on rerun."""
