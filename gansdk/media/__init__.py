"""Files to arrays and back, and every limit on media that nobody vouches for."""
