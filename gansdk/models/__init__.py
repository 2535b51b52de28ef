"""From a ref to a result: which model, loaded how, run on what, for one input or for many."""
