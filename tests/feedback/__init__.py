"""What people say, and the trail it leaves."""
