"""Pictures that were restored: how near they are to the true ones, to the input, and to what pictures are like."""
