"""Trained feature networks for losses and judges. None of them ships; each is read from a file that a user has."""
