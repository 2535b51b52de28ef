"""Data sets to train and to measure on: folders, archives and streams of batches."""
