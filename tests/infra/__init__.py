"""Embedded servers, migrations, topics and the command line."""
