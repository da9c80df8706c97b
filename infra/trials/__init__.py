"""Systems that are set up only to be measured or broken, and what must hold of them afterwards."""
