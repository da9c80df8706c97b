"""What starts things: settings, embedded servers, supervisor and command line."""
