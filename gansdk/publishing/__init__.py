"""From a model of this machine to one on the Hub: what goes, whether it may go, and the card that goes with it."""
