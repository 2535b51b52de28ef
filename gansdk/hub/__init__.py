"""Models on the Hub: from a ref to files in the cache that all tools of the user share, through the official client."""
