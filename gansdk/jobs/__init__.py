"""Many inputs, one model: what a job will do, what runs it, and what it writes down."""
