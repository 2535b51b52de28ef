"""Files to arrays and back, and the limits on untrusted files."""
