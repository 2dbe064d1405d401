"""What sandbox and listener are built on: a server in a thread, a database file, posting deliveries."""
