"""What starts from a latent, and what reads codes: what codes tell, move and mean, and what judges say of samples."""
