"""What could not be read, and so was not checked."""
